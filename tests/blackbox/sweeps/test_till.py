"""The budget of a sweep is kept by the server's own count: with threads, faults, kills and over sessions."""

import signal
import time
from pathlib import Path
from typing import Any

import pytest

from benchmarks.faulty import FaultyServer, Plan
from blackbox import run_sweep
from blackbox.errors import DamagedFileError
from blackbox.files import read_json
from blackbox.sweeps import SweepResult
from tests.blackbox.runs import DEADLINE, finish, spawn
from tests.blackbox.sweeps.asking import KEY, PRICES, asking_sweep, judging
from tests.blackbox.sweeps.small import write_sweep

pytestmark = pytest.mark.usefixtures("without_pictures", "with_a_key")

SEEDS = list(range(6))
QUICK: dict[str, Any] = {"call_seconds": 0.5}


def usd(server: FaultyServer) -> float:
    prices = [PRICES[f"usd_per_million_{kind}_tokens"] for kind in ("prompt", "completion")]
    return (server.counts.prompt_tokens * prices[0] + server.counts.completion_tokens * prices[1]) / 1e6


def counted(server: FaultyServer) -> dict[str, float]:
    """What the server has given out, by the names of limits."""
    counts = server.counts
    tokens = {"max_prompt_tokens": counts.prompt_tokens, "max_completion_tokens": counts.completion_tokens}
    return {"max_requests": counts.requests, **tokens, "max_usd": usd(server)}


def statuses(result: SweepResult) -> list[str]:
    return [record.status for record in result.records]


LIMITS = [
    ("max_requests", 150, "requests of the sweep"),
    ("max_prompt_tokens", 3_500, "prompt_tokens of the sweep"),
    ("max_completion_tokens", 200, "completion_tokens of the sweep"),
    ("max_usd", 4.0, "usd of the sweep"),
]


@pytest.mark.parametrize(("name", "limit", "reason"), LIMITS)
def test_no_limit_is_passed_and_runs_keep_what_they_have_found(
    tmp_path: Path, name: str, limit: float, reason: str
) -> None:
    with judging(plan=Plan(share=0.1, faults=("500", "reset", "429", "truncated"), seed=1)) as server:
        values = asking_sweep(tmp_path, server, seeds=SEEDS, budget={name: limit})
        values["settings"] |= QUICK
        result = run_sweep(values, folder=tmp_path / "sweep", workers=3)
        assert counted(server)[name] <= limit
    assert result.bill is not None
    assert result.left_out
    assert not result.failed
    for record in result.records:
        assert record.cut in (None, reason)
        assert (record.run.folder / "prompt" / "prompt.json").exists() == (record.status == "succeeded")


def test_runs_that_are_left_out_are_done_with_a_larger_budget_and_others_stay_as_they_are(tmp_path: Path) -> None:
    with judging() as server:
        values = asking_sweep(tmp_path, server, seeds=SEEDS, budget={"max_requests": 140})
        first = run_sweep(values, folder=tmp_path / "sweep", workers=1)
        assert statuses(first) == ["succeeded"] * 3 + ["no budget"] * 3
        assert [record.cut for record in first.records[:3]] == [None, None, "requests of the sweep"]
        assert first.records[2].summary.train_loss is not None  # type: ignore[union-attr]
        assert server.counts.requests == first.bill.spent.requests == 140  # type: ignore[union-attr]
        bill: Any = read_json(tmp_path / "sweep" / "sweep.json")["bill"]
        assert (bill["requests"], bill["budget"]["max_requests"]) == (140, 140)
        again = run_sweep(values, folder=tmp_path / "sweep", workers=1)
        assert statuses(again) == statuses(first)
        assert server.counts.requests == 140
        more = run_sweep({**values, "budget": {"max_requests": 400}}, folder=tmp_path / "sweep", workers=1)
        assert statuses(more) == ["succeeded"] * 6
        assert [record.cut for record in more.records] == [None, None, "requests of the sweep", None, None, None]
        assert server.counts.requests == more.bill.spent.requests == 140 + 3 * 56  # type: ignore[union-attr]


def test_a_run_whose_start_the_budget_does_not_reach_is_left_out_and_goes_on_with_a_larger_one(tmp_path: Path) -> None:
    with judging() as server:
        values = asking_sweep(tmp_path, server, seeds=SEEDS[:2], budget={"max_requests": 60})
        first = run_sweep(values, folder=tmp_path / "sweep", workers=1)
        assert statuses(first) == ["succeeded", "no budget"]
        assert (first.records[1].run.folder / "config.json").exists()
        again = run_sweep({**values, "budget": {"max_requests": 112}}, folder=tmp_path / "sweep", workers=1)
        assert statuses(again) == ["succeeded"] * 2
        assert server.counts.requests == 112


def test_the_seconds_of_a_sweep_end_its_runs_and_count_over_sessions(tmp_path: Path) -> None:
    with judging(seconds=0.05) as server:
        values = asking_sweep(tmp_path, server, seeds=SEEDS, budget={"seconds": 1.0})
        first = run_sweep(values, folder=tmp_path / "sweep", workers=2)
        assert {record.cut for record in first.records} <= {None, "seconds of the sweep"}
        assert first.left_out
        assert float(str(read_json(tmp_path / "sweep" / "seconds.json")["seconds"])) >= 1.0
        asked = server.counts.requests
        again = run_sweep(values, folder=tmp_path / "sweep", workers=2)
        assert server.counts.requests == asked
        assert "the limit of 1 s of the sweep is reached" in str(again.left_out[-1].left_out)
    (tmp_path / "sweep" / "seconds.json").write_text("{}")
    with pytest.raises(DamagedFileError, match="has no seconds"):
        run_sweep(values, folder=tmp_path / "sweep")


def command(path: Path) -> tuple[object, ...]:
    return ("sweep", path, "--sweeps", path.parent)


def begin(path: Path) -> Any:
    return spawn(*command(path), OPENAI_API_KEY=KEY, NO_PROXY="*")


def wait_for_requests(server: FaultyServer, count: int, process: Any) -> None:
    """Until they have come, or the sweep is at its end: what was under way at a kill counts with all it may cost."""
    end = time.monotonic() + DEADLINE
    while server.counts.requests < count and process.poll() is None:
        if time.monotonic() > end:
            process.kill()
            pytest.fail(f"{server.counts.requests} requests in {DEADLINE} s: {process.communicate()[1]}")
        time.sleep(0.002)


@pytest.mark.parametrize(("name", "limit", "reason"), LIMITS)
def test_a_sweep_that_is_killed_again_and_again_stays_within_its_budget(
    tmp_path: Path, name: str, limit: float, reason: str
) -> None:
    faults = Plan(share=0.1, faults=("500", "reset", "429", "truncated"), seed=2)
    with judging(seconds=0.02, plan=faults) as server:
        values = asking_sweep(tmp_path, server, seeds=SEEDS, workers=3, budget={name: limit})
        values["settings"] |= QUICK
        path = write_sweep(tmp_path / "mine.toml", values)
        for requests in (30, 70):
            process = begin(path)
            wait_for_requests(server, requests, process)
            process.kill()
            process.communicate()
        finish(begin(path))
        assert counted(server)[name] <= limit
        result = run_sweep(path, folder=tmp_path / "small")
        assert counted(server)[name] <= limit
    assert result.bill is not None
    assert result.bill.spent.requests >= server.counts.requests
    assert getattr(result.bill.spent, name.removeprefix("max_")) <= limit + 1e-9


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_sweep_at_an_endpoint_that_is_told_to_stop_stops_its_runs_and_goes_on_later(
    tmp_path: Path, number: signal.Signals
) -> None:
    with judging(seconds=0.02) as server:
        path = write_sweep(tmp_path / "mine.toml", asking_sweep(tmp_path, server, seeds=SEEDS, workers=3))
        process = begin(path)
        wait_for_requests(server, 40, process)
        process.send_signal(number)
        code, said = finish(process)
        assert code == 130
        assert said == f"stopped; what has ended is in {tmp_path / 'small' / 'sweep.csv'}. The same command goes on\n"
        paid = server.counts.answered
        assert paid < 6 * 56
        begun = [read_json(summary)["status"] for summary in (tmp_path / "small").glob("*/*/*/summary.json")]
        assert set(begun) == {"interrupted"}
        assert finish(begin(path))[0] == 0
        assert server.counts.answered == 6 * 56  # nothing was paid for twice
