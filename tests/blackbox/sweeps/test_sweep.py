import csv
import json
import math
from pathlib import Path

import numpy as np
import pytest

from blackbox import resume, run_sweep, tune
from blackbox.errors import RunError, SettingError
from blackbox.files import read_json
from blackbox.locks import lock
from blackbox.sweeps import Watcher
from blackbox.sweeps.plan import PlannedRun
from blackbox.sweeps.records import RunRecord
from tests.blackbox.runs import outcome
from tests.blackbox.sweeps.small import outcomes, small_sweep, times, write_sweep

pytestmark = pytest.mark.usefixtures("without_pictures")


class Seen(Watcher):
    """Keeps what it is told."""

    def __init__(self) -> None:
        self.told: list[object] = []

    def on_start(self, runs: list[PlannedRun], ended: int) -> None:  # type: ignore[override]
        self.told.append((len(runs), ended))

    def on_began(self, run: PlannedRun) -> None:
        self.told.append(f"began {run.name}")

    def on_ended(self, record: RunRecord) -> None:
        self.told.append(f"ended {record.run.name}: {record.status}")


class StopAfter(Watcher):
    """Ctrl-C as soon as some runs have ended."""

    def __init__(self, runs: int) -> None:
        self.left = runs

    def on_ended(self, record: RunRecord) -> None:
        self.left -= 1
        if not self.left:
            raise KeyboardInterrupt


def test_a_run_of_a_sweep_is_the_run_that_tune_makes_of_its_settings(tmp_path: Path) -> None:
    values = small_sweep(tmp_path, seeds=[4])
    result = run_sweep(values, folder=tmp_path / "sweep")
    assert [record.run.name for record in result.records] == ["task / random / seed 4", "task / bbtv2 / seed 4"]
    for record in result.records:
        alone = tmp_path / record.run.method
        tune(folder=alone, **{**values["settings"], **values["methods"][record.run.method], "seed": 4})
        assert outcome(record.run.folder) == outcome(alone)
        assert resume(record.run.folder).summary == record.summary


def test_the_same_call_again_repeats_no_run_and_says_the_same(tmp_path: Path) -> None:
    values = small_sweep(tmp_path)
    first, before = run_sweep(values, folder=tmp_path / "sweep"), (tmp_path / "sweep" / "sweep.csv").read_text()
    when, seen = times(first), Seen()
    second = run_sweep(values, folder=tmp_path / "sweep", watcher=seen)
    assert times(second) == when
    assert seen.told == [(0, 4)]
    assert (tmp_path / "sweep" / "sweep.csv").read_text() == before
    assert second.standings == first.standings


def test_a_sweep_that_was_stopped_goes_on_with_what_is_left(tmp_path: Path) -> None:
    values = small_sweep(tmp_path)
    whole = run_sweep(values, folder=tmp_path / "whole")
    with pytest.raises(KeyboardInterrupt):
        run_sweep(values, folder=tmp_path / "sweep", watcher=StopAfter(3))
    lines = list(csv.DictReader((tmp_path / "sweep" / "sweep.csv").read_text().splitlines()))
    assert [line["status"] for line in lines] == ["succeeded", "succeeded", "succeeded", "waiting"]
    seen = Seen()
    result = run_sweep(values, folder=tmp_path / "sweep", watcher=seen)
    last = "task / bbtv2 / seed 2"
    assert seen.told == [(1, 3), f"began {last}", f"ended {last}: succeeded"]
    assert outcomes(result) == outcomes(whole)


def test_a_sweep_may_grow_by_methods_and_seeds(tmp_path: Path) -> None:
    values = small_sweep(tmp_path, seeds=[1])
    run_sweep(values, folder=tmp_path / "sweep")
    seen = Seen()
    more = {**values, "seeds": [1, 2], "methods": {**values["methods"], "cma": {"optimizer": "cma-es"}}}
    assert len(run_sweep(more, folder=tmp_path / "sweep", watcher=seen).records) == 6
    assert seen.told[0] == (4, 2)


def test_a_run_that_fails_stops_no_other_and_is_tried_again(tmp_path: Path) -> None:
    values, home = small_sweep(tmp_path, baseline="random"), tmp_path / "sweep"
    in_the_way = home / "task" / "bbtv2"
    in_the_way.parent.mkdir(parents=True)
    in_the_way.write_text("a file where the folder of a method must be")
    result = run_sweep(values, folder=home)
    assert [record.run.name for record in result.failed] == ["task / bbtv2 / seed 1", "task / bbtv2 / seed 2"]
    assert all(record.error and "bbtv2" in record.error for record in result.failed)
    assert [(line.method, line.runs, line.planned) for line in result.standings] == [("random", 2, 2), ("bbtv2", 0, 2)]
    assert {run["status"] for run in read_json(home / "sweep.json")["runs"]} == {"succeeded", "failed"}  # type: ignore[attr-defined]
    in_the_way.unlink()
    again = run_sweep(values, folder=home)
    assert not again.failed
    assert outcomes(again) == outcomes(run_sweep(values, folder=tmp_path / "whole"))


def test_where_an_error_came_from_stands_beside_the_run_until_it_succeeds(tmp_path: Path) -> None:
    values = small_sweep(tmp_path, seeds=[1], methods={"a": {}})
    values["settings"]["evaluations"] = 3
    result = run_sweep(values, folder=tmp_path / "sweep")
    [record] = result.failed
    assert (record.error or "").startswith("BudgetError: a budget of 3 evaluations ends before")
    text = (record.run.folder / "error.txt").read_text()
    assert text.startswith("Traceback")
    assert "BudgetError" in text
    values["settings"]["evaluations"] = 30
    assert not run_sweep(values, folder=tmp_path / "sweep").failed
    assert not (record.run.folder / "error.txt").exists()


def test_a_damaged_run_is_one_that_fails(tmp_path: Path) -> None:
    values = small_sweep(tmp_path, seeds=[1])
    first = run_sweep(values, folder=tmp_path / "sweep")
    (first.records[0].run.folder / "summary.json").write_text("{")
    second = run_sweep(values, folder=tmp_path / "sweep")
    assert [record.run.name for record in second.failed] == ["task / random / seed 1"]
    assert "summary.json is damaged" in (second.failed[0].error or "")


def test_two_processes_do_not_work_on_one_sweep(tmp_path: Path) -> None:
    (tmp_path / "sweep").mkdir()
    path = tmp_path / "sweep" / "sweep.lock"
    with path.open("ab", buffering=0) as file:
        lock(file, path, what="sweep")
        with pytest.raises(RunError, match="another process is working on this sweep"):
            run_sweep(small_sweep(tmp_path), folder=tmp_path / "sweep")


def test_the_tables_have_each_run_and_the_standings(tmp_path: Path) -> None:
    tasks = {"one": {}, "two": {"prompt": "zz"}}
    result = run_sweep(small_sweep(tmp_path, tasks=tasks, baseline="random"), folder=tmp_path / "sweep")
    lines = list(csv.DictReader((tmp_path / "sweep" / "sweep.csv").read_text().splitlines()))
    values = json.loads((tmp_path / "sweep" / "sweep.json").read_text())
    assert len(lines) == len(values["runs"]) == 8
    for line, run in zip(lines, values["runs"], strict=True):
        summary = read_json(tmp_path / "sweep" / line["folder"] / "summary.json")
        assert float(line["found"]) == run["found"] == summary["test_after"]["value"]  # type: ignore[index]
        assert int(line["evaluations"]) == run["evaluations"] == summary["evaluations"]
    places = [(line["task"], line["method"]) for line in values["standings"]]
    assert places == [(task, method) for task in ("one", "two", None) for method in ("random", "bbtv2")]
    found = {(line["task"], line["method"], line["seed"]): float(line["found"]) for line in lines}
    pairs = [(task, seed) for task in tasks for seed in "12"]
    differences = [found[task, "bbtv2", seed] - found[task, "random", seed] for task, seed in pairs]
    difference = values["standings"][-1]["difference"]
    assert math.isclose(difference["difference"], np.mean(differences), abs_tol=1e-12)
    assert difference["rows"] == 4
    assert result.standings[-1].difference is not None


def test_a_single_seed_has_no_interval_and_json_no_infinity(tmp_path: Path) -> None:
    run_sweep(small_sweep(tmp_path, seeds=[1]), folder=tmp_path / "sweep")

    def refuse(constant: str) -> None:
        raise ValueError(constant)

    values = json.loads((tmp_path / "sweep" / "sweep.json").read_text(), parse_constant=refuse)
    assert values["standings"][0]["found"]["low"] is None


def test_a_file_says_the_same_as_its_keys_and_values(tmp_path: Path) -> None:
    values = small_sweep(tmp_path, seeds=[1], methods={"a": {"grid": {"sigma": [0.5]}}})
    one = run_sweep(write_sweep(tmp_path / "mine.toml", values), folder=tmp_path / "one")
    assert outcomes(one) == outcomes(run_sweep(values, folder=tmp_path / "two"))


def test_workers_are_at_least_one(tmp_path: Path) -> None:
    with pytest.raises(SettingError, match="workers must be at least 1, got 0"):
        run_sweep(small_sweep(tmp_path), folder=tmp_path / "sweep", workers=0)
