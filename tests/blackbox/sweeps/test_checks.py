from pathlib import Path
from typing import Any

import pytest

from blackbox import run_sweep
from blackbox.errors import BlackboxError, MismatchError
from blackbox.sweeps import read_spec
from blackbox.sweeps.sweep import planned
from tests.blackbox.sweeps.small import METHODS, small_sweep

pytestmark = pytest.mark.usefixtures("without_pictures")


def refused(folder: Path, values: dict[str, Any]) -> str:
    """The error of a sweep that leaves nothing behind."""
    with pytest.raises(BlackboxError) as caught:
        run_sweep(values, folder=folder / "sweep")
    assert not (folder / "sweep").exists()
    return str(caught.value)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"dimension": 1}, "task / random / seed 1: setting 'dimension': input should be greater than or equal to 2"),
        ({"train": "none.jsonl"}, "none.jsonl: No such file"),
        ({"space": "depe"}, "unknown space 'depe'; did you mean 'deep'?"),
        ({"backend": "fak"}, "unknown backend 'fak'"),
        ({"preset": "bbt3"}, "unknown preset 'bbt3'"),
        ({"elites": 4, "dtype": "bfloat16"}, "elites must be fewer than the 4 candidates"),
        ({"label_words": {"negative": "bad"}}, "at least two labels"),
        ({"space": "texts", "prompts": "none.txt"}, "none.txt"),
    ],
)
def test_settings_and_files_of_every_run_are_checked_before_the_first_begins(
    tmp_path: Path, settings: dict[str, Any], message: str
) -> None:
    values = small_sweep(tmp_path)
    values["settings"] |= settings
    assert message in refused(tmp_path, values)


def test_the_last_run_is_checked_as_well(tmp_path: Path) -> None:
    error = refused(tmp_path, small_sweep(tmp_path, methods={**METHODS, "odd": {"optimizer": "cmaes"}}))
    assert error.startswith("task / odd / seed 1: unknown optimizer 'cmaes'; did you mean 'cma-es'?")


def test_a_task_needs_test_rows(tmp_path: Path) -> None:
    values = small_sweep(tmp_path)
    del values["settings"]["test"]
    assert "no test rows: set `test`" in refused(tmp_path, values)


def test_methods_of_a_task_are_compared_by_one_metric_on_the_same_rows(tmp_path: Path) -> None:
    values = small_sweep(tmp_path, methods={**METHODS, "odd": {"metric": "macro-f1"}})
    assert "task / odd / seed 1 has other metric than task / random / seed 1" in refused(tmp_path, values)
    values = small_sweep(tmp_path, methods={**METHODS, "odd": {"test": str(tmp_path / "dev.jsonl")}})
    assert "task / odd / seed 1 has other test rows than task / random" in refused(tmp_path, values)


def test_two_runs_that_are_the_same_are_refused(tmp_path: Path) -> None:
    values = small_sweep(tmp_path, methods={"a": {}, "b": {"optimizer": "blockwise:cma-es"}})
    assert refused(tmp_path, values).startswith("task / a / seed 1 and task / b / seed 1 are the same run")


def test_two_tasks_whose_budgets_would_be_one_in_a_file_of_answers_are_refused(tmp_path: Path) -> None:
    values = small_sweep(tmp_path, tasks={"t": {}, "u": {"train": str(tmp_path / "dev.jsonl")}})
    values["settings"]["answers"] = str(tmp_path / "answers.sqlite")
    assert "give each task a file of its own: answers" in refused(tmp_path, values)


def test_runs_come_in_an_order_that_loads_each_model_once(tmp_path: Path) -> None:
    tasks = {name: {"model": model, "prompt": name} for name, model in (("t", "x"), ("u", "y"), ("v", "x"))}
    values = small_sweep(tmp_path, tasks=tasks, methods={"a": {}})
    runs = planned(read_spec(values), tmp_path / "sweep")
    assert [(run.settings["model"], run.seed, run.task) for run in runs] == [
        *[("x", seed, task) for seed in (1, 2) for task in "tv"],
        *[("y", seed, "u") for seed in (1, 2)],
    ]


def test_folders_that_hold_runs_with_other_settings_or_rows_are_refused(tmp_path: Path) -> None:
    values = small_sweep(tmp_path, methods={"a": {}}, seeds=[1])
    run_sweep(values, folder=tmp_path / "sweep")
    changed = {**values, "settings": {**values["settings"], "evaluations": 31}}
    with pytest.raises(MismatchError, match="holds a run with evaluations 30, not 31; give the sweep another name"):
        run_sweep(changed, folder=tmp_path / "sweep")
    train = tmp_path / "train.jsonl"
    train.write_text(train.read_text().replace("Day 1 ", "Day one "))
    with pytest.raises(MismatchError, match="holds a run on other rows"):
        run_sweep(values, folder=tmp_path / "sweep")


def test_files_that_have_moved_are_the_same_rows(tmp_path: Path) -> None:
    values = small_sweep(tmp_path, methods={"a": {}}, seeds=[1])
    run_sweep(values, folder=tmp_path / "sweep")
    moved = (tmp_path / "train.jsonl").rename(tmp_path / "moved.jsonl")
    values["settings"]["train"] = str(moved)
    assert not run_sweep(values, folder=tmp_path / "sweep").failed
