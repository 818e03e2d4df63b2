"""Masses before they are normalised, by hand; what the readers make of them is in `test_label_scores`."""

from collections.abc import Sequence
from math import log

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from blackbox.backends.api.answer import Answer
from blackbox.backends.api.option_tokens import LEAST_LEFT, option_masses
from blackbox.backends.api.unreadable import Reason
from blackbox.backends.base import Usage

TWO = ("bad", "great")


def masses(
    text: str, *tops: dict[str, float], options: Sequence[str] = TWO, finish: str = "length"
) -> list[float] | Reason:
    """Of an answer whose positions show tokens with these probabilities."""
    shown = tuple({token: log(p) for token, p in top.items()} for top in tops)
    found = option_masses(Answer(text, finish, shown, Usage()), options)
    return found if isinstance(found, Reason) else [float(mass) for mass in found]


def test_tokens_add_up_to_what_the_model_gives_an_option() -> None:
    assert masses(" great", {" great": 0.5, "great": 0.2, " bad": 0.1, "gr": 0.05}) == pytest.approx([0.1, 0.75])


def test_an_option_that_does_not_show_has_half_of_what_it_can_have_at_most() -> None:
    """All shown leave .5, more than the smallest of them."""
    assert masses("great", {"great": 0.4, "The": 0.1}) == pytest.approx([0.05, 0.4])
    assert masses("great", {"great": 0.6, "The": 0.35}) == pytest.approx([0.025, 0.6])
    assert masses("great", {"great": 1.0}) == pytest.approx([LEAST_LEFT / 2, 1.0])


def test_a_long_shared_beginning_is_followed_token_by_token() -> None:
    """p(very good) = .8 * .9 * .7, p(very bad) = .8 * .9 * .2, p(good) = .1."""
    tops = ({"very": 0.8, "good": 0.1}, {" ": 0.9}, {"good": 0.7, "bad": 0.2})
    found = masses("very good", *tops, options=("very good", "very bad", "good"))
    assert found == pytest.approx([0.504, 0.144, 0.1])


def test_a_shared_beginning_that_was_not_written_is_nobodys() -> None:
    found = masses("good", {"good": 0.6, "very": 0.3}, {".": 1.0}, options=("very good", "very bad", "good"))
    assert not isinstance(found, Reason)
    assert found[2] == pytest.approx(0.6)
    assert found[0] == found[1] < 0.1


def test_a_token_that_goes_on_into_what_is_no_option_counts_only_where_it_was_not_written() -> None:
    """ "great" was written and became "greatly"; " Great" might have stood alone."""
    assert masses("greatly", {"great": 0.5, "bad": 0.2}) == pytest.approx([0.2, 0.1])


def test_a_single_character_of_another_script_is_an_option() -> None:
    assert masses("好的", {"好": 0.7, "坏": 0.2}, options=("坏", "好")) == pytest.approx([0.2, 0.7])


@pytest.mark.parametrize(
    ("tops", "reason"),
    [
        ([], Reason.UNTOLD),
        ([{}, {}], Reason.UNTOLD),
        ([{"\n": 0.9, "great": 0.1}], Reason.EMPTY),
        ([{"**": 0.9}, {" ": 0.9}], Reason.EMPTY),
        ([{"The": 0.9, "A": 0.05}], Reason.UNSHOWN),
    ],
)
def test_where_nothing_can_be_told_the_reason_is(tops: list[dict[str, float]], reason: Reason) -> None:
    assert masses("\n", *tops) is reason


@given(
    text=st.sampled_from(["bad", "great", "gr", "greatly", "it is bad", ""]),
    tops=st.lists(
        st.dictionaries(
            st.sampled_from(["bad", "great", "gr", " bad", "eat", "The", "\n"]), st.floats(1e-6, 0.15), max_size=6
        ),
        max_size=3,
    ),
)
def test_masses_are_above_zero_and_share_what_there_is(text: str, tops: list[dict[str, float]]) -> None:
    found = masses(text, *tops)
    if not isinstance(found, Reason):
        assert min(found) > 0
        assert np.sum(found) <= 1 + 1e-9
