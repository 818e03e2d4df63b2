"""Histories of small runs, made by hand, for the tests of the report."""

import math
from collections.abc import Callable, Sequence
from dataclasses import replace

import pytest

from blackbox.backends import Usage
from blackbox.evaluation import Evaluation
from blackbox.metrics import Measured, wilson_interval


def _measured(value: float, rows: int = 32) -> Measured:
    return Measured("accuracy", value, *wilson_interval(value, rows), rows)


def _evaluation(
    split: str,
    loss: float,
    candidate: str,
    *,
    generation: int = 0,
    block: int | None = None,
    share: float = 0.5,
    rows: int = 32,
) -> Evaluation:
    """Of a loss of inf, every row has failed."""
    seen = None if math.isinf(loss) else _measured(share, rows)
    usage = Usage(requests=rows, prompt_tokens=40 * rows, seconds=0.1)
    return Evaluation(0, split, generation, block, candidate, loss, seen, rows, 0 if seen else rows, usage, 0.0)


def _numbered(evaluations: Sequence[Evaluation]) -> tuple[Evaluation, ...]:
    return tuple(replace(found, number=number, elapsed=0.1 * number) for number, found in enumerate(evaluations))


def _small_history(*, dev: bool = True, test: bool = True, blockwise: bool = False) -> tuple[Evaluation, ...]:
    """The start at 0.8; generation 1 falls to 0.6, generation 2 does not, generation 3 falls to 0.5.

    "c" has the lowest training loss and "a" the best dev metric. One prompt of generation 3 has no answer.
    """
    first, second = (0, 1) if blockwise else (None, None)
    found = [
        _evaluation("train", 0.8, "start", block=first),
        _evaluation("dev", 0.82, "start", block=first, share=0.5),
        _evaluation("test", 0.81, "start", block=first, share=0.5, rows=200),
        _evaluation("train", 0.9, "x", generation=1, block=first),
        _evaluation("train", 0.6, "a", generation=1, block=first),
        _evaluation("dev", 0.61, "a", generation=1, block=first, share=0.75),
        _evaluation("train", 0.7, "y", generation=2, block=second),
        _evaluation("train", 0.65, "b", generation=2, block=second),
        _evaluation("train", 0.5, "c", generation=3, block=second),
        _evaluation("train", math.inf, "z", generation=3, block=second),
        _evaluation("dev", 0.7, "c", generation=3, block=second, share=0.6875),
        _evaluation("test", 0.6, "a", generation=3, block=second, share=0.8, rows=200),
    ]
    splits = {"train", *(["dev"] * dev), *(["test"] * test)}
    return _numbered([evaluation for evaluation in found if evaluation.split in splits])


@pytest.fixture
def measured() -> Callable[..., Measured]:
    """(value, rows=32) -> an accuracy with Wilson's interval."""
    return _measured


@pytest.fixture
def evaluation() -> Callable[..., Evaluation]:
    """(split, loss, candidate, ...) -> an evaluation without its number."""
    return _evaluation


@pytest.fixture
def numbered() -> Callable[[Sequence[Evaluation]], tuple[Evaluation, ...]]:
    """Evaluations -> the same as one run's history."""
    return _numbered


@pytest.fixture
def small_history() -> Callable[..., tuple[Evaluation, ...]]:
    """(dev=True, test=True, blockwise=False) -> a run of three generations."""
    return _small_history
