"""What each setting of a search is worth: one factor at a time around the default, on real tasks and a real model.

`benchmarks.paired_searches` says how. With 300 evaluations each of 15 layers has a single generation of 20, in which
CMA-ES has not yet changed its step size or covariance: those two are varied in the search of the input layer. Maps
made of the model's own states, and further starts, are among the ideas (`python -m benchmarks ideas`).

It takes hours: Ctrl-C ends it with the figures of what is done, `$BLACKBOX_KEPT` names a file that keeps these for the
next time, and `$BLACKBOX_SEEDS` the seeds of a process.
"""

from collections.abc import Mapping

from benchmarks.paired_searches import Variant, compared, searched_all

EVALUATIONS = 300
_WITHOUT_TEXT = {"prompt": None, "prompt_tokens": 14}

FACTORS: Mapping[str, Variant] = {
    "dimension: 25": Variant("dimension", {"dimension": 25}, quick=True),
    "dimension: 50": Variant("dimension", {"dimension": 50}),
    "dimension: 200": Variant("dimension", {"dimension": 200}),
    "dimension: 500": Variant("dimension", {"dimension": 500}),
    "population: 5": Variant("population", {"population": 5}),
    "population: 10": Variant("population", {"population": 10}),
    "population: 40": Variant("population", {"population": 40}),
    "step-size rule: tpa": Variant("step-size rule", {"step_size": "tpa"}, "soft"),
    "covariance: diagonal": Variant("covariance", {"covariance": "diagonal"}, "soft"),
    "layers: all": Variant("layers", {"layers": "all"}),
    "layers: 0-14": Variant("layers", {"layers": "0-14"}),
    "layers: 25-29": Variant("layers", {"layers": "25-29"}),
    "projection: uniform": Variant("projection", {"projection": "uniform"}),
    "projection: hadamard": Variant("projection", {"projection": "hadamard"}, quick=True),
    "selection: mean": Variant("selection", {"select": "mean"}),
    "selection: mean, soft": Variant("selection", {"select": "mean"}, "soft"),
    "start: random tokens": Variant("start", {"init": "random", **_WITHOUT_TEXT}),
    "start: label words": Variant("start", {"init": "label-words", **_WITHOUT_TEXT}),
    "start: a general text": Variant(
        "start", {"prompt": "Read the following text and answer the question about it.\n"}
    ),
}
"""By factor and value.

The defaults are those of `paired_searches.REFERENCES`: 100 numbers in each of the layers 15-29 (500 of the input,
"soft"), a population of 20, csa, full, gaussian, best, an instruction.
"""


def run(*, quick: bool) -> dict[str, object]:
    """Points gained by each value of each factor; `quick`: one task and seed, 12 evaluations, a value or two."""
    made = searched_all(FACTORS, evaluations=EVALUATIONS, quick=quick, kept_under="ablation ")
    rows = compared(FACTORS, made["searches"])
    factors = [{"factor": FACTORS[name].of, "value": name.partition(": ")[2], **row} for name, row in rows.items()]
    return {"factors": factors, **made}
