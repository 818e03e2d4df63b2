"""A run of a task with targets from end to end, on FakeBackend, whose optimum is known."""

import math
from pathlib import Path

import pytest

from blackbox import MeanLoss, Result, resume, tune
from blackbox.backends import FakeBackend
from tests.blackbox.runs import outcome
from tests.blackbox.small import QUICK, facts, make_target_rows, make_target_task

START = 4.0 * (1 - math.exp(-(1.2**2)))  # the fake backend's loss of the prompt "ab": q = exp(-1.44), margin 4


@pytest.fixture(scope="module")
def result(tmp_path_factory: pytest.TempPathFactory) -> Result:
    """A search with room to come near the optimum."""
    return tune(make_target_task(), **{**QUICK, "evaluations": 600, "population": 6})


def test_it_comes_near_the_known_optimum(result: Result) -> None:
    optimum = FakeBackend().optimum_loss(1)
    assert result.history[0].loss == pytest.approx(START)
    assert result.summary.train_loss is not None
    assert optimum <= result.summary.train_loss < optimum + 0.01


def test_losses_on_the_test_rows_are_told_before_and_after_and_no_metric_is(result: Result) -> None:
    summary = result.summary
    assert summary.test_loss_before == pytest.approx(START)
    assert summary.test_loss_after == result.history[-1].loss
    assert summary.test_loss_after < 0.01
    assert (summary.dev, summary.test_before, summary.test_after) == (None, None, None)
    assert all(found.measured is None for found in result.history)


def test_the_lowest_dev_loss_is_selected(result: Result) -> None:
    looks = [found for found in result.history if found.split == "dev"]
    assert len(looks) > 2
    assert result.history[-1].candidate == min(looks, key=lambda found: found.loss).candidate
    assert result.summary.dev_loss == min(found.loss for found in looks)


def test_a_target_of_the_search_is_a_loss_on_the_dev_rows() -> None:
    found = tune(make_target_task(), **{**QUICK, "evaluations": 600, "target": 1.25})
    looks = [evaluation.loss for evaluation in found.history if evaluation.split == "dev"]
    assert found.summary.stop_reason == "target"
    assert looks[-1] <= 1.25 < min(looks[:-1])


def test_without_dev_rows_the_target_counts_on_the_training_rows() -> None:
    found = tune(make_target_task(dev=0), **{**QUICK, "evaluations": 600, "target": 1.25})
    assert found.summary.stop_reason == "target"
    assert found.summary.train_loss is not None
    assert found.summary.train_loss <= 1.25


def test_its_rows_can_be_evaluated(result: Result) -> None:
    figure = result.predictor.evaluate(make_target_rows(5, first=500))
    assert figure == MeanLoss(pytest.approx(result.summary.test_loss_after), rows=5)


def test_a_run_that_was_cut_off_ends_as_the_unbroken_run(tmp_path: Path) -> None:
    whole = tune(make_target_task(), **{**QUICK, "folder": tmp_path / "run"})
    before = outcome(tmp_path / "run")
    journal = tmp_path / "run" / "evaluations.jsonl"
    journal.write_bytes(journal.read_bytes()[:5000])
    (tmp_path / "run" / "checkpoint.json").unlink()
    assert facts(resume(tmp_path / "run").history) == facts(whole.history)
    assert outcome(tmp_path / "run") == before
