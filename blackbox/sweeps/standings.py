"""What a sweep says: for each task and over all of them, how good each method is, how sure that is, and its cost.

The interval of a mean is Student's over seeds; over all tasks it is that of the seeds' means over tasks. A method is
compared with the baseline over the pairs of runs of the same task and seed.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from blackbox.figures import Figure
from blackbox.paired import Comparison, compare_means, t_interval
from blackbox.summary import Summary
from blackbox.sweeps.records import RunRecord

Place = tuple[str, int]
"""A task and a seed."""


@dataclass(frozen=True)
class Mean:
    """Of some values, with its 95% interval, that of shares cut to shares; without ends for a single value.

    `count` is how many there are.
    """

    value: float
    low: float
    high: float
    count: int


@dataclass(frozen=True)
class Cost:
    """What a run has cost on the average."""

    evaluations: float
    requests: float
    tokens: float
    usd: float
    seconds: float


@dataclass(frozen=True)
class Standing:
    """A method on a task.

    Attributes:
        task: None stands for all tasks together.
        method: by its name.
        runs: that have succeeded.
        planned: that there are.
        kind: a figure of the kind that the values are of, for its name and unit; None where there is none, and for all
            tasks together where their metrics differ.
        start, found: of the starting prompt and the one that was found, on the test rows.
        difference: found, less the baseline's; None for the baseline itself, and where no pair of runs has succeeded.
        cost: of a run; None where none has succeeded.
        cut: runs among those that have succeeded whose search the budget of the sweep has ended.
    """

    task: str | None
    method: str
    runs: int
    planned: int
    kind: Figure | None
    start: Mean | None
    found: Mean | None
    difference: Comparison | None
    cost: Cost | None
    cut: int = 0


def standings(records: Sequence[RunRecord], *, baseline: str | None) -> list[Standing]:
    """By task, then by method; last those over all tasks, where there are several.

    Args:
        records: of all runs of the sweep.
        baseline: the method that the others are compared with.
    """
    tasks = list(dict.fromkeys(record.run.task for record in records))
    of_tasks = [[record for record in records if record.run.task == task] for task in tasks]
    found = [line for task, own in zip(tasks, of_tasks, strict=True) for line in _lines(task, own, baseline)]
    return [*found, *_lines(None, records, baseline)] if len(tasks) > 1 else found


def _lines(task: str | None, records: Sequence[RunRecord], baseline: str | None) -> list[Standing]:
    methods = list(dict.fromkeys(record.run.method for record in records))
    kinds = {record.found.metric: record.found for record in records if record.found}
    kind = next(iter(kinds.values())) if len(kinds) == 1 else None
    runs = {method: [record for record in records if record.run.method == method] for method in methods}
    compared = _values(runs.get(baseline or "", []), "found") if kind else {}
    return [
        _standing(task, method, own, kind, against=compared if method != baseline else {})
        for method, own in runs.items()
    ]


def _standing(
    task: str | None, method: str, records: Sequence[RunRecord], kind: Figure | None, *, against: Mapping[Place, float]
) -> Standing:
    ended = [record for record in records if record.succeeded]
    found = _values(records, "found") if kind else {}
    pairs = [place for place in found if place in against]
    tasks = sorted({record.run.task for record in records})
    return Standing(
        task,
        method,
        len(ended),
        len(records),
        kind,
        _mean(_values(records, "start") if kind else {}, tasks, kind),
        _mean(found, tasks, kind),
        compare_means([found[place] for place in pairs], [against[place] for place in pairs]) if pairs else None,
        _cost([record.summary for record in ended if record.summary]),
        sum(record.cut is not None for record in ended),
    )


def _values(records: Sequence[RunRecord], which: str) -> dict[Place, float]:
    figures = {(record.run.task, record.run.seed): getattr(record, which) for record in records}
    return {place: figure.value for place, figure in figures.items() if figure}


def _mean(values: Mapping[Place, float], tasks: Sequence[str], kind: Figure | None) -> Mean | None:
    """Of the seeds' means over the tasks; of seeds that all tasks have."""
    seeds = sorted({seed for _, seed in values})
    whole = [[values[task, seed] for task in tasks] for seed in seeds if all((task, seed) in values for task in tasks)]
    if not whole:
        return None
    of_seeds = np.array(whole, dtype=np.float64).mean(axis=1)
    low, high = t_interval(of_seeds)
    if kind and kind.unit == "%" and len(of_seeds) > 1:
        low, high = max(low, 0.0), min(high, 1.0)
    return Mean(float(of_seeds.mean()), low, high, len(of_seeds))


def _cost(summaries: Sequence[Summary]) -> Cost | None:
    if not summaries:
        return None
    spent = [(s.evaluations, s.requests, s.prompt_tokens + s.completion_tokens, s.usd, s.seconds) for s in summaries]
    return Cost(*(float(mean) for mean in np.mean(np.array(spent, dtype=np.float64), axis=0)))
