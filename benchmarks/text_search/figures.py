"""What the searches say of themselves, and their comparisons."""

from collections.abc import Sequence
from statistics import mean, median
from typing import Any

import numpy as np

from blackbox import Result
from blackbox.backends import MeteredBackend
from blackbox.callbacks import Callback, Progress
from blackbox.evaluation import Evaluation
from blackbox.paired import t_interval
from blackbox.selection import Choice, Selection

START, BASELINE, SEARCH, PLAIN = "start", "random-search", "categorical", "categorical without races"
LEFT = 0.9  # a start with a higher score leaves less than 10 points
NEAR = 0.95  # of the final dev score


class Meter(Callback):
    """Notes the requests that were sent up to each evaluation."""

    def __init__(self, backend: MeteredBackend) -> None:
        self._backend = backend
        self.requests: list[int] = []

    def on_evaluations(self, evaluations: Sequence[Evaluation], progress: Progress) -> None:
        self.requests.extend([self._backend.spent.requests] * len(evaluations))


def took(result: Result, requests: Sequence[int]) -> dict[str, Any]:
    """What a search says of itself; `requests` were sent up to each evaluation."""
    summary = result.summary
    return {
        "dev": summary.dev_figure and summary.dev_figure.value,
        "requests": summary.requests,
        "evaluations": summary.evaluations,
        "seconds": summary.seconds,
        "saved_by_racing": summary.saved,
        "curve": _curve(result, requests),
        "prompt": result.saved.text,
    }


def _curve(result: Result, requests: Sequence[int]) -> list[tuple[int, float]]:
    """The calls after which another prompt was selected, with its dev score."""
    selection, points = Selection(), list[tuple[int, float]]()
    for calls, evaluation in zip(requests, result.history, strict=True):
        before, choice = selection.dev, Choice(np.empty(0), evaluation)
        if evaluation.split == "train":
            selection.consider_train(choice)
        elif evaluation.split == "dev":
            selection.consider_dev(choice)
        if selection.dev is not before and evaluation.figure:
            points.append((calls, evaluation.figure.value))
    return points


def gains(found: list[dict[str, Any]], method: str) -> dict[str, object]:
    """A method against the start and the baseline over all tasks and seeds, in points, with 95% intervals."""
    against: dict[str, object] = {}
    for other in (START, BASELINE):
        both = [one for one in found if method in one and other in one]
        each = [one for one in both if other != START or one[START]["test"] <= LEFT]
        if other == method or not each:
            continue
        points = [100 * (one[method]["test"] - one[other]["test"]) for one in each]
        low, high = t_interval(np.array(points)) if len(points) > 1 else (None, None)
        tasks = {
            name: mean(point for point, one in zip(points, each, strict=True) if one["task"] == name)
            for name in dict.fromkeys(one["task"] for one in each)
        }
        against[f"against_{other}"] = {"mean_points": mean(points), "low": low, "high": high, "tasks": tasks}
        interval = "" if low is None else f" ({low:+.1f} to {high:+.1f})"
        print(f"{method} against {other}: {mean(points):+.1f} points{interval}; {tasks}", flush=True)
    return against


def savings(found: list[dict[str, Any]]) -> dict[str, object]:
    """Calls to 95% of the dev score that the search without races ends with, with races and without."""
    pairs = []
    for one in found:
        if PLAIN not in one:
            continue
        goal = NEAR * one[PLAIN]["dev"]
        racing, plain = (_reached(one[method], goal) for method in (SEARCH, PLAIN))
        pairs.append({"task": one["task"], "seed": one["seed"], "racing": racing, "plain": plain})
    met = [pair["racing"] / pair["plain"] for pair in pairs if pair["racing"] is not None]
    # a search with races that never comes there counts as slower than any
    share = median([*met, *[float("inf")] * (len(pairs) - len(met))]) if pairs else None
    print(f"calls to 95% of the dev score, with races against without: {share}, of {len(pairs)}", flush=True)
    return {"median_share": share, "missed": len(pairs) - len(met), "searches": pairs}


def _reached(figures: dict[str, Any], goal: float) -> int | None:
    """The calls after which the selected prompt has a dev score."""
    return next((calls for calls, dev in figures["curve"] if dev >= goal), None)
