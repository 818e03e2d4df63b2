"""Sweeps whose runs are done by workers of Ray."""

import os
import signal
import threading
import time
from pathlib import Path
from typing import Any

import pytest

from benchmarks.killed_workers import hosts, killing
from blackbox import run_sweep
from blackbox.sweeps.on_ray import RayRuns
from tests.blackbox.sweeps.small import outcomes, small_sweep

pytestmark = [
    pytest.mark.filterwarnings("ignore"),
    pytest.mark.timeout(600),
    pytest.mark.usefixtures("without_pictures"),
]


def test_runs_on_ray_equal_those_of_one_process(cluster: Any, tmp_path: Path) -> None:
    values = small_sweep(tmp_path)
    result = run_sweep(values, folder=tmp_path / "ray", pool=RayRuns(2, address=cluster.address))
    assert not result.failed
    assert outcomes(result) == outcomes(run_sweep(values, folder=tmp_path / "one"))


def test_a_run_whose_worker_is_killed_goes_on_with_another(cluster: Any, tmp_path: Path) -> None:
    values = small_sweep(tmp_path)
    ended = threading.Event()
    killed = []

    def kill_once() -> None:
        while not ended.wait(0.01):
            if any((tmp_path / "ray").glob("*/*/*/evaluations.jsonl")) and (processes := hosts()):
                killed.append(processes[0])
                os.kill(processes[0], signal.SIGKILL)
                return

    thread = threading.Thread(target=kill_once)
    thread.start()
    try:
        result = run_sweep(values, folder=tmp_path / "ray", pool=RayRuns(2, address=cluster.address))
    finally:
        ended.set()
        thread.join()
    assert killed
    assert not result.failed
    assert outcomes(result) == outcomes(run_sweep(values, folder=tmp_path / "one"))


def test_a_run_that_fails_stops_no_other(cluster: Any, tmp_path: Path) -> None:
    values = small_sweep(tmp_path, methods={"short": {"evaluations": 3}, "long": {}})
    result = run_sweep(values, folder=tmp_path / "sweep", pool=RayRuns(2, address=cluster.address))
    assert [record.run.method for record in result.failed] == ["short", "short"]


def test_a_run_that_loses_every_worker_ends_with_an_error(cluster: Any, tmp_path: Path) -> None:
    values = small_sweep(tmp_path, methods={"a": {"evaluations": 100_000, "patience": None}}, seeds=[1])
    with killing(1, least=4.0, most=4.1):
        began = time.monotonic()
        result = run_sweep(values, folder=tmp_path / "sweep", pool=RayRuns(1, address=cluster.address))
    assert time.monotonic() - began > 8
    [record] = result.failed
    assert "its workers were lost" in (record.error or "")
