"""What is in flight when a process is killed stands in the journal, and the session that goes on counts it as spent."""

import signal
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from benchmarks.faulty import FaultyServer, Plan, chat
from blackbox.backends.api import in_flight, openai
from blackbox.backends.api.answers import Answers, Facts
from blackbox.backends.api.asker import Asker
from blackbox.backends.api.dialect import Features, Wanted
from blackbox.backends.api.ledger import Ledger
from blackbox.backends.api.limits import Limits
from blackbox.backends.base import Query, Usage
from blackbox.backends.errors import JournalError, NoAnswerError, RefusedError
from blackbox.backends.prompts import TextPrompt
from tests.backends.api.calls import transport_to

ONE = Usage(requests=1, prompt_tokens=100, completion_tokens=4, usd=0.001)
LARGE = Usage(requests=1, prompt_tokens=500, completion_tokens=2, usd=0.002)
DIALECT = openai.OpenAI("fake")


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "answers.sqlite"


def lost(path: Path, run: str = "r", limits: Limits | None = None) -> Usage:
    """What a session that goes on charges for."""
    with Answers(path, run) as answers:
        return answers.charge_lost(limits or Limits())


def ask(answers: Answers, base_url: str, text: str = "a film", **options: Any) -> None:
    with transport_to(base_url, **options) as transport:
        prompt, query = TextPrompt(text), Query("?", ("a", "b"))
        call = DIALECT.call(prompt, query, features=Features("/chat/completions"), wanted=Wanted(4))
        Asker(DIALECT, transport, answers)(call, Facts("task"))


def test_the_most_that_was_in_flight_at_once_is_what_a_kill_may_have_lost(path: Path) -> None:
    with Answers(path, "r") as killed:
        for most in (ONE, ONE, LARGE):
            killed.in_flight.begin(most)
        killed.in_flight.end(ONE)
        bound = ONE + ONE + LARGE
        assert lost(path) == bound
        with Answers(path, "r") as answers:
            assert answers.spent() == bound
            assert [(one.purpose, one.usage) for one in answers.spending()] == [("lost in a kill", bound)]
        assert lost(path) == Usage(), "it is charged for once"


def test_with_nothing_in_flight_nothing_is_lost(path: Path) -> None:
    with Answers(path, "r") as killed:
        for most in (ONE, LARGE):
            killed.in_flight.begin(most)
        for most in (ONE, LARGE):
            killed.in_flight.end(most)
        assert lost(path) == Usage()
        assert killed.spending() == ()


def test_no_more_was_lost_than_the_limits_leave(path: Path) -> None:
    with Answers(path, "r") as killed:
        killed.charge(Usage(requests=8, prompt_tokens=10), facts=Facts("task"))
        for _ in range(4):
            killed.in_flight.begin(ONE)
        found = lost(path, limits=Limits(requests=10, usd=0.003))
        assert found == Usage(requests=2, prompt_tokens=400, completion_tokens=16, usd=0.003)


def test_two_sessions_of_a_run_do_not_hide_each_others_calls_and_other_runs_have_their_own(path: Path) -> None:
    with Answers(path, "r") as one, Answers(path, "r") as two, Answers(path, "r2") as other:
        for session in (one, two, other):
            session.in_flight.begin(ONE)
        assert lost(path) == ONE + ONE
        assert lost(path, "r2") == ONE


def test_while_calls_come_and_go_the_bound_is_hardly_ever_written(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with Answers(path, "r") as answers:
        written: list[Usage] = []
        keep = in_flight.InFlight._keep

        def counted(self: in_flight.InFlight, bound: Usage) -> None:
            written.extend([bound] if bound != self._kept else [])
            keep(self, bound)

        monkeypatch.setattr(in_flight.InFlight, "_keep", counted)
        for _ in range(8):
            answers.in_flight.begin(ONE)
        for _ in range(1000):
            answers.in_flight.end(ONE)
            answers.in_flight.begin(ONE)
        assert len(written) == 8


@pytest.mark.parametrize("fault", ["ok", "500", "429", "reset", "truncated", "bad key"])
def test_an_attempt_is_in_flight_until_its_cost_is_written_down_however_it_ends(fault: str, path: Path) -> None:
    with FaultyServer(Plan.of(fault)) as server, Answers(path, "r") as answers:
        seen: list[Usage] = []

        def answer(body: Mapping[str, Any], way: str) -> dict[str, Any]:
            seen.append(lost(path))
            return chat(body)

        server.answer = answer
        try:
            ask(answers, server.base_url)
        except RefusedError:
            assert fault == "bad key"
        else:
            assert seen
        assert all(one.requests == 1 for one in seen), "it stands there while the endpoint works"
        assert lost(path) == Usage()


def test_a_request_that_was_never_sent_is_not_in_flight(path: Path) -> None:
    server = FaultyServer()
    server.begin_outage()
    with Answers(path, "r") as answers:
        with pytest.raises(NoAnswerError):
            ask(answers, server.base_url, attempts=1)
        assert (lost(path), answers.spent()) == (Usage(), Usage())


def test_what_cannot_be_written_down_is_not_sent(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(self: in_flight.InFlight, bound: Usage) -> None:
        raise JournalError("the disk is full")

    ledger = Ledger(Limits(requests=5))
    with FaultyServer() as server, Answers(path, "r") as answers:
        monkeypatch.setattr(in_flight.InFlight, "_keep", full)
        with pytest.raises(JournalError):
            ask(answers, server.base_url, ledger=ledger)
        assert server.counts.requests == 0
        assert ledger.spent == Usage()


PROGRAM = """
import sys
from pathlib import Path
from blackbox import Task, tune
task = Task([{"text": f"row {n}", "label": "yn"[n % 2]} for n in range(200)],
            template="{text}? {label}", label_words={"y": "positive", "n": "negative"})
tune(task, backend="openai", model="fake", base_url=sys.argv[1], answers=sys.argv[2], space="texts", racing="off",
     prompts=["one", "two", "three"], parallel=4, max_requests=int(sys.argv[3]), call_seconds=30)
"""


def test_a_run_that_is_killed_again_and_again_never_passes_its_budget(path: Path) -> None:
    """No call of any session is answered: only what is written before they are sent can know of them."""
    limit, probe = 30, 3
    with FaultyServer() as server:

        def answer(body: Mapping[str, Any], way: str) -> dict[str, Any]:
            server.closing.wait(60.0 if server.counts.requests > probe else 0.0)
            return chat(body)

        server.answer = answer
        sessions = 0
        while not killed_with_all_in_flight(server, path, limit) and server.counts.requests <= limit:
            sessions += 1
        assert sessions >= (limit - probe) // 4
        assert limit - 4 <= server.counts.requests <= limit


def killed_with_all_in_flight(server: FaultyServer, path: Path, limit: int) -> bool:
    """Whether the session, whose calls are four at a time, has ended by itself before."""
    before = server.counts.requests
    process = subprocess.Popen(
        [sys.executable, "-c", PROGRAM, server.base_url, str(path), str(limit)],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    for _ in range(6000):
        if process.poll() is not None or min(before + 4, limit) <= server.counts.requests != before:
            break
        time.sleep(0.01)
    ended = process.poll() is not None
    process.send_signal(signal.SIGKILL)
    process.wait()
    return ended
