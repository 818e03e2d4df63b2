import hashlib
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from benchmarks.faulty import FaultyServer, Plan, RefusalError
from blackbox.backends import Backend, MeteredBackend, chosen_options
from blackbox.backends.api.answers import Answers
from blackbox.backends.api.anthropic import Anthropic
from blackbox.backends.api.backend import ApiBackend
from blackbox.backends.api.dialect import Features
from blackbox.backends.api.ledger import Ledger
from blackbox.backends.api.limits import Limits
from blackbox.backends.api.openai import OpenAI
from blackbox.backends.api.pricing import Price
from blackbox.backends.api.probe import probed
from blackbox.backends.api.scoring import make_scoring
from blackbox.backends.base import Query
from blackbox.backends.errors import JournalError, QueryError, SpentError, StoppedError, UnsupportedPromptError
from blackbox.backends.prompts import SoftPrompt, TextPrompt
from tests.backends.api import speakers
from tests.backends.api.calls import asker_to
from tests.backends.api.speakers import Heard, Speaker, said
from tests.backends.contract import BackendContract

FEATURES = Features("/chat/completions")
OPTIONS = ("bad", "great")
ROWS = [Query(f"Film {number} was fun. It was ", OPTIONS) for number in range(6)]
PROMPTS = [TextPrompt("Judge. "), TextPrompt("Think, then judge. ")]
QUERIES = (
    Query("sad: bad\nfun: great\nugly: bad\nnice: ", OPTIONS),
    Query("great fun: great\na long and ugly day: bad\na dull film: ", OPTIONS),
    Query("cold: bad\nwarm: great\nsun: ", OPTIONS),
)


@contextmanager
def backend_to(
    base_url: str, *, features: Features | None = FEATURES, repeat: int = 0, model: str = "some", **options: Any
) -> Iterator[ApiBackend]:
    """A backend of these features, or of those that are found."""
    with asker_to(
        base_url, OpenAI(model, ["/completions"] if features is None else ["/chat/completions"]), **options
    ) as asker:
        can = features or probed(asker)
        scoring = make_scoring("auto", can, answer_tokens=4)
        backend = ApiBackend(model, asker, features=can, scoring=scoring, repeat=repeat)
        yield backend
        backend.close()


@contextmanager
def served(speaker: Speaker, **options: Any) -> Iterator[tuple[ApiBackend, Heard]]:
    heard = Heard(speaker)
    with FaultyServer(answer=heard) as server, backend_to(server.base_url, **options) as backend:
        yield backend, heard


def great(body: Mapping[str, Any], path: str) -> dict[str, Any]:
    return said("great")


@pytest.fixture(scope="module")
def measured(llama: str) -> Iterator[ApiBackend]:
    """llama.cpp's server with a real model, as it is found."""
    with backend_to(llama, features=None, call_seconds=60.0, parallel=1) as backend:
        yield backend


@pytest.fixture(scope="module")
def constrained(llama: str) -> Iterator[ApiBackend]:
    """The same, as if it told no log-probabilities."""
    features = Features("/completions", choice="grammar", overhead=16)
    with backend_to(llama, features=features, call_seconds=60.0, parallel=1) as backend:
        yield backend


class RealServerContract(BackendContract):
    """The contract on a real server; the queries show what an answer is like."""

    queries = QUERIES
    backend: ApiBackend

    def make(self) -> Backend:
        return self.backend


class TestByLogProbabilities(RealServerContract):
    @pytest.fixture(autouse=True)
    def of_the_module(self, measured: ApiBackend) -> None:
        self.backend = measured

    def test_its_model_knows_what_is_nice(self) -> None:
        scores = self.make().score([TextPrompt("")], QUERIES).log_probabilities
        assert chosen_options(scores).tolist() == [[1, 0, 1]]

    def test_another_journal_gets_the_same_bits_from_the_same_server(self, llama: str) -> None:
        before = self.make().score([TextPrompt("")], QUERIES).log_probabilities
        with backend_to(llama, features=self.backend.features, call_seconds=60.0) as backend:
            assert backend.score([TextPrompt("")], QUERIES).log_probabilities.tobytes() == before.tobytes()
            assert backend.spent.requests == len(QUERIES)

    def test_what_a_call_may_cost_bounds_what_it_does_cost(self) -> None:
        prompts = [TextPrompt(text) for text in self.texts]
        most = self.backend.most(prompts, QUERIES)
        usages = self.make().score(prompts, QUERIES).usages
        assert sum(usage.prompt_tokens for usage in usages) <= most.prompt_tokens
        assert sum(usage.completion_tokens for usage in usages) <= most.completion_tokens


class TestByChoice(RealServerContract):
    @pytest.fixture(autouse=True)
    def of_the_module(self, constrained: ApiBackend) -> None:
        self.backend = constrained

    def test_every_answer_is_an_option(self) -> None:
        scores = self.make().score(self.prompts(), QUERIES)
        assert np.exp(scores.log_probabilities).max(axis=-1) == pytest.approx(np.full((3, 3), 0.9))


def test_it_is_metered() -> None:
    with served(great) as (backend, _):
        assert isinstance(backend, MeteredBackend)


def test_the_same_text_is_asked_for_once_and_scored_wherever_it_stands() -> None:
    with served(great) as (backend, heard):
        scores = backend.score([PROMPTS[0], PROMPTS[0]], [ROWS[0], ROWS[1], ROWS[0]])
        assert len(heard.bodies) == 2
        assert chosen_options(scores.log_probabilities).tolist() == [[1, 1, 1], [1, 1, 1]]
        assert [usage.requests for usage in scores.usages] == [3, 3]


def test_a_later_call_pays_for_nothing_that_an_earlier_one_has() -> None:
    with served(great) as (backend, heard):
        first = backend.score(PROMPTS, ROWS)
        spent = backend.spent
        again = backend.score(PROMPTS, ROWS)
        assert again.usages == first.usages
        assert (len(heard.bodies), backend.spent) == (12, spent)


def test_another_repeat_asks_everything_anew(tmp_path: Path) -> None:
    with FaultyServer(answer=great) as server:
        for repeat in (0, 1, 1):
            with backend_to(server.base_url, repeat=repeat, answers=Answers(tmp_path / "answers.sqlite")) as backend:
                backend.score(PROMPTS, ROWS)
        assert server.counts.requests == 2 * 12


def test_a_row_that_the_endpoint_refuses_is_missing_with_the_reason_and_the_others_are_not() -> None:
    def speak(body: Mapping[str, Any], path: str) -> dict[str, Any]:
        if "Film 3" in body["messages"][0]["content"]:
            raise RefusalError(400, {"error": {"message": "The prompt was filtered", "code": "content_filter"}})
        return said("great")

    with served(speak) as (backend, _):
        scores = backend.score(PROMPTS, ROWS)
        assert [(failure.prompt, failure.query) for failure in scores.failures] == [(0, 3), (1, 3)]
        assert all("The prompt was filtered" in failure.reason for failure in scores.failures)
        missing = np.isnan(scores.log_probabilities).all(axis=-1)
        assert missing.tolist() == [[False, False, False, True, False, False]] * 2
        assert np.isfinite(scores.log_probabilities[~missing]).all()


def test_a_row_without_an_answer_after_all_attempts_is_missing_and_never_an_option() -> None:
    with FaultyServer(Plan.of("ok", *["500"] * 2, then="ok")) as server:
        with backend_to(server.base_url, attempts=2, parallel=1) as backend:
            scores = backend.score(
                PROMPTS[:1], [Query(f"Film {number}. ", ("positive", "negative")) for number in range(4)]
            )
    assert [failure.query for failure in scores.failures] == [1]
    assert "no answer after 2 attempts; the last one: it answered 500" in scores.failures[0].reason
    assert np.isnan(scores.log_probabilities[0, 1]).all()
    assert scores.usages[0].requests == 4


def test_an_answer_that_is_no_option_is_wrong_and_not_missing() -> None:
    with served(lambda *_: said("Films are fun.")) as (backend, _):
        scores = backend.score(PROMPTS, ROWS)
        assert scores.failures == ()
        assert (chosen_options(scores.log_probabilities) == -1).all()


def test_an_answer_that_a_filter_held_back_is_missing_and_paid_for() -> None:
    with served(lambda *_: said("", finish="content_filter")) as (backend, _):
        scores = backend.score(PROMPTS[:1], ROWS)
        assert {failure.reason for failure in scores.failures} == {"a content filter stopped the answer"}
        assert scores.usages[0].prompt_tokens == 21 * len(ROWS)


def test_when_the_budget_ends_what_is_paid_for_is_kept_and_a_larger_one_pays_for_the_rest(tmp_path: Path) -> None:
    file = tmp_path / "answers.sqlite"
    with FaultyServer(answer=great) as server:
        with backend_to(server.base_url, limits=Limits(requests=7), answers=Answers(file)) as backend:
            with pytest.raises(SpentError, match="the limit of 7 requests"):
                backend.score(PROMPTS, ROWS)
        assert server.counts.requests == 7
        with backend_to(server.base_url, answers=Answers(file)) as backend:
            assert backend.score(PROMPTS, ROWS).failures == ()
        assert server.counts.requests == 12


def test_behind_a_call_that_does_not_fit_the_budget_no_other_begins() -> None:
    rows = [Query("A film. " * 1000, OPTIONS), *ROWS]
    with FaultyServer(seconds=0.05) as server:
        with backend_to(server.base_url, limits=Limits(prompt_tokens=7000), parallel=1) as backend:
            with pytest.raises(SpentError, match="7000 prompt tokens would be passed"):
                backend.score(PROMPTS[:1], rows)
            backend.score(PROMPTS[:1], ROWS[-1:])  # behind all that still wait
        assert server.counts.requests <= 3


def test_what_stops_one_call_stops_all_and_is_raised() -> None:
    with FaultyServer(Plan.of("ok", then="insufficient_quota")) as server:
        with backend_to(server.base_url, parallel=2) as backend, pytest.raises(StoppedError, match="quota"):
            backend.score(PROMPTS, ROWS)
        assert server.counts.requests <= 4


def test_no_more_calls_are_in_flight_than_the_settings_say() -> None:
    with FaultyServer(seconds=0.02) as server, backend_to(server.base_url, parallel=3) as backend:
        backend.score(PROMPTS, ROWS)
        assert 1 < server.counts.most_at_once <= 3


def test_the_bound_of_a_call_is_that_of_all_pairs_and_asks_nothing() -> None:
    price = Price.per_million(2.0, 8.0)
    with served(great, ledger=Ledger(Limits(), price)) as (backend, heard):
        most = backend.most(PROMPTS, ROWS)
        assert heard.bodies == []
        assert (most.requests, most.completion_tokens) == (12, 12 * 4)
        assert most.usd == pytest.approx(price.usd(most), rel=1e-12)
        backend.score(PROMPTS, ROWS)
        assert 0 < backend.spent.usd <= most.usd
        assert backend.price == price


def test_a_model_is_known_by_its_name_and_its_address_and_not_by_the_key_in_it() -> None:
    with FaultyServer() as server:
        plain, hidden = server.base_url, server.base_url.replace("http://", "http://user:password@")
        hashes = []
        for address, model in ((plain, "some"), (hidden, "some"), (plain, "other"), (plain + "/x", "some")):
            with backend_to(address, model=model) as backend:
                assert backend.name == model
                hashes.append(backend.model_hash)
    assert hashes[0] == hashes[1] == hashlib.sha256(f"{plain} some".encode()).hexdigest()
    assert len(set(hashes)) == 3


def test_the_record_says_where_and_how_the_model_is_asked() -> None:
    with served(speakers.passes_over) as (backend, _):
        address = backend.record["base_url"]
        assert backend.record == {"base_url": address, "scoring": "text", "features": FEATURES.to_dict()}
        assert str(address).startswith("http://127.0.0.1:")


def test_vectors_and_single_targets_are_refused_before_anything_is_asked() -> None:
    with served(great) as (backend, heard):
        with pytest.raises(UnsupportedPromptError, match="SoftPrompt"):
            backend.score([SoftPrompt((1,), np.zeros((1, 4), np.float32))], ROWS)
        with pytest.raises(QueryError, match="one option"):
            backend.score(PROMPTS, [Query("Say ", ("it",))])
        assert heard.bodies == []


def test_another_dialect_makes_the_same_scores_of_the_same_answers() -> None:
    [features] = Anthropic.starts
    with FaultyServer(answer=speakers.messages) as server, asker_to(server.base_url, Anthropic("claude")) as asker:
        backend = ApiBackend(
            "claude", asker, features=features, scoring=make_scoring("auto", features, answer_tokens=4)
        )
        scores = backend.score(PROMPTS, [Query("It is ", ("negative", "positive"))])
        backend.close()
    assert np.exp(scores.log_probabilities) == pytest.approx(np.full((2, 1, 2), [0.1, 0.9]))
    assert [usage.prompt_tokens for usage in scores.usages] == [25, 25]


def test_a_closed_backend_leaves_no_thread_and_no_open_journal(tmp_path: Path) -> None:
    before, answers = set(threading.enumerate()), Answers(tmp_path / "answers.sqlite")
    with FaultyServer(answer=great) as server, backend_to(server.base_url, answers=answers) as backend:
        backend.score(PROMPTS, ROWS)
        backend.close()
        left = {thread.name for thread in set(threading.enumerate()) - before}
        assert not any(name.startswith("endpoint") for name in left)
        with pytest.raises(JournalError, match="closed"):
            answers.noted("anything")


def test_a_key_that_is_refused_in_the_middle_of_a_run_ends_it() -> None:
    with FaultyServer(Plan.of("ok", then="bad key")) as server, backend_to(server.base_url, parallel=1) as backend:
        with pytest.raises(StoppedError, match=r"refuses the key with 401 \(invalid_api_key\); it took the key before"):
            backend.score(PROMPTS, ROWS)
        assert server.counts.requests == 2


def test_a_row_that_is_forbidden_is_missing_and_ends_nothing() -> None:
    """OpenRouter answers so where moderation flags a text."""

    def speak(body: Mapping[str, Any], path: str) -> dict[str, Any]:
        if "Film 3" in body["messages"][0]["content"]:
            raise RefusalError(403, {"error": {"code": 403, "message": "Your input was flagged"}})
        return said("great")

    with served(speak) as (backend, _):
        scores = backend.score(PROMPTS, ROWS)
        assert [(failure.prompt, failure.query) for failure in scores.failures] == [(0, 3), (1, 3)]
