from typing import Any

import pytest

from blackbox.backends import FakeBackend
from blackbox.config import make_config
from blackbox.errors import SettingError
from blackbox.parts import make_parts
from blackbox.spaces import DeepSpace
from blackbox.starts import STARTS, make_start
from tests.blackbox.small import QUICK, make_target_task, make_task

BACKEND = FakeBackend()


def start(**settings: Any) -> str:
    return BACKEND.decode(make_start(BACKEND, make_task(), make_config({**QUICK, "prompt": None, **settings})))


@pytest.mark.parametrize("settings", [{"prompt": "classify"}, {"prompt": "classify", "prompt_tokens": 12}, {}])
def test_without_init_a_search_starts_from_the_text_or_else_from_random_tokens(settings: dict[str, Any]) -> None:
    assert start(**settings) == start(init="text" if settings else "random", **settings)


def test_label_words_are_repeated_with_a_space_in_front_of_each() -> None:
    assert start(init="label-words", prompt_tokens=16) == " bad great bad g"
    assert len(start(init="label-words")) == 50


def test_words_of_the_vocabulary_are_drawn_by_the_seed() -> None:
    assert start(init="vocabulary", prompt_tokens=30).isalpha()
    assert start(init="vocabulary") == start(init="vocabulary") != start(init="vocabulary", seed=2)


@pytest.mark.parametrize("name", sorted(STARTS.keys() - {"text"}))
def test_a_text_beside_a_start_that_is_another_is_refused(name: str) -> None:
    with pytest.raises(SettingError, match=f"'{name}' starts from no text, got `prompt` as well"):
        start(init=name, prompt="classify")


def test_a_text_that_is_not_given_is_refused() -> None:
    with pytest.raises(SettingError, match="starts from the text `prompt`, which is not given"):
        start(init="text")


def test_label_words_of_a_task_with_targets_are_refused() -> None:
    config = make_config({**QUICK, "prompt": None, "init": "label-words"})
    with pytest.raises(SettingError, match="needs label words; the task has targets"):
        make_start(BACKEND, make_target_task(), config)


def test_a_space_begins_with_the_start() -> None:
    config = make_config({**QUICK, "prompt": None, "init": "label-words", "prompt_tokens": 10})
    space = make_parts(config, make_task(), backend=BACKEND).space
    assert isinstance(space, DeepSpace)
    assert BACKEND.decode(space.token_ids) == " bad great"
