"""Real worker processes: the same runs as in one, whatever happens to them."""

import os
import signal
import time
from pathlib import Path

import pytest

from blackbox import run_sweep
from blackbox.files import read_json
from blackbox.sweeps import Event
from blackbox.sweeps.plan import PlannedRun
from blackbox.sweeps.pool import Began, Ended
from blackbox.sweeps.processes import Processes
from tests.blackbox.runs import DEADLINE, finish, spawn
from tests.blackbox.sweeps.small import outcomes, small_sweep, times, write_sweep

pytestmark = pytest.mark.usefixtures("without_pictures")


def wait_for(path: Path, lines: int = 1) -> None:
    end = time.monotonic() + DEADLINE
    while not (path.exists() and path.read_bytes().count(b"\n") >= lines):
        assert time.monotonic() < end
        time.sleep(0.002)


def journals(folder: Path) -> list[Path]:
    return sorted(folder.glob("*/*/*/evaluations.jsonl"))


def statuses(folder: Path) -> list[object]:
    return sorted(str(read_json(path)["status"]) for path in folder.glob("*/*/*/summary.json"))


def test_runs_of_worker_processes_equal_those_of_one_process(tmp_path: Path) -> None:
    values = small_sweep(tmp_path)
    result = run_sweep(values, folder=tmp_path / "two", workers=2)
    assert not result.failed
    assert outcomes(result) == outcomes(run_sweep(values, folder=tmp_path / "one"))


def test_a_run_that_fails_in_a_worker_process_is_told(tmp_path: Path) -> None:
    values = small_sweep(tmp_path, methods={"short": {"evaluations": 3}, "long": {}})
    result = run_sweep(values, folder=tmp_path / "sweep", workers=2)
    assert [record.run.method for record in result.failed] == ["short", "short"]
    assert all((record.error or "").startswith("BudgetError: ") for record in result.failed)


def children(parent: int) -> list[int]:
    """The processes that a process has started and that are alive, by the kernel's account."""
    path = Path(f"/proc/{parent}/task/{parent}/children")
    if not path.exists():
        pytest.skip("this system does not tell the children of a process")
    return [int(word) for word in path.read_text().split()]


def workers(parent: int) -> list[int]:
    """Those among them that do runs."""
    return [child for child in children(parent) if b"spawn_main" in Path(f"/proc/{child}/cmdline").read_bytes()]


def test_a_worker_that_is_killed_costs_its_run_and_no_other(tmp_path: Path) -> None:
    values = small_sweep(tmp_path, seeds=[1, 2, 3], methods={"a": {"evaluations": 400}})
    killed: list[PlannedRun] = []
    errors: dict[str, str | None] = {}

    def tell(event: Event) -> None:
        if isinstance(event, Ended):
            errors[event.run.name] = event.error
        elif not killed:
            killed.append(event.run)
            wait_for(event.run.folder / "evaluations.jsonl", 5)
            [worker] = workers(os.getpid())
            os.kill(worker, signal.SIGKILL)

    class One(Processes):
        """Knows the runs that it is given."""

        def run(self, runs, tell_sweep):  # type: ignore[no-untyped-def]
            def both(event: Event) -> None:
                tell(event)
                tell_sweep(event)

            super().run(runs, both)

    result = run_sweep(values, folder=tmp_path / "sweep", pool=One(1))
    assert [record.run for record in result.failed] == killed
    assert errors.pop(killed[0].name) == "the worker process ended (killed by signal 9); out of memory?"
    assert set(errors.values()) == {None}
    again = run_sweep(values, folder=tmp_path / "sweep")
    assert outcomes(again) == outcomes(run_sweep(values, folder=tmp_path / "whole"))


def test_every_run_is_told_when_it_begins_and_when_it_ends(tmp_path: Path) -> None:
    told: list[Event] = []
    runs = [
        PlannedRun("t", "m", seed, tmp_path / str(seed), {"evaluations": 1, "backend": "fake", "seed": seed})
        for seed in range(4)
    ]
    Processes(2).run(runs, told.append)
    assert [event.run for event in told if isinstance(event, Began)] == runs
    assert sorted(event.run.seed for event in told if isinstance(event, Ended)) == [0, 1, 2, 3]
    assert {event.error for event in told if isinstance(event, Ended)} == {
        "DataError: no training rows: set `train` to a .jsonl or .csv file"
    }
    Processes(2).run([], told.append)
    assert len(told) == 8


@pytest.fixture
def long_sweep(tmp_path: Path) -> Path:
    """Six runs, each long enough to be met on its way."""
    values = small_sweep(tmp_path, seeds=[1, 2, 3], workers=2)
    values["settings"]["evaluations"] = 200
    return write_sweep(tmp_path / "mine.toml", values)


def test_a_sweep_that_was_killed_goes_on_and_ends_as_the_unbroken_one(long_sweep: Path) -> None:
    folder = long_sweep.parent / "small"
    command = ("sweep", long_sweep, "--sweeps", long_sweep.parent)
    process = spawn(*command)
    wait_for(folder / "sweep.csv")  # a run has ended: two others are on their way
    began = time.monotonic()
    while len(journals(folder)) < 3 and time.monotonic() < began + DEADLINE:
        time.sleep(0.002)
    orphans = workers(process.pid)
    assert len(orphans) == 2
    process.kill()
    process.communicate()
    done = {
        path.parent for path in journals(folder) if read_json(path.parent / "summary.json")["status"] == "succeeded"
    }
    assert 0 < len(done) < 6
    when = {path: (path / "evaluations.jsonl").stat().st_mtime_ns for path in done}
    assert finish(spawn(*command))[0] == 0
    assert not [orphan for orphan in orphans if Path(f"/proc/{orphan}").exists()]
    assert {path: (path / "evaluations.jsonl").stat().st_mtime_ns for path in done} == when
    again = run_sweep(long_sweep, folder=folder, workers=1)
    assert outcomes(again) == outcomes(run_sweep(long_sweep, folder=long_sweep.parent / "whole", workers=1))
    assert len(times(again)) == 6


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_sweep_that_is_told_to_stop_stops_its_runs_and_goes_on_later(
    long_sweep: Path, number: signal.Signals
) -> None:
    folder = long_sweep.parent / "small"
    command = ("sweep", long_sweep, "--sweeps", long_sweep.parent)
    process = spawn(*command)
    wait_for(folder / "task" / "random" / "seed1" / "evaluations.jsonl", 20)
    wait_for(folder / "task" / "bbtv2" / "seed1" / "evaluations.jsonl", 20)
    under_way = workers(process.pid)
    process.send_signal(number)
    code, said = finish(process)
    assert code == 130
    assert not [worker for worker in under_way if Path(f"/proc/{worker}").exists()]
    assert said == f"stopped; what has ended is in {folder / 'sweep.csv'}. The same command goes on\n"
    assert "interrupted" in statuses(folder)  # the other may have come as far as its report
    assert finish(spawn(*command))[0] == 0
    assert statuses(folder) == ["succeeded"] * 6
