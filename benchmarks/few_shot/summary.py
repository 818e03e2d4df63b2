"""Figures over tasks and seeds."""

from collections.abc import Mapping, Sequence
from statistics import mean
from typing import Any

import numpy as np

from benchmarks.few_shot.table import PUBLISHED
from blackbox.paired import t_interval

Part = Mapping[str, Any]
COSTS = ("forward_rows", "backward_rows", "seconds", "cpu_seconds", "peak_memory_mb", "tunable")


def score(part: Part) -> float:
    """The task's own metric on the test rows, per cent."""
    return 100 * float(part[part["metric"]]["value"])


def by_method(parts: Sequence[Part]) -> list[dict[str, Any]]:
    """Each method's mean over the seeds of each task, the mean over the tasks, and its mean cost of a fit.

    The mean is over the tasks that all methods have, if there are any, or else over the method's own.
    """
    rows = []
    methods = dict.fromkeys(part["method"] for part in parts)
    measured = {(part["method"], part["task"]) for part in parts}
    shared = {task for _, task in measured if all((method, task) in measured for method in methods)}
    for method in methods:
        own = [part for part in parts if part["method"] == method]
        tasks = task_means(own)
        rows.append(
            {
                "method": method,
                "mean": mean(score for task, score in tasks.items() if task in (shared or tasks)),
                "tasks": tasks,
                "parts": len(own),
                **{cost: mean(part[cost] for part in own) for cost in COSTS},
                "published": PUBLISHED.get(method, {}),
            }
        )
    return rows


def task_means(parts: Sequence[Part]) -> dict[str, float]:
    """Task -> mean score over its seeds, per cent."""
    tasks = dict.fromkeys(part["task"] for part in parts)
    return {task: mean(score(part) for part in parts if part["task"] == task) for task in tasks}


def paired(parts: Sequence[Part], first: str, second: str) -> dict[str, Any] | None:
    """First less second in points, where both were measured; None where they were not on any split.

    Two 95% intervals: over tasks, each the mean of its seeds (tasks in general), and over splits (these tasks).
    """
    found = {(part["method"], part["task"], part["seed"]): score(part) for part in parts}
    splits = [(task, seed) for method, task, seed in found if method == first and (second, task, seed) in found]
    if not splits:
        return None
    points = [found[first, *split] - found[second, *split] for split in splits]
    tasks = dict.fromkeys(task for task, _ in splits)
    of_tasks = {
        task: mean(point for point, split in zip(points, splits, strict=True) if split[0] == task) for task in tasks
    }
    return {
        "first": first,
        "second": second,
        "points": mean(of_tasks.values()),
        "tasks": of_tasks,
        "over_tasks": interval(list(of_tasks.values())),
        "over_splits": interval(points),
        "splits": len(splits),
    }


def interval(values: Sequence[float]) -> list[float] | None:
    """Student's 95% interval of the mean; None for a single value, which shows no spread."""
    return list(t_interval(np.array(values))) if len(values) > 1 else None


def memory_shares(rows: Sequence[Mapping[str, Any]], first: str, others: Sequence[str]) -> dict[str, float]:
    """Peak memory beyond the weights of a method as a share of that of others."""
    peaks = {row["method"]: row["peak_memory_mb"] for row in rows}
    return {other: peaks[first] / peaks[other] for other in others if first in peaks and peaks.get(other)}


def table(rows: Sequence[Mapping[str, Any]], tasks: Sequence[str]) -> list[str]:
    """The methods as lines."""
    head = f"{'method':15}" + "".join(f"{task:>11}" for task in tasks) + f"{'mean':>8}"
    lines = [f"{head}{'forward':>11}{'backward':>10}{'CPU s':>9}{'peak MB':>9}{'tunable':>12}"]
    for row in rows:
        own = "".join(f"{row['tasks'][task]:>11.1f}" if task in row["tasks"] else f"{'-':>11}" for task in tasks)
        costs = f"{row['forward_rows']:>11,.0f}{row['backward_rows']:>10,.0f}{row['cpu_seconds']:>9.0f}"
        lines.append(
            f"{row['method']:15}{own}{row['mean']:>8.1f}{costs}{row['peak_memory_mb']:>9.0f}{row['tunable']:>12,.0f}"
        )
    return lines


def told(pair: Mapping[str, Any]) -> str:
    """A pair as a line."""
    spans = [
        f"{low:+.1f} to {high:+.1f} over {what}"
        for what, span in (("tasks", pair["over_tasks"]), (f"{pair['splits']} splits", pair["over_splits"]))
        if span is not None
        for low, high in [span]
    ]
    return f"{pair['first']} less {pair['second']}: {pair['points']:+.1f} points" + (
        f" ({'; '.join(spans)})" if spans else ""
    )
