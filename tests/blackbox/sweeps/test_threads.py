"""Threads of one process that do runs on a real HTTP endpoint."""

import threading
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from benchmarks.faulty import OK, FaultyServer, Plan
from blackbox import run_sweep, tune
from blackbox.backends import FakeBackend
from blackbox.config import Config
from blackbox.files import read_json
from blackbox.registry import BACKENDS
from blackbox.sweeps import SweepResult, Watcher
from blackbox.sweeps.plan import PlannedRun
from tests.blackbox.runs import outcome
from tests.blackbox.sweeps.asking import asking_sweep, judge, judging
from tests.blackbox.sweeps.small import small_sweep

pytestmark = pytest.mark.usefixtures("without_pictures", "with_a_key")

SEEDS = list(range(8))
REFUSED = "429"


def found(result: SweepResult) -> list[Any]:
    """What runs have found, without their costs, whose sums depend on an order."""
    outcomes = [outcome(record.run.folder) for record in result.records]
    return [(one["facts"], one["prompt"], one["summary"]["test_after"]) for one in outcomes]


def errors(result: SweepResult) -> list[str]:
    return [(record.error or "").split(":")[0] for record in result.records]


def test_runs_of_threads_equal_those_that_are_done_one_after_the_other(tmp_path: Path) -> None:
    with judging() as server:
        values = asking_sweep(tmp_path, server, methods={"race": {"racing": "on"}, "all": {"racing": "off"}})
        many = run_sweep(values, folder=tmp_path / "many", workers=4)
        one = run_sweep(values, folder=tmp_path / "one", workers=1)
        assert not many.failed
        assert found(many) == found(one)


def test_runs_of_one_process_keep_to_the_rate_that_an_endpoint_allows_to_all_together(tmp_path: Path) -> None:
    """Counted, not timed: eight runs that each find out the rate for themselves are refused far more often."""
    with judging(seconds=0.03, allowed=6) as server:
        values = asking_sweep(tmp_path, server, seeds=SEEDS)
        values["settings"]["parallel"] = 16
        result = run_sweep(values, folder=tmp_path / "sweep", workers=8)
        assert [record.status for record in result.records] == ["succeeded"] * 8
        together, answered = server.counts.faults[REFUSED], server.counts.answered
    with judging(seconds=0.03, allowed=6) as server:
        settings = {**values["settings"], "racing": "off", "base_url": server.base_url}
        alone = [
            threading.Thread(target=tune, kwargs={**settings, "seed": seed, "folder": tmp_path / str(seed)})
            for seed in SEEDS
        ]
        for thread in alone:
            thread.start()
        for thread in alone:
            thread.join()
        assert server.counts.answered == answered
        assert together < server.counts.faults[REFUSED] / 2


def test_a_run_that_fails_stops_no_other(tmp_path: Path) -> None:
    with judging() as server:
        methods = {"short": {"evaluations": 3}, "all": {"racing": "off"}}
        result = run_sweep(asking_sweep(tmp_path, server, methods=methods), folder=tmp_path / "sweep", workers=4)
    assert [record.run.method for record in result.failed] == ["short", "short"]
    assert set(errors(result)) == {"BudgetError", ""}


def test_a_used_up_quota_ends_the_runs_that_need_it_and_they_go_on_without_paying_twice(tmp_path: Path) -> None:
    with judging() as server:
        server.plan = Plan.of(*[OK] * 70, then="insufficient_quota")
        values = asking_sweep(tmp_path, server, seeds=SEEDS)
        result = run_sweep(values, folder=tmp_path / "sweep", workers=2)
        assert set(errors(result)) <= {"QuotaError", ""}
        assert len(result.failed) >= 6
        assert all("the account's quota is used up" in (record.error or "") for record in result.failed)
        assert server.counts.requests <= 70 + 4  # what was in flight then
        server.plan = Plan()
        again = run_sweep(values, folder=tmp_path / "sweep", workers=2)
        assert not again.failed
        assert server.counts.answered == again.bill.spent.completion_tokens == 8 * 56  # type: ignore[union-attr]


def test_a_key_that_is_refused_is_shown_to_the_endpoint_by_the_first_run_alone(tmp_path: Path) -> None:
    with judging(plan=Plan.of(then="bad key")) as server:
        result = run_sweep(asking_sweep(tmp_path, server, seeds=SEEDS), folder=tmp_path / "sweep", workers=1)
        assert server.counts.requests == 1
    assert errors(result) == ["KeyRefusedError"] * 8
    assert "very-secret" not in (tmp_path / "sweep" / "sweep.csv").read_text()


def test_an_endpoint_that_is_down_ends_runs_with_the_reason(tmp_path: Path) -> None:
    with judging() as server:
        values = asking_sweep(tmp_path, server, seeds=SEEDS[:3])
        server.begin_outage()
    values["settings"]["outage_seconds"] = 0.2
    result = run_sweep(values, folder=tmp_path / "sweep", workers=3)
    assert errors(result) == ["EndpointDownError"] * 3


def test_warnings_of_a_run_stand_in_its_own_log_whichever_thread_they_come_from(tmp_path: Path) -> None:
    def greedy(body: Mapping[str, Any], path: str) -> dict[str, Any]:
        answer = judge(body, path)
        if "dear" in body["messages"][-1]["content"]:
            answer["usage"]["prompt_tokens"] = 10**6  # the ledger warns, in a thread of the backend
        return answer

    prompts = {name: {"prompts": [f"A {name} one. ", f"One more {name} one. "]} for name in ("dear", "cheap")}
    methods = {**prompts, "short": {"max_requests": 30}}
    with FaultyServer(answer=greedy, seconds=0.005) as server:
        result = run_sweep(asking_sweep(tmp_path, server, methods=methods), folder=tmp_path / "sweep", workers=6)
    assert not result.failed
    logs = {path.parent: path.read_text() for path in (tmp_path / "sweep").glob("*/*/*/log.txt")}
    assert {(path.parent.name, path.name) for path in logs} == {
        (method, f"seed{seed}") for method in ("dear", "short") for seed in (1, 2)
    }
    for path, text in logs.items():
        assert ("a call cost more than it may" in text) == (path.parent.name == "dear")
        assert ("the budget is used up" in text) == (path.parent.name == "short")


class StopAtOnce(Watcher):
    """Ctrl-C as soon as so many runs have begun."""

    def __init__(self, runs: int) -> None:
        self.left = runs

    def on_began(self, run: PlannedRun) -> None:
        self.left -= 1
        if not self.left:
            raise KeyboardInterrupt


def test_ctrl_c_stops_all_runs_and_they_go_on_as_if_nothing_had_happened(tmp_path: Path) -> None:
    with judging(seconds=0.02) as server:
        values = asking_sweep(tmp_path, server, seeds=SEEDS[:6])
        with pytest.raises(KeyboardInterrupt):
            run_sweep(values, folder=tmp_path / "sweep", workers=4, watcher=StopAtOnce(4))
        assert not [thread for thread in threading.enumerate() if thread.name.startswith("run ")]
        paid = server.counts.answered
        assert paid < 4 * 56
        statuses = [read_json(path)["status"] for path in (tmp_path / "sweep").glob("*/*/*/summary.json")]
        assert set(statuses) <= {"interrupted"}
        again = run_sweep(values, folder=tmp_path / "sweep", workers=4)
        assert found(again) == found(run_sweep(values, folder=tmp_path / "whole", workers=1))
        assert server.counts.answered == 2 * 6 * 56


def test_runs_with_a_model_in_this_process_are_done_by_one_thread(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    threads: list[str] = []

    def make(config: Config) -> FakeBackend:
        threads.append(threading.current_thread().name)
        return FakeBackend()

    monkeypatch.setitem(BACKENDS._factories, "heavy", make)
    with judging() as server:
        values = small_sweep(tmp_path, seeds=SEEDS[:4], methods={"a": {}})
        values["settings"] |= {
            **{"backend": "heavy", "proposer_backend": "openai", "proposer_model": "some"},
            "proposer_base_url": server.base_url,
        }
        result = run_sweep(values, folder=tmp_path / "sweep", workers=3)
    assert not result.failed
    assert threads == ["run 0"] * 4


def test_runs_that_ask_nothing_are_left_to_the_other_pool(tmp_path: Path) -> None:
    with judging() as server:
        values = asking_sweep(tmp_path, server, methods={"asks": {}, "fake": {"backend": "fake"}}, seeds=[1])
        result = run_sweep(values, folder=tmp_path / "sweep", workers=2)
        assert not result.failed
        assert result.bill is not None
        assert result.bill.spent.requests == server.counts.requests


def test_a_sweep_that_asks_nothing_has_no_bill(tmp_path: Path) -> None:
    result = run_sweep(small_sweep(tmp_path, seeds=[1]), folder=tmp_path / "sweep")
    assert result.bill is None
    assert not (tmp_path / "sweep" / "seconds.json").exists()
