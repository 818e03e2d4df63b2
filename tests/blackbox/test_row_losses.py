"""Optimizers that learn from rows are told what each row lost, also by a run that goes on from its journal."""

import json
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import ArrayLike

from blackbox import resume, tune
from blackbox.backends import FakeBackend, TextPrompt
from blackbox.optimizers import CMAES, Enumeration, LearnsFromRows, RandomSearch
from blackbox.spaces import TextsSpace
from tests.blackbox.small import QUICK, make_task

pytestmark = pytest.mark.usefixtures("without_pictures")
SETTINGS = {**QUICK, "evaluations": 30}


class Learning(RandomSearch):
    """Keeps what it is told."""

    def __init__(self, dimension: int = 16) -> None:
        super().__init__(dimension, population_size=4, sigma=1.0, seed=3)
        self.told: list[tuple[np.ndarray, np.ndarray]] = []
        self.losses: list[np.ndarray] = []

    def tell_rows(self, candidates: ArrayLike, row_losses: ArrayLike) -> None:
        self.told.append((np.array(candidates), np.array(row_losses)))

    def tell(self, candidates: ArrayLike, losses: ArrayLike) -> None:
        assert len(self.told) == len(self.losses) + 1
        assert np.array_equal(self.told[-1][0], candidates)
        self.losses.append(np.array(losses))
        super().tell(candidates, losses)


class LearningChoices(Enumeration):
    """Keeps what it is told."""

    def __init__(self) -> None:
        super().__init__((5,))
        self.told: list[np.ndarray] = []

    def tell_rows(self, candidates: ArrayLike, row_losses: ArrayLike) -> None:
        self.told.append(np.array(row_losses))


def test_an_optimizer_learns_from_rows_if_it_says_so() -> None:
    assert isinstance(Learning(), LearnsFromRows)
    assert not isinstance(CMAES(4, seed=1), LearnsFromRows)


def test_it_is_told_the_losses_of_all_rows_just_before_their_mean() -> None:
    optimizer = Learning()
    result = tune(make_task(), **{**SETTINGS, "optimizer": optimizer})
    assert len(optimizer.told) > 2
    for (_, rows), losses in zip(optimizer.told, optimizer.losses, strict=True):
        assert rows.shape == (4, 8)
        assert rows.mean(axis=1) == pytest.approx(losses)
    kept = [found.row_losses for found in result.history if found.split == "train"]
    assert all(row_losses is not None and len(row_losses) == 8 for row_losses in kept)
    assert all(found.row_losses is None for found in result.history if found.split != "train")


def test_rows_that_a_race_did_without_are_not_known() -> None:
    optimizer = LearningChoices()
    space = TextsSpace([TextPrompt(text) for text in ("", "classify", "sentiment", "carefully", "x")])
    tune(make_task(train=60, dev=0, test=0), backend="fake", space=space, optimizer=optimizer, evaluations=9)
    assert np.isnan(optimizer.told[0]).any()
    assert (~np.isnan(optimizer.told[0])).sum(axis=1).min() >= 20


def test_a_resumed_run_is_told_the_same_by_its_journal(tmp_path: Path) -> None:
    whole, again = Learning(), Learning()
    tune(make_task(), **{**SETTINGS, "optimizer": whole, "folder": tmp_path / "run"})
    (tmp_path / "run" / "checkpoint.json").unlink()
    journal = tmp_path / "run" / "evaluations.jsonl"
    journal.write_bytes(journal.read_bytes()[:-200])  # the last lines are asked again
    resume(tmp_path / "run", optimizer=again)
    assert len(again.told) == len(whole.told)
    for one, other in zip(again.told, whole.told, strict=True):
        assert np.array_equal(one[1], other[1], equal_nan=True)


def test_journals_of_other_runs_do_not_hold_the_losses_of_rows(tmp_path: Path) -> None:
    tune(make_task(), **{**SETTINGS, "folder": tmp_path / "run", "backend": FakeBackend()})
    for line in (tmp_path / "run" / "evaluations.jsonl").read_text().splitlines():
        assert json.loads(line).keys().isdisjoint({"row_losses", "shown_rows"})
