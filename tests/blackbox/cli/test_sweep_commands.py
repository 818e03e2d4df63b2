from collections.abc import Callable
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from benchmarks.faulty import FaultyServer
from blackbox.cli.sweep_display import Pace, SweepDisplay
from blackbox.summary import Summary
from blackbox.sweeps import read_spec
from blackbox.sweeps.plan import PlannedRun
from blackbox.sweeps.records import RunRecord
from blackbox.sweeps.sweep import planned
from tests.blackbox.cli.conftest import Answer
from tests.blackbox.sweeps.asking import KEY, asking_sweep, judging
from tests.blackbox.sweeps.small import small_sweep, write_sweep

Blackbox = Callable[..., Answer]
pytestmark = pytest.mark.usefixtures("without_pictures")


@pytest.fixture
def sweep(tmp_path: Path) -> Path:
    return write_sweep(tmp_path / "mine.toml", small_sweep(tmp_path, seeds=[1], baseline="random"))


def test_a_sweep_makes_a_folder_of_runs_and_says_what_it_found(blackbox: Blackbox, sweep: Path) -> None:
    answer = blackbox("sweep", sweep, "--sweeps", sweep.parent)
    folder = sweep.parent / "small"
    assert (answer.code, answer.err) == (0, "")
    assert "task  test rows: accuracy, %" in answer.out
    assert f"report: {folder / 'report.html'}" in answer.out
    assert (folder / "report.html").exists()
    shown = blackbox("show", folder / "task" / "bbtv2" / "seed1")
    assert "succeeded" in shown.out


def test_a_dry_run_lists_the_runs_with_their_states_and_writes_nothing(blackbox: Blackbox, sweep: Path) -> None:
    answer = blackbox("sweep", sweep, "--sweeps", sweep.parent, "--dry-run")
    assert answer.code == 0
    assert answer.out.count("waiting") == 2
    assert not (sweep.parent / "small").exists()
    assert blackbox("sweep", sweep, "--sweeps", sweep.parent, "--name", "other").code == 0
    again = blackbox("sweep", sweep, "--sweeps", sweep.parent, "--name", "other", "--dry-run")
    assert again.out.count("succeeded") == 2


def test_wrong_input_is_one_line_and_leaves_nothing(blackbox: Blackbox, sweep: Path) -> None:
    sweep.write_text(sweep.read_text().replace("dimension", "dimensio"))
    answer = blackbox("sweep", sweep, "--sweeps", sweep.parent)
    assert (answer.code, answer.out) == (2, "")
    assert answer.err == "error: unknown setting of [settings] 'dimensio'; did you mean 'dimension'?\n"
    assert not (sweep.parent / "small").exists()


def test_a_run_that_fails_is_said_at_once_and_at_the_end(blackbox: Blackbox, sweep: Path) -> None:
    sweep.write_text(sweep.read_text() + "[methods.short]\nevaluations = 3\n")
    answer = blackbox("sweep", sweep, "--sweeps", sweep.parent)
    assert answer.code == 1
    first, last = answer.err.splitlines()
    assert first.startswith("task / short / seed 1 failed: BudgetError: a budget of 3 evaluations")
    assert last == "error: 1 run of 3 failed; the same command tries again"
    assert "0 of 1" in answer.out
    assert blackbox("sweep", sweep, "--sweeps", sweep.parent).code == 1


def test_ctrl_c_says_how_to_go_on(blackbox: Blackbox, sweep: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def stopped(*arguments: object, **named: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("blackbox.sweeps.worker.tune", stopped)
    answer = blackbox("sweep", sweep, "--sweeps", sweep.parent)
    assert answer.code == 130
    assert answer.err.endswith("The same command goes on\n")


@pytest.fixture
def with_a_key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_PROXY", "*")
    monkeypatch.setenv("OPENAI_API_KEY", KEY)


def asking(folder: Path, server: FaultyServer, **changes: Any) -> Path:
    return write_sweep(folder / "mine.toml", asking_sweep(folder, server, seeds=[1, 2, 3], **changes))


@pytest.mark.usefixtures("with_a_key")
def test_the_budget_of_a_sweep_and_what_it_has_cost_are_said(blackbox: Blackbox, tmp_path: Path) -> None:
    with judging() as server:
        path = asking(tmp_path, server, budget={"max_requests": 200, "max_usd": 5.0})
        answer = blackbox("sweep", path, "--sweeps", tmp_path)
    assert (answer.code, answer.err) == (0, "")
    assert (
        "in total: 168 requests of 200, 3.53k prompt tokens, 168 completion tokens, 3.86 USD of 5.00 USD" in answer.out
    )


@pytest.mark.usefixtures("with_a_key")
def test_an_option_replaces_a_limit_and_runs_without_budget_are_said_and_go_on_with_more(
    blackbox: Blackbox, tmp_path: Path
) -> None:
    with judging() as server:
        path = asking(tmp_path, server, budget={"max_requests": 500})
        answer = blackbox("sweep", path, "--sweeps", tmp_path, "--max-requests", 85)
        assert answer.code == 1
        assert "1 run ended with the budget of the sweep (requests)." in answer.out
        assert "1 run not done for lack of budget: the limit of 85 requests of the sweep would be passed" in answer.out
        assert "2 of 3, 1 cut" in answer.out
        said = answer.err.splitlines()[-1]
        assert said == "error: no budget for 1 run of 3; the same command with a larger one goes on"
        lines = (tmp_path / "small" / "sweep.csv").read_text().splitlines()
        assert [line.split(",")[3] for line in lines[1:]] == ["succeeded", "succeeded", "no budget"]
        assert blackbox("sweep", path, "--sweeps", tmp_path).code == 0
        assert server.counts.requests == 85 + 56


@pytest.mark.usefixtures("with_a_key")
def test_a_dry_run_says_what_is_spent_at_most_and_asks_nothing(blackbox: Blackbox, tmp_path: Path) -> None:
    with judging() as server:
        path = asking(tmp_path, server, methods={"all": {"max_requests": 60}}, budget={"max_usd": 2.0})
        answer = blackbox("sweep", path, "--sweeps", tmp_path, "--dry-run", "--seconds", 90)
        assert server.counts.requests == 0
    assert answer.code == 0
    assert answer.out.splitlines()[-1] == (
        "at endpoints, over all runs and sessions, at most: 180 requests, 2.00 USD, 1 min 30 s; no limit of "
        "prompt tokens, completion tokens"
    )


def test_the_budget_has_options_of_its_own(blackbox: Blackbox, sweep: Path) -> None:
    answer = blackbox("sweep", sweep, "--sweeps", sweep.parent, "--max-usd", 3)
    assert answer.code == 2
    assert answer.err.startswith("error: [budget] limits runs that ask endpoints, and none does")


class FixedClock:
    """Goes on when it is told to."""

    def __init__(self) -> None:
        self.now = 100.0

    def monotonic(self) -> float:
        return self.now


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> FixedClock:
    clock = FixedClock()
    monkeypatch.setattr("blackbox.cli.sweep_display.time", clock)
    return clock


@pytest.fixture
def runs(tmp_path: Path) -> list[PlannedRun]:
    """Four runs of 30 evaluations each."""
    return planned(read_spec(small_sweep(tmp_path)), tmp_path / "sweep")


def write_summary(run: PlannedRun, evaluations: int) -> None:
    run.folder.mkdir(parents=True, exist_ok=True)
    (run.folder / "config.json").write_text("{}")
    Summary("running", evaluations=evaluations).write(run.folder / "summary.json")


def test_the_time_left_is_told_from_the_evaluations_of_all_runs_under_way(
    runs: list[PlannedRun], clock: FixedClock
) -> None:
    pace = Pace(runs, 2)
    assert pace.in_words() == "2/6 runs done"
    pace.began(runs[0])
    pace.ended(runs[0])
    pace.began(runs[1])
    write_summary(runs[1], 10)
    clock.now += 40.0  # 40 of 120 evaluations
    assert pace.in_words() == "3/6 runs done, 1 min left"
    assert pace.seconds_left() == 80.0
    assert pace.under_way() == [(runs[1], 10, 30)]


def test_a_run_that_goes_on_counts_what_it_does_now(runs: list[PlannedRun], clock: FixedClock) -> None:
    write_summary(runs[0], 20)
    pace = Pace(runs[:1], 0)
    pace.began(runs[0])
    write_summary(runs[0], 25)
    clock.now += 7.0
    assert pace.seconds_left() == 7.0


def test_runs_that_are_left_out_are_no_longer_waited_for(runs: list[PlannedRun], clock: FixedClock) -> None:
    pace = Pace(runs, 0)
    for run in runs[:2]:
        pace.began(run)
    clock.now += 10.0
    pace.ended(runs[0])
    pace.left_out(runs[1])  # it had begun
    pace.left_out(runs[2])
    assert pace.seconds_left() == 10.0  # one run of 30 evaluations, as the first
    assert pace.under_way() == []


def test_without_a_terminal_a_line_comes_now_and_then_and_a_failure_at_once(
    runs: list[PlannedRun], clock: FixedClock
) -> None:
    console = Console(file=StringIO(), width=80)
    with SweepDisplay(console) as display:
        display.on_start(runs, 0)
        for run, seconds, error in zip(runs, (10.0, 10.0, 30.0, 1.0), (None, "X: y", None, None), strict=True):
            display.on_began(run)
            clock.now += seconds
            display.on_ended(RunRecord(run, Summary("succeeded"), error))
    assert isinstance(console.file, StringIO)
    failed, told = console.file.getvalue().splitlines()
    assert failed == f"{runs[1].name} failed: X: y"
    assert told == f"{runs[2].name}: succeeded; 3/4 runs done, 17 s left"


def test_on_a_terminal_each_run_under_way_has_a_line(runs: list[PlannedRun]) -> None:
    console = Console(file=StringIO(), width=100, force_terminal=True, _environ={"TERM": "xterm"})
    with SweepDisplay(console) as display:
        display.on_start(runs, 0)
        for run, evaluations in zip(runs[:2], (12, 7), strict=True):
            display.on_began(run)
            write_summary(run, evaluations)
        shown = Console(file=StringIO(), width=100)
        shown.print(display._lines())
    assert isinstance(shown.file, StringIO)
    lines = shown.file.getvalue().splitlines()
    assert lines[0].startswith("0/4 runs done")
    assert [line.split()[-1] for line in lines[1:]] == ["12/30", "7/30"]
    assert runs[0].name in lines[1]
