"""Searches that differ in one thing, on the same tasks and seeds, and what that one thing is worth.

All searches have the same number of evaluations, the published 16-shot splits and templates, and start from the same
text where the start is not the thing. A difference is one of test scores, paired by task and seed.
"""

import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from statistics import mean, median
from typing import Any

import numpy as np

from benchmarks.kept import once
from benchmarks.peak import peak_mb, reset_peak
from benchmarks.published import published_task
from benchmarks.seeds import seeds_of
from blackbox import Result, tune
from blackbox.paired import t_interval
from blackbox.report.improvements import find_improvements

DTYPE = "bfloat16"
TASKS, SEEDS, TEST_ROWS = ("sst2", "trec"), (13, 21, 42), 300
QUICK, QUICK_POPULATION, QUICK_TEST_ROWS = 12, 5, 50
NEAR = 0.95  # of the final dev score
PROMPTS = {
    "sst2": "Classify the following movie review as positive or negative sentiment. ",
    "trec": "Say what kind of answer the following question asks for. ",
}
"""The text that searches start from, by task."""

_LOCAL: Mapping[str, Any] = {"model": "smollm2-135m", "dtype": DTYPE, "threads": 1, "alpha": 1.0}
REFERENCES: Mapping[str, Mapping[str, Any]] = {
    "deep": {**_LOCAL, "space": "deep", "layers": "15-29", "dimension": 100, "optimizer": "blockwise:cma-es"},
    "soft": {**_LOCAL, "space": "soft", "dimension": 500, "optimizer": "cma-es"},
}
"""What variants are compared with: BBTv2 (arXiv 2205.11200) on the upper half of the layers; BBT (arXiv 2201.03514)."""


@dataclass(frozen=True)
class Variant:
    """A search that differs from a reference in one thing.

    Attributes:
        of: the paper that the thing is from, or the factor that it is a value of.
        settings: in the place of the reference's; None takes one away.
        against: the reference.
        task: terms of the task in the place of its own.
        templates: further templates by task.
        bank: starts from what the same search has found on the other task.
        quick: is part of a quick look.
    """

    of: str
    settings: Mapping[str, Any]
    against: str = "deep"
    task: Mapping[str, Any] = field(default_factory=dict)
    templates: Mapping[str, Sequence[str]] = field(default_factory=dict)
    bank: bool = False
    quick: bool = False


Found = dict[str, list[dict[str, Any]]]


def searched_all(
    variants: Mapping[str, Variant], *, evaluations: int, quick: bool, kept_under: str = ""
) -> dict[str, Any]:
    """The searches of the references and variants, by name, and what they have in common.

    `quick`: one task and seed, 12 evaluations, the variants that are part of it. Ctrl-C ends it with what is done.
    Parts are kept under their names behind `kept_under`.
    """
    tasks, seeds = (TASKS[:1], SEEDS[:1]) if quick else (TASKS, seeds_of(SEEDS))
    evaluations = QUICK if quick else evaluations
    chosen = {name: one for name, one in variants.items() if one.quick or not quick}
    found: Found = {}
    try:
        for name, variant in {**_references(chosen), **chosen}.items():
            found[name] = []
            for task in tasks:
                for seed in seeds:
                    made = searched(f"{kept_under}{name}", variant, task=task, seed=seed, evaluations=evaluations)
                    found[name].append(made)
    except KeyboardInterrupt:
        print("stopped: the figures of what is done", flush=True)
    return {"evaluations": evaluations, "tasks": list(tasks), "seeds": list(seeds), "dtype": DTYPE, "searches": found}


def _references(variants: Mapping[str, Variant]) -> dict[str, Variant]:
    """What the variants are compared with."""
    named = {variant.against for variant in variants.values()}
    return {name: Variant("", {}, name) for name in REFERENCES if name in named}


def searched(name: str, variant: Variant, *, task: str, seed: int, evaluations: int) -> dict[str, Any]:
    """What one search has found; from the kept ones where it is there."""

    def make() -> dict[str, Any]:
        figures = _searched(variant, task, seed, evaluations)
        print(name, {key: value for key, value in figures.items() if key != "curve"}, flush=True)
        return figures

    return once(f"{name} {task} {seed} {evaluations}", make)


def _searched(variant: Variant, task: str, seed: int, evaluations: int) -> dict[str, Any]:
    settings = {**REFERENCES[variant.against], "prompt": PROMPTS[task], "evaluations": evaluations}
    test_rows = TEST_ROWS
    if evaluations == QUICK:
        settings["population"], test_rows = QUICK_POPULATION, QUICK_TEST_ROWS
    terms = {"templates": variant.templates[task]} if variant.templates else {}
    with tempfile.TemporaryDirectory() as folder:
        if variant.bank:
            other = next(one for one in TASKS if one != task)
            tune(
                published_task(other, seed, test_rows=0),
                folder=Path(folder) / other,
                seed=seed,
                **{**settings, "prompt": PROMPTS[other]},
            )
            settings["warm_start"] = [str(Path(folder) / other)]
        reset_peak()
        result = tune(
            published_task(task, seed, test_rows=test_rows, **terms, **variant.task),
            seed=seed,
            **_merged(settings, variant.settings),
        )
    return {"task": task, "seed": seed, **figures_of(result), "peak_mb": peak_mb()}


def _merged(settings: Mapping[str, Any], others: Mapping[str, Any]) -> dict[str, Any]:
    """Settings with others in their place; None takes one away."""
    return {key: value for key, value in {**settings, **others}.items() if value is not None}


def figures_of(result: Result) -> dict[str, Any]:
    """What a search has found and what it cost; `row_passes` are rows read behind a prompt, of all splits."""
    summary = result.summary
    looks = [one for one in find_improvements(result.history) if one.leads and one.dev and one.dev.figure]
    return {
        "before": summary.test_before and summary.test_before.value,
        "test": summary.test_after and summary.test_after.value,
        "dev": summary.dev_figure and summary.dev_figure.value,
        "train_loss": summary.train_loss,
        "evaluations": summary.evaluations,
        "row_passes": summary.requests,
        "seconds": round(summary.seconds, 1),
        "curve": [(one.spent, one.dev.figure.value) for one in looks if one.dev and one.dev.figure],
    }


def reached(curve: Sequence[tuple[int, float]], goal: float) -> int | None:
    """The evaluations after which the selected prompt had a dev score; None where it never had."""
    return next((spent for spent, dev in curve if dev >= goal), None)


def gained(name: str, variant: Variant, found: Mapping[str, Sequence[Mapping[str, Any]]]) -> dict[str, Any] | None:
    """A variant against its reference; None where no pair of searches is done.

    `points` of the test score with their 95% interval; `train_loss` is a difference, `time` a ratio;
    `evaluations_to_95` lead to 95% of the variant's own final dev score (mean), `evaluations_to_reference` to 95% of
    the reference's (median; None where half of the pairs or more never come there).
    """
    reference = {(one["task"], one["seed"]): one for one in found.get(variant.against, ())}
    pairs = [(one, reference[key]) for one in found.get(name, ()) if (key := (one["task"], one["seed"])) in reference]
    if not pairs:
        return None
    points = [100 * (one["test"] - other["test"]) for one, other in pairs]
    low, high = t_interval(np.array(points)) if len(points) > 1 else (None, None)
    own = [spent for one, _ in pairs if (spent := _to_near(one, one)) is not None]
    theirs = median(float("inf") if (spent := _to_near(one, other)) is None else spent for one, other in pairs)
    return {
        "against": variant.against,
        "points": mean(points),
        "low": low,
        "high": high,
        "train_loss": mean(one["train_loss"] - other["train_loss"] for one, other in pairs),
        "evaluations_to_95": mean(own) if own else None,
        "evaluations_to_reference": None if theirs == float("inf") else theirs,
        "time": mean(one["seconds"] for one, _ in pairs) / mean(other["seconds"] for _, other in pairs),
        "pairs": len(pairs),
    }


def _to_near(one: Mapping[str, Any], goal: Mapping[str, Any]) -> int | None:
    """Evaluations of one search to 95% of the final dev score of another, or of itself; None without curves."""
    curve, end = one.get("curve"), goal.get("curve")
    return reached(curve, NEAR * end[-1][1]) if curve and end else None


def told(name: str, row: Mapping[str, Any]) -> str:
    """A row of the table as a line."""
    interval = "" if row["low"] is None else f" ({row['low']:+.1f} to {row['high']:+.1f})"
    return (
        f"{name} against {row['against']}: {row['points']:+.1f} points{interval}, train loss {row['train_loss']:+.3f}, "
        f"{row['time']:.2f} of the time, {row['pairs']} pairs"
    )


def compared(variants: Mapping[str, Variant], found: Found) -> dict[str, dict[str, Any]]:
    """Each variant that has a pair against its reference, printed as a line."""
    rows = {name: row for name, variant in variants.items() if (row := gained(name, variant, found))}
    for name, row in rows.items():
        print(told(name, row), flush=True)
    return rows
