from typing import Any

import pytest

from blackbox.backends import BackendSettingError, Writing, Written


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"max_tokens": 0}, "max_tokens must be at least 1, got 0"),
        ({"temperature": -0.5}, "temperature must be at least 0, got -0.5"),
        ({"temperature": float("nan")}, "temperature must be at least 0, got nan"),
        ({"temperature": float("inf")}, "temperature must be at least 0, got inf"),
        ({"seed": -1}, "seed must be at least 0, got -1"),
        ({"stop": ("\n", "")}, "stop texts must not be empty"),
    ],
)
def test_a_setting_out_of_its_range_is_refused(settings: dict[str, Any], message: str) -> None:
    with pytest.raises(BackendSettingError, match=message):
        Writing(**settings)


@pytest.mark.parametrize(
    ("text", "cut", "expected"),
    [
        (" a text ", False, Written("a text")),
        (" a text ", True, Written("a text", cut=True)),
        ("one\ntwo; three", True, Written("one")),
        ("one; two\nthree", False, Written("one")),
        ("\nnothing before", True, Written("")),
        ("", False, Written("")),
    ],
)
def test_a_text_ends_in_front_of_the_stop_text_that_comes_first(text: str, cut: bool, expected: Written) -> None:
    assert Writing(stop=("\n", ";")).ended(text, cut=cut) == expected
