from math import log

import numpy as np
import pytest

from blackbox.backends.api.answer import Answer
from blackbox.backends.api.dialect import Features, Wanted
from blackbox.backends.api.scoring import Scoring, make_scoring
from blackbox.backends.api.unreadable import Reason
from blackbox.backends.base import Usage, chosen_options
from blackbox.backends.errors import BackendSettingError

TELLS, CONSTRAINS, WRITES = Features("/x", tops=20), Features("/x", choice="grammar"), Features("/x")
TWO = ("bad", "great")


def answered(text: str, *, finish: str = "stop", **top: float) -> Answer:
    """An answer of one token that shows these probabilities."""
    tops = ({token: log(p) for token, p in top.items()},) if top else ()
    return Answer(text, finish, tops, Usage())


def row(scoring: Scoring, answer: Answer) -> np.ndarray:
    """The scores of an answer that is not missing."""
    found = scoring.score(answer, TWO)
    assert not isinstance(found, str), found
    return found


def by(name: str, features: Features) -> Scoring:
    return make_scoring(name, features, answer_tokens=16)


@pytest.mark.parametrize(
    ("features", "name"),
    [
        (Features("/x", tops=5, choice="grammar"), "log-probabilities"),
        (TELLS, "log-probabilities"),
        (CONSTRAINS, "choice"),
        (WRITES, "text"),
    ],
)
def test_the_best_way_that_the_endpoint_can_do_is_taken(features: Features, name: str) -> None:
    assert by("auto", features).name == name


@pytest.mark.parametrize(
    ("name", "features", "ways"),
    [
        ("log-probabilities", CONSTRAINS, "choice, text"),
        ("log-probabilities", WRITES, "text"),
        ("choice", TELLS, "log-probabilities, text"),
    ],
)
def test_a_way_that_the_endpoint_cannot_do_is_refused_with_those_it_can(
    name: str, features: Features, ways: str
) -> None:
    with pytest.raises(BackendSettingError, match=f"cannot score by {name}; it can by {ways}$"):
        by(name, features)


def test_a_way_that_there_is_not_is_refused_with_those_there_are() -> None:
    with pytest.raises(BackendSettingError, match="one of auto, log-probabilities, choice, text, got 'best'"):
        by("best", TELLS)


class TestWhatIsWanted:
    def test_for_log_probabilities_is_the_first_token_behind_the_blanks(self) -> None:
        assert by("auto", TELLS).wanted(("bad", "great")) == Wanted(1, tops=20)
        assert by("auto", Features("/x", tops=20, blanks=1)).wanted(("bad", "great")) == Wanted(2, tops=20)

    @pytest.mark.parametrize("options", [("negative", "neutral"), (" Negative", "neutral"), ("x", "good", "great")])
    def test_for_options_that_begin_alike_is_more_than_one_token(self, options: tuple[str, ...]) -> None:
        assert by("auto", TELLS).wanted(options).max_tokens > 1

    def test_for_a_choice_is_one_of_the_options(self) -> None:
        wanted = by("auto", CONSTRAINS).wanted(TWO)
        assert (wanted.choices, wanted.tops) == (TWO, 0)

    def test_for_a_text_is_as_long_as_the_settings_say(self) -> None:
        assert by("text", TELLS).wanted(TWO) == Wanted(16)


class TestScores:
    def test_are_the_shares_of_the_probabilities_that_are_told(self) -> None:
        """p(bad) = .2 and p(great) = .6 of what both have, .8."""
        assert np.exp(row(by("auto", TELLS), answered("great", bad=0.2, great=0.6))) == pytest.approx([0.25, 0.75])

    @pytest.mark.parametrize(("name", "features"), [("choice", CONSTRAINS), ("text", WRITES)])
    def test_of_a_written_option_are_at_a_fixed_confidence(self, name: str, features: Features) -> None:
        assert np.exp(row(by(name, features), answered("great"))) == pytest.approx([0.1, 0.9])

    @pytest.mark.parametrize(
        ("name", "features", "answer"),
        [
            ("log-probabilities", TELLS, answered("The", The=0.9, A=0.05)),
            ("choice", CONSTRAINS, answered("both of them")),
            ("text", WRITES, answered("both of them")),
            ("text", WRITES, answered("bad and great")),
            ("text", WRITES, answered("not bad")),
            ("text", WRITES, answered("")),
            ("text", WRITES, answered("Well, the film is", finish="length")),
            ("text", WRITES, answered("I'm sorry, but I can't tell.")),
        ],
    )
    def test_of_an_answer_that_is_none_of_the_options_choose_none_and_tell_no_option_from_another(
        self, name: str, features: Features, answer: Answer
    ) -> None:
        scores = row(by(name, features), answer)
        assert chosen_options(scores) == -1
        assert np.exp(scores) == pytest.approx([0.05, 0.05])
        assert row(by(name, features), answered("bad", bad=0.9, great=0.05)).argmax() == 0


@pytest.mark.parametrize("name", ["log-probabilities", "choice", "text"])
@pytest.mark.parametrize(("finish", "reason"), [("content_filter", Reason.FILTERED), ("tool_calls", Reason.TOOL)])
def test_what_a_filter_or_a_tool_kept_from_being_an_answer_is_missing(name: str, finish: str, reason: Reason) -> None:
    scoring = by(name, Features("/x", tops=20, choice="grammar"))
    assert scoring.score(answered("bad", finish=finish, bad=0.9), TWO) == reason


def test_an_answer_that_tells_no_log_probabilities_where_they_are_asked_for_is_missing() -> None:
    assert by("auto", TELLS).score(answered("bad"), TWO) == Reason.UNTOLD


def test_an_answer_that_was_cut_off_before_its_first_word_is_missing() -> None:
    """A model that thinks first, and too few tokens for it: the setting's doing, for all prompts alike."""
    assert by("text", WRITES).score(answered("", finish="length"), TWO) == Reason.CUT
    assert by("choice", CONSTRAINS).score(answered(" \n", finish="length"), TWO) == Reason.CUT
    assert by("text", WRITES).score(answered("<think>It could be bad", finish="length"), TWO) == Reason.CUT
