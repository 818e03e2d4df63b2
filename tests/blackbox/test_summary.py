from pathlib import Path

import pytest

from blackbox import Measured, Summary, tune
from blackbox.errors import DamagedFileError, RunError
from blackbox.figures import MeanLoss
from blackbox.files import read_json, write_json
from tests.blackbox.small import QUICK, make_task

KEYS = ["status", "stop_reason", "evaluations", "entries", "requests", "prompt_tokens", "completion_tokens", "usd",
        "seconds", "train_loss", "dev", "test_before", "test_after", "dev_loss", "test_loss_before",
        "test_loss_after", "train_rows", "train_rows_in_full", "row_prompt_tokens", "row_completion_tokens",
        "texts", "refused", "dev_over_templates", "test_over_templates"]  # fmt: skip


def test_it_has_the_documented_keys_and_comes_back(tmp_path: Path) -> None:
    summary = Summary("succeeded", "target", 5, 6, 7, 8, 9, 0.5, 9.5, 0.25, Measured("accuracy", 0.5, 0.1, 0.9, 4))
    summary.write(tmp_path / "summary.json")
    values = read_json(tmp_path / "summary.json")
    assert list(values) == KEYS
    assert values["dev"] == {"metric": "accuracy", "value": 0.5, "low": 0.1, "high": 0.9, "rows": 4}
    assert values["test_after"] is None
    assert Summary.read(tmp_path / "summary.json") == summary


def test_what_is_no_summary_is_refused(tmp_path: Path) -> None:
    with pytest.raises(RunError, match="No such file"):
        Summary.read(tmp_path / "summary.json")
    for values in ({}, {"dev": None}, {"dev": 3, "test_before": None, "test_after": None, "status": "succeeded"}):
        write_json(tmp_path / "summary.json", values)
        with pytest.raises(DamagedFileError, match="no summary of a run"):
            Summary.read(tmp_path / "summary.json")


def test_costs_are_the_sum_over_the_history_and_figures_those_of_the_selected_prompt() -> None:
    result = tune(make_task(train=8, dev=6, test=10), **QUICK)
    summary, history = result.summary, result.history
    assert summary.requests == sum({"train": 8, "dev": 6, "test": 10}[found.split] for found in history)
    assert summary.prompt_tokens == sum(found.usage.prompt_tokens for found in history)
    assert (summary.completion_tokens, summary.usd) == (0, 0.0)
    tests = [found for found in history if found.split == "test"]
    assert [tests[0].measured, tests[-1].measured] == [summary.test_before, summary.test_after]
    chosen = tests[-1].candidate
    assert [found.loss for found in history if (found.split, found.candidate) == ("train", chosen)] == [
        summary.train_loss
    ]
    assert [found.measured for found in history if (found.split, found.candidate) == ("dev", chosen)] == [summary.dev]


def test_what_races_saved_is_the_rows_that_no_training_evaluation_needed(tmp_path: Path) -> None:
    summary = Summary("succeeded", train_rows=1234, train_rows_in_full=3200)
    assert summary.saved == 1 - 1234 / 3200
    assert Summary("running").saved == 0.0
    result = tune(make_task(), **QUICK)
    scored = [evaluation.rows for evaluation in result.history if evaluation.split == "train"]
    assert result.summary.train_rows == result.summary.train_rows_in_full == sum(scored)


def test_losses_are_those_of_the_start_and_the_selected_prompt_on_the_dev_and_test_rows() -> None:
    result = tune(make_task(train=8, dev=6, test=10), **QUICK)
    summary, tests = result.summary, [found for found in result.history if found.split == "test"]
    assert (summary.test_loss_before, summary.test_loss_after) == (tests[0].loss, tests[-1].loss)
    assert [
        found.loss for found in result.history if (found.split, found.candidate) == ("dev", tests[-1].candidate)
    ] == [summary.dev_loss]


def test_the_figures_are_the_metrics_or_the_losses_where_there_are_no_metrics() -> None:
    measured = Measured("accuracy", 0.5, 0.1, 0.9, 4)
    metrics = Summary("succeeded", dev=measured, test_after=measured, dev_loss=0.5, test_loss_before=2.0)
    assert (metrics.dev_figure, metrics.figure_before, metrics.figure_after) == (measured, MeanLoss(2.0), measured)
    losses = Summary("succeeded", dev_loss=1.5, test_loss_before=2.0, test_loss_after=1.25)
    assert [losses.dev_figure, losses.figure_before, losses.figure_after] == [MeanLoss(x) for x in (1.5, 2.0, 1.25)]
    assert Summary("running").figure_after is None


def test_without_dev_and_test_rows_their_figures_are_null() -> None:
    summary = tune(make_task(dev=0, test=0), **QUICK).summary
    assert (summary.dev, summary.test_before, summary.test_after) == (None, None, None)
    assert (summary.dev_loss, summary.test_loss_before, summary.test_loss_after) == (None, None, None)
    assert summary.train_loss is not None
