"""Text from endpoints: what a real server writes, and what failures, refusals and budgets make of it."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from benchmarks import faulty
from benchmarks.faulty import FaultyServer, Plan
from blackbox.backends import (
    Demonstration,
    Failure,
    Generations,
    Prompt,
    Query,
    SpentError,
    TextPrompt,
    UnsupportedPromptError,
    Writing,
    Written,
)
from blackbox.backends.api import (
    Answers,
    Anthropic,
    ApiBackend,
    Asker,
    Dialect,
    Features,
    Limits,
    OpenAI,
    Price,
    make_scoring,
)
from blackbox.backends.api.dialect import Wanted
from blackbox.backends.api.ledger import Ledger
from blackbox.backends.prompts import SoftPrompt
from tests.backends.api.calls import transport_to
from tests.backends.contract import GeneratingContract

CHAT, TEXT, MESSAGES = Features("/chat/completions"), Features("/completions"), Features("/messages")
PROMPT, QUERIES = TextPrompt("Sum up: "), [Query(f"text {number}", ()) for number in range(6)]


@contextmanager
def backend_of(
    base_url: str,
    *,
    dialect: Dialect | None = None,
    features: Features = CHAT,
    journal: Path | None = None,
    repeat: int = 0,
    **options: Any,
) -> Iterator[ApiBackend]:
    """A backend that has not probed its endpoint."""
    with transport_to(base_url, **options) as transport:
        asker = Asker(dialect or OpenAI("fake"), transport, Answers(journal, "run"))
        backend = ApiBackend(
            "fake", asker, features=features, scoring=make_scoring("text", features, answer_tokens=4), repeat=repeat
        )
        yield backend
        backend.close()


class Writer:
    """Writes the same text whatever it is asked, and keeps what it was asked."""

    def __init__(self, text: str = "a sum", *, path: str = "/chat/completions", **changes: Any) -> None:
        self.bodies: list[Mapping[str, Any]] = []
        self.text, self.path, self.changes = text, path, changes

    def __call__(self, body: Mapping[str, Any], path: str) -> dict[str, Any]:
        assert path == self.path
        self.bodies.append(body)
        message = {"role": "assistant", "content": self.text, **self.changes.get("message", {})}
        finish = self.changes.get("finish", "stop")
        counted = {"prompt_tokens": 9, "completion_tokens": 2}
        if path == "/messages":
            usage = {"input_tokens": 9, "output_tokens": 2, **counted}  # the server counts by OpenAI's names
            return {"content": [{"type": "text", "text": self.text}], "stop_reason": finish, "usage": usage}
        return {"choices": [{"message": message, "finish_reason": finish}], "usage": counted}


def one(generations: Generations) -> Written | str:
    """The only text, or why it is missing."""
    [[written]] = generations.written
    return generations.failures[0].reason if written is None else written


def ask(writer: Writer, *writings: Writing, plan: Plan | None = None, **options: Any) -> list[Written | str]:
    """What is written to one row in each way."""
    with FaultyServer(plan, answer=writer) as server, backend_of(server.base_url, **options) as backend:
        return [one(backend.generate([PROMPT], QUERIES[:1], writing)) for writing in writings]


PATIENT: dict[str, Any] = {"first_try": 5.0, "longest_try": 60.0, "call_seconds": 120.0}


@pytest.fixture(scope="module")
def served(llama: str) -> Iterator[Callable[[Features], ApiBackend]]:
    """A real model behind an endpoint: a backend for each path, with a journal of its own for all tests."""
    with ExitStack() as stack:
        yield cache(lambda features: stack.enter_context(backend_of(llama, features=features, **PATIENT)))


class _Served(GeneratingContract):
    features: Features

    @pytest.fixture(autouse=True)
    def _made(self, served: Callable[[Features], ApiBackend]) -> None:
        self.make = lambda: served(self.features)

    def prompts(self) -> list[Prompt]:
        shown = (Demonstration("It rained all day. In other words:", " a wet day"),)
        return [TextPrompt("Go on. "), TextPrompt("Be short.", shown, role="system")]


class TestChatOfARealServer(_Served):
    features = CHAT


class TestCompletionsOfARealServer(_Served):
    features = TEXT


@pytest.mark.parametrize("features", [CHAT, TEXT])
def test_a_real_server_that_is_asked_anew_writes_the_same(llama: str, features: Features) -> None:
    texts = []
    for _ in range(2):
        with backend_of(llama, features=features, **PATIENT) as backend:
            greedy, drawn = (
                one(backend.generate([PROMPT], QUERIES[:1], Writing(8, temperature, seed=7)))
                for temperature in (0.0, 1.5)
            )
            texts.append((greedy, drawn))
    assert texts[0] == texts[1]


def test_the_temperature_the_seed_the_stop_texts_and_the_greatest_length_are_sent() -> None:
    writer = Writer()
    ask(writer, Writing(7, 0.5, 3, ("\n", "END")))
    [body] = writer.bodies
    assert {name: value for name, value in body.items() if name != "messages"} == {
        **{"model": "fake", "max_tokens": 7, "temperature": 0.5, "seed": 3},
        **{"stop": ["\n", "END"]},
    }


def test_anthropic_is_sent_no_seed_and_no_stop_texts_of_white_space_which_it_refuses() -> None:
    writer = Writer("one\n\ntwo", path="/messages", finish="end_turn")
    found = ask(writer, Writing(7, 0.5, 3, ("\n\n", "END")), dialect=Anthropic("fake"), features=MESSAGES)
    [body] = writer.bodies
    assert {name: value for name, value in body.items() if name != "messages"} == {
        **{"model": "fake", "max_tokens": 7, "temperature": 0.5},
        **{"stop_sequences": ["END"]},
    }
    assert found == [Written("one")]


def test_what_the_endpoint_refuses_is_left_out() -> None:
    writer = Writer()
    refusing = Features("/chat/completions", limit="max_completion_tokens", refused=("temperature", "seed"))
    ask(writer, Writing(7, 0.5, 3), features=refusing)
    [body] = writer.bodies
    assert set(body) == {"model", "messages", "max_completion_tokens"}


def test_of_more_stop_texts_than_an_endpoint_takes_all_end_the_text() -> None:
    writer = Writer("one five two")
    assert ask(writer, Writing(stop=("a1", "a2", "a3", "a4", "five"))) == [Written("one")]
    assert writer.bodies[0]["stop"] == ["a1", "a2", "a3", "a4"]


def test_an_endpoint_that_refuses_stop_texts_is_asked_without_from_then_on(monkeypatch: pytest.MonkeyPatch) -> None:
    """As OpenAI's reasoning models do."""
    error = {"message": "Unsupported parameter: 'stop' is not supported with this model.", "param": "stop"}
    monkeypatch.setitem(faulty._REFUSALS, "no stop", (400, {"error": error}))
    writer = Writer("one END two")
    with FaultyServer(Plan.of("no stop"), answer=writer) as server, backend_of(server.base_url, parallel=1) as backend:
        generations = backend.generate([PROMPT], QUERIES, Writing(stop=("END",)))
        assert backend.spent.requests == server.counts.requests == len(QUERIES) + 1
    assert generations.failures == ()
    assert set(generations.written[0]) == {Written("one")}
    assert all("stop" not in body for body in writer.bodies)


@pytest.mark.parametrize(
    ("writer", "expected"),
    [
        (Writer("a sum", finish="length"), Written("a sum", cut=True)),
        (Writer(" a sum \n"), Written("a sum")),
        (Writer(""), Written("")),
        (Writer("", finish="length"), Written("", cut=True)),
        (Writer("a", finish="content_filter"), "a content filter stopped the answer"),
        (Writer("", message={"refusal": "I can't."}), "a content filter stopped the answer"),
        (Writer("", message={"tool_calls": [{"id": "1"}]}, finish="tool_calls"), "the model called a tool"),
    ],
)
def test_a_text_may_be_empty_or_cut_and_what_is_held_back_is_missing(writer: Writer, expected: Written | str) -> None:
    assert ask(writer, Writing()) == [expected]


@pytest.mark.parametrize(
    ("finish", "expected"),
    [
        ("max_tokens", Written("a sum", cut=True)),
        ("stop_sequence", Written("a sum")),
        ("refusal", "a content filter stopped the answer"),
        ("tool_use", "the model called a tool"),
    ],
)
def test_the_same_of_anthropic(finish: str, expected: Written | str) -> None:
    writer = Writer(path="/messages", finish=finish)
    assert ask(writer, Writing(), dialect=Anthropic("fake"), features=MESSAGES) == [expected]


def test_a_completion_is_asked_for_in_the_same_way() -> None:
    call = OpenAI("fake").call(
        PROMPT, QUERIES[0], features=TEXT, wanted=Wanted(5, temperature=0.5, seed=1, stop=("x",))
    )
    assert call.body == {
        **{"model": "fake", "prompt": "Sum up: text 0", "max_tokens": 5, "temperature": 0.5, "seed": 1, "stop": ["x"]}
    }


@pytest.mark.parametrize("features", [CHAT, Features("/chat/completions", refused=("seed",))])
def test_other_seeds_temperatures_lengths_and_stop_texts_are_other_questions(features: Features) -> None:
    writings = [Writing(8, 1.0), Writing(8, 1.0, 1), Writing(8, 0.5), Writing(9, 1.0), Writing(8, 1.0, stop=("x",))]
    writer = Writer()
    ask(writer, *writings, *writings, features=features)
    assert len(writer.bodies) == len(writings)


def test_where_nothing_is_drawn_another_seed_is_the_same_question() -> None:
    writer = Writer()
    ask(writer, Writing(seed=0), Writing(seed=5))
    assert len(writer.bodies) == 1


def test_repeats_and_seeds_never_meet_in_the_journal_of_an_endpoint_without_seeds(tmp_path: Path) -> None:
    writer, seedless = Writer(), Features("/chat/completions", refused=("seed",))
    for repeat in range(4):
        writings = [Writing(temperature=1.0, seed=seed) for seed in range(4)]
        ask(writer, *writings, features=seedless, repeat=repeat, journal=tmp_path / "answers.db")
    assert len(writer.bodies) == 16


def test_equal_pairs_are_asked_once_and_a_session_that_goes_on_asks_nothing(tmp_path: Path) -> None:
    writer, twice = Writer(), [*QUERIES, *QUERIES]
    texts = []
    with FaultyServer(answer=writer) as server:
        for _ in range(2):
            with backend_of(server.base_url, journal=tmp_path / "answers.db") as backend:
                texts.append(backend.generate([PROMPT, PROMPT], twice).written)
    assert len(writer.bodies) == len(QUERIES)
    assert texts[0] == texts[1] == ((Written("a sum"),) * len(twice),) * 2


def test_a_row_that_is_not_answered_is_missing_with_the_reason_and_the_others_are_not() -> None:
    plan = Plan.of("echo")  # the first request is refused with a 404
    with FaultyServer(plan, answer=Writer()) as server, backend_of(server.base_url, parallel=1) as backend:
        generations = backend.generate([PROMPT], QUERIES)
    [line] = generations.written
    [failure] = generations.failures
    assert isinstance(failure, Failure)
    assert "refuses the call with 404" in failure.reason
    assert [number for number, written in enumerate(line) if written is None] == [failure.query]


@pytest.mark.parametrize("seed", range(6))
def test_no_limit_is_passed_whatever_fails(seed: int) -> None:
    """By the server's own count; a text that came back is the one that was written."""
    price = Price.per_million(2.0, 8.0, 0.5)
    limits = (Limits(requests=12), Limits(completion_tokens=40), Limits(usd=900e-6))[seed % 3]
    ledger = Ledger(limits, price)
    plan = Plan(share=0.4, seed=seed)
    features = Features("/chat/completions", overhead=8)
    queries = [Query(f"text {number}", ()) for number in range(40)]
    with FaultyServer(plan, answer=Writer(), slow_seconds=0.02, retry_after=0.01) as server:
        with backend_of(server.base_url, features=features, ledger=ledger, parallel=8, call_seconds=0.4) as backend:
            with pytest.raises(SpentError):
                backend.generate([PROMPT], queries, Writing(max_tokens=4))
    counts, spent = server.counts, ledger.spent
    assert counts.requests <= spent.requests <= (limits.requests or 10**9)
    assert counts.completion_tokens <= spent.completion_tokens <= (limits.completion_tokens or 10**9)
    assert spent.usd <= (limits.usd or 1e9)


def test_what_writing_may_cost_at_most_is_known_before_anything_is_asked() -> None:
    writer = Writer()
    with FaultyServer(answer=writer) as server:
        ledger = Ledger(Limits(), Price.per_million(1.0, 10.0, 1.0))
        with backend_of(server.base_url, features=Features("/chat/completions", overhead=8), ledger=ledger) as backend:
            most = backend.most([PROMPT], QUERIES, Writing(max_tokens=50))
            assert writer.bodies == []
            spent = backend.generate([PROMPT], QUERIES, Writing(max_tokens=50)).usages[0]
    assert (most.requests, most.completion_tokens) == (len(QUERIES), 50 * len(QUERIES))
    assert most.usd == pytest.approx(1e-6 * most.prompt_tokens + 10e-6 * most.completion_tokens)
    assert spent.prompt_tokens <= most.prompt_tokens
    assert spent.usd <= most.usd


def test_other_prompts_than_texts_are_refused_before_anything_is_asked() -> None:
    writer, soft = Writer(), SoftPrompt((1,), np.zeros((1, 2), np.float32))
    with FaultyServer(answer=writer) as server, backend_of(server.base_url) as backend:
        with pytest.raises(UnsupportedPromptError, match="takes text prompts, got SoftPrompt"):
            backend.generate([PROMPT, soft], QUERIES)
    assert writer.bodies == []
