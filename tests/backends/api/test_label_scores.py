from collections.abc import Sequence
from math import log

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from blackbox.backends import QueryError, Usage
from blackbox.backends.api.answer import Answer
from blackbox.backends.api.label_scores import ByChoice, ByLogProbabilities, ByText, LabelReader, Scored, Source
from blackbox.backends.api.unreadable import Reason, Unreadable

TWO = ("positive", "negative")
THREE = ("positive", "negative", "neutral")
READERS: list[LabelReader] = [ByLogProbabilities(), ByChoice(), ByText()]


def answered(text: str, *tops: dict[str, float], finish: str = "stop") -> Answer:
    """An answer whose positions show tokens with these probabilities."""
    return Answer(text, finish, tuple({token: log(p) for token, p in top.items()} for top in tops), Usage())


def probabilities(read: Scored | Unreadable) -> list[float]:
    assert isinstance(read, Scored), read
    return [float(p) for p in np.exp(read.log_probabilities)]


def measured(answer: Answer, options: Sequence[str] = TWO) -> list[float]:
    read = ByLogProbabilities().score(answer, options)
    assert isinstance(read, Scored), read
    assert read.source is Source.MEASURED
    return probabilities(read)


def why(read: Scored | Unreadable) -> Reason:
    assert isinstance(read, Unreadable), read
    return read.reason


class TestByLogProbabilities:
    @pytest.mark.parametrize(
        "variants",
        [
            {"positive": 0.5, " positive": 0.2, "Positive": 0.1},
            {"▁positive": 0.5, "ĠPositive": 0.2, "POSITIVE": 0.1},
            {"pos": 0.5, " Pos": 0.2, "posit": 0.1},
            {'"positive': 0.5, "**Positive": 0.2, "\nPOS": 0.1},
        ],
    )
    def test_variants_of_an_option_add_up(self, variants: dict[str, float]) -> None:
        """p(positive) = .5 + .2 + .1, p(negative) = .1; the .05 of another word are nobody's."""
        top = {**variants, "neg": 0.1, "The": 0.05}
        assert measured(answered("positive", top)) == pytest.approx([0.8 / 0.9, 0.1 / 0.9])

    def test_an_option_that_does_not_show_has_half_of_the_smallest_probability_shown(self) -> None:
        """All shown leave .35; the smallest shown is .05: .025 against .5."""
        top = {"positive": 0.5, "The": 0.1, "A": 0.05}
        assert measured(answered("positive", top)) == pytest.approx([0.5 / 0.525, 0.025 / 0.525])

    def test_an_option_that_does_not_show_has_half_of_what_is_left_where_that_is_less(self) -> None:
        """All shown leave .01, less than the smallest shown, .2: .005 against .79."""
        top = {"negative": 0.79, "It": 0.2}
        assert measured(answered("negative", top)) == pytest.approx([0.005 / 0.795, 0.79 / 0.795])

    def test_where_rounding_leaves_nothing_an_option_that_does_not_show_is_still_possible(self) -> None:
        read = measured(answered("positive", {"positive": 1.0000001}))
        assert read == pytest.approx([1.0, 0.5e-7], rel=1e-5)

    def test_an_option_that_shows_is_never_level_with_one_that_does_not(self) -> None:
        assert measured(answered("negative", {"negative": 0.3})) == pytest.approx([1 / 3, 2 / 3])

    def test_9999_means_not_shown(self) -> None:
        answer = Answer("positive", "stop", ({"positive": log(0.6), "the": log(0.2), "negative": -9999.0},), Usage())
        assert measured(answer) == pytest.approx([0.6 / 0.7, 0.1 / 0.7])

    def test_the_first_position_that_is_no_white_space_or_markup_counts(self) -> None:
        blank = {"\n": 0.7, "negative": 0.2}
        markup = {"**": 0.9, "negative": 0.1}
        word = {"positive": 0.6, "negative": 0.3}
        answer = answered("\n**positive**", blank, markup, word, {"**": 1.0})
        assert measured(answer) == pytest.approx([2 / 3, 1 / 3])

    def test_markup_is_no_blank_where_an_option_begins_with_it(self) -> None:
        assert measured(answered("#", {"#": 0.6, "+": 0.3}), ("+", "#1")) == pytest.approx([1 / 3, 2 / 3])

    def test_a_token_that_begins_two_options_is_parted_by_the_next_position(self) -> None:
        """p(negative) = .6 * .7, p(neutral) = .6 * .2, p(positive) = .3."""
        answer = answered("negative", {"ne": 0.6, "positive": 0.3}, {"gative": 0.7, "utral": 0.2, "w": 0.1})
        assert measured(answer, THREE) == pytest.approx([0.3 / 0.84, 0.42 / 0.84, 0.12 / 0.84])

    def test_an_option_that_does_not_show_behind_a_shared_beginning_has_half_of_what_is_hidden_there(self) -> None:
        """Neutral: .6 * min(.2, .1) / 2 behind "ne", and min(.3, .1) / 2 beside it."""
        answer = answered("negative", {"ne": 0.6, "positive": 0.3}, {"gative": 0.7, "w": 0.2})
        assert measured(answer, THREE) == pytest.approx(np.array([0.3, 0.42, 0.08]) / 0.8)

    def test_a_shared_beginning_from_which_the_answer_does_not_go_on_is_nobodys(self) -> None:
        """Negative and neutral: half of min(.1, .2)."""
        answer = answered("positive", {"positive": 0.7, "ne": 0.1})
        assert measured(answer, THREE) == pytest.approx(np.array([0.7, 0.05, 0.05]) / 0.8)

    def test_a_shared_beginning_that_outweighs_every_option_makes_the_answer_unreadable(self) -> None:
        answer = answered("ne", {"ne": 0.6, "positive": 0.3}, finish="length")
        assert why(ByLogProbabilities().score(answer, THREE)) is Reason.AMBIGUOUS

    def test_of_many_options_no_one_can_have_the_mass_of_all_shared_beginnings(self) -> None:
        """p(card lost) = .4 * .9; cash and fee begin two each, and .3 is the most that one of these may have."""
        options = [f"{thing} {what}" for thing in ("card", "cash", "fee") for what in ("lost", "wrong")]
        answer = answered("card lost", {"card": 0.4, "cash": 0.3, "fee": 0.3}, {" lost": 0.9, " wrong": 0.1})
        assert int(np.argmax(measured(answer, options))) == 0

    def test_of_an_option_within_another_the_position_behind_it_decides(self) -> None:
        """p(good) = .8 * (.5 + .1), p(good enough) = .8 * .3; "goodness" is neither. p(bad) = .1."""
        behind = {".": 0.5, "<|end|>": 0.1, " enough": 0.3, "ness": 0.05}
        answer = answered("good.", {"good": 0.8, "bad": 0.1}, behind)
        assert measured(answer, ("good", "good enough", "bad")) == pytest.approx(np.array([0.48, 0.24, 0.1]) / 0.82)

    def test_an_answer_that_ends_is_the_shorter_option_and_one_that_was_cut_off_may_be_either(self) -> None:
        top = {"good": 0.8, "bad": 0.1}
        options = ("good enough", "good", "bad")
        assert int(np.argmax(measured(answered("good", top), options))) == 1
        assert why(ByLogProbabilities().score(answered("good", top, finish="length"), options)) is Reason.AMBIGUOUS

    def test_a_written_token_counts_only_if_the_text_goes_on_as_the_option_does(self) -> None:
        """The .6 are an article; ambivalent has half of min(.3, .1)."""
        answer = answered("a fine film", {"a": 0.6, "positive": 0.3}, {" fine": 0.9})
        assert measured(answer, ("ambivalent", "positive")) == pytest.approx([0.05 / 0.35, 0.3 / 0.35])

    def test_where_no_option_shows_the_answer_is_unreadable_and_no_tie(self) -> None:
        assert why(ByLogProbabilities().score(answered("I", {"I": 0.9, "The": 0.05}), TWO)) is Reason.UNSHOWN

    @pytest.mark.parametrize("tops", [(), ({},), ({"positive": -9999.0},)])
    def test_without_log_probabilities_the_answer_is_unreadable(self, tops: tuple[dict[str, float], ...]) -> None:
        assert why(ByLogProbabilities().score(Answer("positive", "stop", tops, Usage()), TWO)) is Reason.UNTOLD

    def test_white_space_alone_is_empty(self) -> None:
        assert why(ByLogProbabilities().score(answered("\n", {"\n": 0.9, "positive": 0.1}), TWO)) is Reason.EMPTY


class TestByChoice:
    @pytest.mark.parametrize("text", ["negative", " negative", "Negative", '"negative"'])
    def test_without_log_probabilities_the_chosen_option_has_nine_tenths(self, text: str) -> None:
        read = ByChoice().score(answered(text), THREE)
        assert probabilities(read) == pytest.approx([0.05, 0.9, 0.05])
        assert isinstance(read, Scored)
        assert read.source is Source.WRITTEN

    def test_log_probabilities_that_agree_are_the_scores(self) -> None:
        read = ByChoice().score(answered("negative", {"negative": 0.4, "positive": 0.1, "The": 0.4}), TWO)
        assert probabilities(read) == pytest.approx([0.2, 0.8])
        assert isinstance(read, Scored)
        assert read.source is Source.MEASURED

    @pytest.mark.parametrize("top", [{"positive": 0.6, "negative": 0.3}, {"The": 0.9}])
    def test_the_choice_stands_against_log_probabilities_that_do_not_show_it(self, top: dict[str, float]) -> None:
        assert probabilities(ByChoice().score(answered("negative", top), TWO)) == pytest.approx([0.1, 0.9])

    @pytest.mark.parametrize(
        ("text", "finish", "reason"),
        [("I think positive", "stop", Reason.NONE), ("posi", "length", Reason.CUT), ("", "stop", Reason.EMPTY)],
    )
    def test_a_text_that_is_no_option_is_unreadable(self, text: str, finish: str, reason: Reason) -> None:
        assert why(ByChoice().score(answered(text, finish=finish), TWO)) is reason


class TestByText:
    @pytest.mark.parametrize(
        "text",
        [
            "negative",
            " Negative.\n",
            "**NEGATIVE**",
            "“negative”",
            "`negative`",
            "_negative_",
            "- negative",
            "Answer: Negative",
            '{"label": "negative"}',
            "The sentiment of this review is negative!",
            "Negative\n\nThe plot could have been positive in other hands.",
            "<think>positive? no</think>\nnegative",
            "It has positive sides and negative ones. The answer is **negative**.",
            "Answer: positive? No. Final answer: negative",
        ],
    )
    def test_an_option_is_found_whatever_stands_around_it(self, text: str) -> None:
        read = ByText().score(answered(text), TWO)
        assert probabilities(read) == pytest.approx([0.1, 0.9])
        assert isinstance(read, Scored)
        assert read.source is Source.WRITTEN

    @pytest.mark.parametrize(
        ("text", "reason"),
        [
            ("", Reason.EMPTY),
            (" \n\t", Reason.EMPTY),
            ("<think>positive</think>", Reason.EMPTY),
            ("It is fine.", Reason.NONE),
            ("positively", Reason.NONE),
            ("non-positive", Reason.NONE),
            ("positive or negative", Reason.SEVERAL),
            ("The answer is positive or negative.", Reason.SEVERAL),
            ("Not positive, negative.", Reason.SEVERAL),
            ("not positive", Reason.DENIED),
            ("This isn't a positive review.", Reason.DENIED),
            ("I do not think that it is positive.", Reason.DENIED),
            ("I'm sorry, but I can't say that this is positive.", Reason.REFUSED),
            ("As an AI language model I see nothing positive.", Reason.REFUSED),
        ],
    )
    def test_an_answer_that_names_no_single_option_is_unreadable_with_the_reason(
        self, text: str, reason: Reason
    ) -> None:
        assert why(ByText().score(answered(text), TWO)) is reason

    @pytest.mark.parametrize("text", ["The sentiment is", "<think>positive or", ""])
    def test_an_answer_that_was_cut_off_before_it_named_an_option_is_unreadable(self, text: str) -> None:
        assert why(ByText().score(answered(text, finish="length"), TWO)) is Reason.CUT

    def test_of_overlapping_options_the_longest_counts(self) -> None:
        options = ("positive", "very positive", "not positive")
        for text, chosen in [("It is very positive.", 1), ("It is not positive.", 2), ("It is positive.", 0)]:
            assert int(np.argmax(probabilities(ByText().score(answered(text), options)))) == chosen

    def test_an_answer_that_was_cut_off_within_an_option_is_not_the_shorter_one(self) -> None:
        assert why(ByText().score(answered("good", finish="length"), ("good", "good enough"))) is Reason.CUT

    def test_a_single_letter_in_a_sentence_is_an_article(self) -> None:
        assert why(ByText().score(answered("A bad film"), ("A", "B"))) is Reason.NONE
        for text in ("B", "(b)", "B.", "The answer is (B)."):
            assert probabilities(ByText().score(answered(text), ("A", "B"))) == pytest.approx([0.1, 0.9])

    @pytest.mark.parametrize(("text", "reason"), [("1.5", Reason.NONE), ("12", Reason.NONE), ("1 2", Reason.SEVERAL)])
    def test_a_digit_within_a_number_is_no_option(self, text: str, reason: Reason) -> None:
        assert why(ByText().score(answered(text), ("1", "2"))) is reason

    def test_words_of_scripts_without_spaces_are_found(self) -> None:
        assert probabilities(ByText().score(answered("这是消极的。"), ("积极", "消极"))) == pytest.approx([0.1, 0.9])


@pytest.mark.parametrize("reader", READERS, ids=lambda reader: type(reader).__name__)
class TestEveryReader:
    @pytest.mark.parametrize(
        ("finish", "reason"),
        [("content_filter", Reason.FILTERED), ("tool_calls", Reason.TOOL), ("refusal", Reason.REFUSED)],
    )
    def test_what_is_no_answer_of_the_model_is_unreadable(
        self, reader: LabelReader, finish: str, reason: Reason
    ) -> None:
        assert why(reader.score(answered("positive", {"positive": 1.0}, finish=finish), TWO)) is reason

    @pytest.mark.parametrize("options", [("positive",), ("good", "Good"), ("good", " "), ("good", "**good**")])
    def test_options_that_cannot_be_told_apart_are_refused(self, reader: LabelReader, options: tuple[str, ...]) -> None:
        with pytest.raises(QueryError, match="options must be two or more texts that differ"):
            reader.score(answered("good"), options)

    @given(
        text=st.text() | st.lists(st.sampled_from([*THREE, "not", "ne", " ", ".", "answer:"])).map("".join),
        tops=st.lists(
            st.dictionaries(
                st.text(max_size=3) | st.sampled_from([*THREE, "ne", "pos", " ", "\n"]),
                st.floats(-9999, 0),
                max_size=5,
            ),
            max_size=3,
        ),
        finish=st.sampled_from(["stop", "length"]),
    )
    def test_whatever_comes_is_a_distribution_with_one_best_option_in_any_order_or_unreadable(
        self, reader: LabelReader, text: str, tops: list[dict[str, float]], finish: str
    ) -> None:
        answer = Answer(text, finish, tuple(tops), Usage())
        read, turned = reader.score(answer, THREE), reader.score(answer, THREE[::-1])
        if isinstance(read, Unreadable):
            assert read == turned
            return
        assert np.isfinite(read.log_probabilities).all()
        assert sum(probabilities(read)) == pytest.approx(1.0)
        assert probabilities(read) == pytest.approx(probabilities(turned)[::-1])
