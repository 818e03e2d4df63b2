"""Backends of endpoints from the settings, and whole runs on them, on real HTTP servers."""

import logging
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from benchmarks.faulty import FaultyServer, Plan
from blackbox import Config, Result, resume, tune
from blackbox.backends import Query, TextPrompt
from blackbox.backends.api import ApiBackend, Limits, Price, price_of
from blackbox.backends.errors import BackendError, BackendSettingError, KeyRefusedError, QuotaError
from blackbox.endpoints import anthropic_backend, limits, openai_backend, price, run_of
from blackbox.errors import SettingError
from tests.backends.api import speakers
from tests.backends.api.speakers import said
from tests.blackbox.small import facts, make_task

KEY = "sk-zanzibar-4711"
ROW = [Query("It was ", ("negative", "positive"))]


@pytest.fixture(autouse=True)
def with_a_key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_PROXY", "*")
    for name in ("OPENAI_API_KEY", "ANTHROPIC_API_KEY", "MY_KEY"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("MY_KEY", KEY)


@pytest.fixture
def server() -> Iterator[FaultyServer]:
    with FaultyServer(answer=judge) as server:
        yield server


def judge(body: Mapping[str, Any], path: str) -> dict[str, Any]:
    """Says what the row says behind one of the prompts, and "bad" behind all others."""
    text = body["messages"][-1]["content"]
    return said("great" if "Judge" in text and "great" in text else "bad")


def config(server: FaultyServer, **settings: Any) -> Config:
    return Config(**{"backend": "openai", "model": "some", "base_url": server.base_url, **settings})


def run(server: FaultyServer, folder: Path, **settings: Any) -> Result:
    prompts = ["Say it. ", "Judge. ", "zzz "]
    given = {"backend": "openai", "model": "some", "base_url": server.base_url, "space": "texts", "prompts": prompts}
    return tune(make_task(), **{**given, "optimizer": "enumerate", "folder": folder, "parallel": 2, **settings})


class TestTheKey:
    def test_goes_to_an_endpoint_like_openais_as_a_bearer(self, server: FaultyServer) -> None:
        openai_backend(config(server, key_variable="MY_KEY"))
        assert server.heads[0]["authorization"] == f"Bearer {KEY}"

    def test_goes_to_anthropics_with_a_version(self) -> None:
        with FaultyServer(answer=speakers.messages) as server:
            backend = anthropic_backend(config(server, backend="anthropic", key_variable="MY_KEY"))
            assert backend.score([TextPrompt("")], ROW).log_probabilities.argmax() == 1
        assert server.heads[0]["x-api-key"] == KEY
        assert server.heads[0]["anthropic-version"] == "2023-06-01"
        assert "authorization" not in server.heads[0]

    def test_is_not_needed_by_a_server_of_ones_own(self, server: FaultyServer) -> None:
        openai_backend(config(server))
        assert "authorization" not in server.heads[0]

    def test_of_the_usual_name_is_taken(self, server: FaultyServer, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("OPENAI_API_KEY", f" {KEY}\n")
        openai_backend(config(server))
        assert server.heads[0]["authorization"] == f"Bearer {KEY}"

    @pytest.mark.parametrize(
        ("make", "name"), [(openai_backend, "OPENAI_API_KEY"), (anthropic_backend, "ANTHROPIC_API_KEY")]
    )
    def test_is_needed_by_a_provider_and_its_variable_is_named(self, make: Any, name: str) -> None:
        with pytest.raises(SettingError, match=f"the environment variable {name} holds no key"):
            make(Config(model="some"))

    def test_of_a_name_that_holds_none_is_an_error(self, server: FaultyServer) -> None:
        with pytest.raises(SettingError, match="the environment variable NO_KEY holds no key"):
            openai_backend(config(server, key_variable="NO_KEY"))
        assert server.counts.requests == 0

    @pytest.mark.parametrize("fault", ["bad key", "echo"])
    def test_is_in_no_error_that_an_endpoint_answers_with_and_in_no_log(
        self, fault: str, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("MY_KEY", "sk-very-secret-1234")  # which these faults show
        caplog.set_level(logging.DEBUG)
        with FaultyServer(Plan.of(then=fault)) as server, pytest.raises(BackendError) as told:
            openai_backend(config(server, key_variable="MY_KEY"))
        seen: BaseException | None = told.value
        while seen is not None:
            assert "secret" not in f"{seen} {seen!r}"
            seen = seen.__cause__ or seen.__context__
        assert "secret" not in caplog.text

    def test_is_in_no_file_of_a_run_and_in_no_text_of_its_parts(
        self, server: FaultyServer, tmp_path: Path, without_pictures: None
    ) -> None:
        address = server.base_url.replace("http://", f"http://user:{KEY}-too@")
        run(server, tmp_path / "run", key_variable="MY_KEY")
        backend = openai_backend(config(server, base_url=address))
        assert isinstance(backend, ApiBackend)
        parts = [backend, backend._asker, backend._asker.transport, backend._asker.transport._endpoint, backend.record]
        assert KEY not in "".join(f"{part} {part!r}" for part in parts)
        files = [file for file in (tmp_path / "run").rglob("*") if file.is_file()]
        assert any(file.suffix == ".sqlite" for file in files)
        assert not [file for file in files if KEY.encode() in file.read_bytes()]


class TestTheSettings:
    def test_must_name_a_model(self, server: FaultyServer) -> None:
        with pytest.raises(SettingError, match="backend 'openai' needs `model`"):
            openai_backend(Config(backend="openai", base_url=server.base_url))

    def test_set_the_limits(self, server: FaultyServer) -> None:
        given = {"max_requests": 1, "max_prompt_tokens": 2, "max_completion_tokens": 3, "max_usd": 4.0, "seconds": 5.0}
        assert limits(config(server, **given)) == Limits(1, 2, 3, 4.0, 5.0)

    def test_know_the_price_of_a_model_at_its_own_provider_alone(self, server: FaultyServer) -> None:
        assert price(Config(backend="openai", model="gpt-4o-mini")) == price_of("gpt-4o-mini") is not None
        assert price(config(server, model="gpt-4o-mini")) is None

    def test_may_give_the_price_which_goes_first(self) -> None:
        given = {"usd_per_million_prompt_tokens": 1.0, "usd_per_million_completion_tokens": 2.0}
        assert price(Config(backend="openai", model="gpt-4o-mini", **given)) == Price.per_million(1.0, 2.0)
        with pytest.raises(SettingError, match="a price needs both"):
            price(Config(backend="openai", model="gpt-4o-mini", usd_per_million_prompt_tokens=1.0))

    def test_cannot_limit_what_has_no_price(self, server: FaultyServer) -> None:
        with pytest.raises(BackendSettingError, match="a limit of 1.0 USD needs the model's price"):
            openai_backend(config(server, max_usd=1.0))
        assert server.counts.requests == 0

    def test_cannot_ask_for_a_way_of_scoring_that_the_endpoint_has_not(self, server: FaultyServer) -> None:
        with pytest.raises(BackendSettingError, match="cannot score by log-probabilities; it can by text"):
            openai_backend(config(server, scoring="log-probabilities"))

    def test_choose_the_path(self) -> None:
        with FaultyServer(answer=speakers.only_completions) as server:
            backend = openai_backend(config(server, endpoint="completions"))
            assert isinstance(backend, ApiBackend)
            assert backend.features.path == "/completions"
            assert server.targets == ["/v1/completions"]

    def test_are_one_run_wherever_its_files_are_and_another_with_another_model_or_limit(self, tmp_path: Path) -> None:
        one = Config(model="some", max_requests=10)
        assert run_of(one) == run_of(one.model_copy(update={"answers": str(tmp_path / "a"), "parallel": 3}))
        others = [one.model_copy(update=change) for change in ({"model": "other"}, {"max_requests": 11}, {"seed": 9})]
        assert len({run_of(other) for other in (one, *others)}) == 4

    def test_put_the_answers_where_they_say_and_make_the_folder(self, server: FaultyServer, tmp_path: Path) -> None:
        openai_backend(config(server, answers=str(tmp_path / "new" / "answers.sqlite")))
        assert (tmp_path / "new" / "answers.sqlite").is_file()


@pytest.mark.usefixtures("without_pictures")
class TestARun:
    def test_finds_the_prompt_behind_which_the_model_is_right(self, server: FaultyServer, tmp_path: Path) -> None:
        assert run(server, tmp_path / "run").prompt == TextPrompt("Judge. ")

    def test_that_is_read_back_pays_for_nothing(self, server: FaultyServer, tmp_path: Path) -> None:
        first = run(server, tmp_path / "run")
        paid = server.counts.requests
        assert resume(tmp_path / "run").summary == first.summary
        assert server.counts.requests == paid

    def test_that_shares_the_answers_of_another_pays_for_nothing(self, server: FaultyServer, tmp_path: Path) -> None:
        answers = str(tmp_path / "answers.sqlite")
        first = run(server, tmp_path / "first", answers=answers)
        paid = server.counts.requests
        again = run(server, tmp_path / "second", answers=answers, parallel=5)
        assert facts(again.history) == facts(first.history)
        assert server.counts.requests == paid

    def test_that_was_stopped_goes_on_and_ends_as_the_unbroken_one_and_pays_for_each_answer_once(
        self, server: FaultyServer, tmp_path: Path
    ) -> None:
        whole = run(server, tmp_path / "whole")
        answers = server.counts.answered
        server.plan = Plan.of(*["ok"] * (answers // 2), then="insufficient_quota")
        with pytest.raises(QuotaError):
            run(server, tmp_path / "broken")
        server.plan = Plan()
        ended = resume(tmp_path / "broken")
        assert facts(ended.history) == facts(whole.history)
        assert ended.prompt == whole.prompt
        assert server.counts.answered == 2 * answers

    def test_with_a_key_that_is_refused_leaves_no_folder(self, tmp_path: Path) -> None:
        with FaultyServer(Plan.of(then="bad key")) as server, pytest.raises(KeyRefusedError):
            run(server, tmp_path / "run")
        assert not (tmp_path / "run" / "config.json").exists()
