"""The figures that matter most, in words: the table of the project's README, made from the kept results."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from statistics import mean
from typing import Any

from benchmarks.page.results import Kept

Figures = Mapping[str, Any]


@dataclass(frozen=True)
class Headline:
    """A row: the benchmark that it is from, what was measured, and what came out."""

    name: str
    what: str
    said: Callable[[Figures], str]


def headline_table(results: Mapping[str, Kept]) -> str:
    """The rows whose benchmark has a kept result, each with the command that makes it."""
    rows = [
        f"| {one.what} | {one.said(results[one.name].figures)} | `python -m benchmarks {one.name}` |"
        for one in HEADLINES
        if one.name in results
    ]
    return "\n".join(["| what | figure | command |", "|---|---|---|", *rows])


def _demo(figures: Figures) -> str:
    before, after = figures["before"], figures["after"]
    return (
        f"{before['value']:.1%} -> {after['value']:.1%} ({after['low']:.1%} to {after['high']:.1%}) "
        f"in {figures['seconds'] / 60:.1f} minutes"
    )


def _sst2(figures: Figures) -> str:
    before, after = (mean(seed[key] for seed in figures["seeds"]) for key in ("before", "after"))
    each = ", ".join(f"{seed['gain']:.1f}" for seed in figures["seeds"])
    return f"{before:.1%} -> {after:.1%}, {figures['mean_gain_points']:+.1f} points ({each})"


def _few_shot(figures: Figures) -> str:
    """Each task's mean over its seeds by method, the means over the tasks, and the paired differences."""
    methods, parts = figures["methods"], figures["parts"]
    told = []
    for task in dict.fromkeys(part["task"] for part in parts):
        seeds = ", ".join(str(seed) for seed in dict.fromkeys(part["seed"] for part in parts if part["task"] == task))
        scores = ", ".join(f"{row['method']} {row['tasks'][task]:.1f}" for row in methods if task in row["tasks"])
        told.append(f"{task} ({seeds}) {scores}")
    means = "mean " + ", ".join(f"{row['method']} {row['mean']:.1f}" for row in methods)
    pairs = [(f"{row['first']} less {row['second']}", row["points"], row["over_splits"]) for row in figures["pairs"]]
    return "; ".join([*told, means, *(_difference(what, points, span) for what, points, span in pairs)])


def _text_peers(figures: Figures) -> str:
    means = ", ".join(f"{name} {100 * tasks['mean']:.1f}" for name, tasks in figures["means"].items())
    pairs = [
        _difference(f"less {other}", one["mean_points"], None if one["low"] is None else (one["low"], one["high"]))
        for other, one in figures["against"].items()
    ]
    return "; ".join([means, *pairs])


def _difference(what: str, points: float, span: Sequence[float] | None) -> str:
    """A paired difference in points with its 95% interval."""
    return f"{what} {points:+.1f}" + (f" ({span[0]:+.1f} to {span[1]:+.1f})" if span else "")


def _sweep(figures: Figures) -> str:
    return "; ".join(
        f"{name} {each['published_evaluation_s']:.1f} s -> {each['evaluation_s']:.1f} s an evaluation, "
        f"{each['ratio']:.1f} times less"
        for name, each in figures.items()
    )


def _faults(figures: Figures) -> str:
    same = "the unbroken run's result each time" if figures["all_results_the_same"] else "not all the same result"
    passed = "no limit passed" if figures["no_limit_passed"] else "a limit was passed"
    return (
        f"{figures['kills']} kills: {same}; {figures['paid_twice_a_kill']:.1f} answers a kill paid twice, "
        f"{'never' if figures['never_more_than_in_flight'] else 'sometimes'} more than were in flight; "
        f"{passed} in {figures['runs_with_limits']} runs"
    )


def _run_kills(figures: Figures) -> str:
    return f"{figures['kills']} kills: {figures['as_unbroken']} of {figures['chains']} runs end as the unbroken one"


def _text_search(figures: Figures) -> str:
    """Each task's mean over its seeds, and the search less random search over all of them."""
    told = []
    for task in dict.fromkeys(one["task"] for one in figures["searches"]):
        own = [one for one in figures["searches"] if one["task"] == task]
        means = (mean(one[method]["test"] for one in own) for method in ("start", "random-search", "categorical"))
        seeds = ", ".join(str(one["seed"]) for one in own)
        told.append(f"{task} ({seeds}) " + ", ".join(f"{value:.1%}" for value in means))
    against = figures["categorical"]["against_random-search"]
    span = None if against["low"] is None else (against["low"], against["high"])
    return "; ".join([*told, _difference("`categorical` less random search", against["mean_points"], span)])


HEADLINES = (
    Headline("demo", "customer feedback, 240 unseen rows, 300 evaluations, float32 (`make demo`)", _demo),
    Headline("sst2", "SST-2, 16 shots a class, 500 test rows, 900 evaluations, mean of three splits (each)", _sst2),
    Headline(
        "few-shot",
        "16 shots a class (seeds), SmolLM2-135M, 900 evaluations, test score, %, differences by split",
        _few_shot,
    ),
    Headline(
        "text-peers",
        "text prompts at equal, limited calls, mean test score over the tasks, %; `categorical` less each",
        _text_peers,
    ),
    Headline(
        "text-search",
        "text prompts of a model behind an endpoint, 1,500 calls (seeds): start, random search, `categorical`",
        _text_search,
    ),
    Headline("sweep", "a BBTv2 sweep over all layers against one candidate at a time, one core, float32", _sweep),
    Headline("run-kills", "local runs, `kill -9` at random moments, then `resume`", _run_kills),
    Headline(
        "faults", "runs at an endpoint that fails one call in ten, `kill -9` at random moments, then `resume`", _faults
    ),
)
"""In the order of the README."""
