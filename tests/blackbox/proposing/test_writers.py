"""Which model writes, by the settings."""

from typing import Any

import pytest

from blackbox.backends import Capability, FakeBackend, UnsupportedPromptError
from blackbox.build import check_names
from blackbox.config import Config, make_config
from blackbox.errors import SettingError, UnknownNameError
from blackbox.proposing.writers import make_writer, of_proposer
from blackbox.registry import BACKENDS

TASK: dict[str, Any] = {
    "backend": "openai",
    "model": "small",
    "base_url": "http://here/v1",
    "key_variable": "HERE",
    "usd_per_million_prompt_tokens": 1.0,
    "usd_per_million_completion_tokens": 2.0,
}


class Mute(FakeBackend):
    capabilities = FakeBackend().capabilities - {Capability.GENERATE}  # type: ignore[assignment]


def places(config: Config) -> tuple[object, ...]:
    price = config.usd_per_million_prompt_tokens, config.usd_per_million_completion_tokens
    return config.backend, config.model, config.base_url, config.key_variable, price


def test_by_default_the_model_of_the_task_writes() -> None:
    backend = FakeBackend()
    assert make_writer(Config(backend="fake"), backend) is backend
    assert make_writer(Config(backend="fake", proposer_backend="fake"), backend) is backend


def test_a_model_that_writes_no_text_does_not(caplog: pytest.LogCaptureFixture) -> None:
    assert make_writer(Config(backend="fake"), Mute()) is None
    assert "writes no text" in caplog.text


def test_nobody_writes_if_that_is_said() -> None:
    assert make_writer(Config(proposer_backend="none"), FakeBackend()) is None


def test_another_backend_writes_for_one_that_cannot() -> None:
    backend = Mute()
    writer = make_writer(Config(backend="local", proposer_backend="fake"), backend)
    assert isinstance(writer, FakeBackend)
    assert writer is not backend


def test_a_named_model_that_writes_no_text_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(BACKENDS._factories, "mute", lambda config: Mute())
    with pytest.raises(UnsupportedPromptError, match="has no text that the model writes"):
        make_writer(Config(proposer_backend="mute", proposer_model="any"), FakeBackend())


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ({"proposer_model": "large"}, ("openai", "large", "http://here/v1", "HERE", (None, None))),
        (
            {"proposer_model": "large", "proposer_base_url": "http://there/v1", "proposer_key_variable": "THERE"},
            ("openai", "large", "http://there/v1", "THERE", (None, None)),
        ),
        ({"proposer_base_url": "http://there/v1"}, ("openai", "small", "http://there/v1", "HERE", (None, None))),
        (
            {"proposer_backend": "anthropic", "proposer_model": "opus"},
            ("anthropic", "opus", None, None, (None, None)),
        ),
        (
            {
                "proposer_model": "large",
                "proposer_usd_per_million_prompt_tokens": 10.0,
                "proposer_usd_per_million_completion_tokens": 30.0,
            },
            ("openai", "large", "http://here/v1", "HERE", (10.0, 30.0)),
        ),
    ],
)
def test_the_writer_is_where_the_settings_say(given: dict[str, Any], expected: tuple[object, ...]) -> None:
    assert places(of_proposer(make_config({**TASK, **given}))) == expected


def test_another_backend_without_its_models_name_is_refused() -> None:
    with pytest.raises(SettingError, match="proposer_backend 'anthropic' needs `proposer_model`"):
        of_proposer(make_config({**TASK, "proposer_backend": "anthropic"}))


def test_a_backend_that_nothing_has_is_refused_before_anything_is_loaded() -> None:
    with pytest.raises(UnknownNameError, match="unknown backend 'opnai'; did you mean 'openai'"):
        check_names(make_config({**TASK, "proposer_backend": "opnai"}))
