"""The rules one by one; what the readers make of them is in `test_label_scores`."""

from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from blackbox.backends.api.option_text import find_option, plain_text
from blackbox.backends.api.unreadable import Reason

TWO = ("positive", "negative")


@pytest.mark.parametrize(
    ("text", "plain"),
    [
        ("  Positive \n\n  film  ", "positive\nfilm"),
        ("**Positive** and _good_, `sort of`", "positive and good, sort of"),
        ("## Positive\n> quoted", "positive\nquoted"),
        ("snake_case stays", "snake_case stays"),
        ("“Positive” isn’t", '"positive" isn\'t'),
        ("<think>\npositive?\n</think>\nNegative", "negative"),
        ("<think>a</think>Good<think>b</think>", "good"),
        ("<think>never closed", ""),
        ("Positive? No.\n</think>\n\nNegative", "negative"),
        ("GROß\u00a0und klein", "gross und klein"),
    ],
)
def test_what_does_not_matter_is_gone(text: str, plain: str) -> None:
    """A template may open the thought itself, so that the answer only closes it, as DeepSeek's does."""
    assert plain_text(text) == plain


class TestTheWholeAnswerOrALine:
    @pytest.mark.parametrize(
        "text", ["negative", "Negative.", "(negative)", "\n- Negative\n", "Positives first.\nnegative"]
    )
    def test_that_is_an_option_is_that_option(self, text: str) -> None:
        assert find_option(text, TWO) == 1

    def test_counts_before_what_is_said_of_other_options(self) -> None:
        assert find_option("negative\nIt is not positive, the label: positive would be wrong.", TWO) == 1

    def test_may_be_there_twice(self) -> None:
        assert find_option("negative\n\nNegative!", TWO) == 1

    def test_must_be_one_option_alone(self) -> None:
        assert find_option("positive\nnegative", TWO) is Reason.SEVERAL

    @pytest.mark.parametrize(("text", "number"), [("+", 0), ("-", 1), ('"-"', 1)])
    def test_may_be_punctuation(self, text: str, number: int) -> None:
        assert find_option(text, ("+", "-")) == number

    def test_is_the_option_as_it_stands_before_it_is_the_option_without_punctuation(self) -> None:
        assert find_option("good!", ("good", "good!")) == 1


class TestAStatement:
    @pytest.mark.parametrize(
        "text",
        [
            "Positive words, many of them. Answer: negative",
            "label = negative, though positive in parts",
            "The classification would be a negative one, not positive.",
            "Not positive at all. My verdict is: “negative”",
            "Output: (negative) for the positive film",
        ],
    )
    def test_says_the_option(self, text: str) -> None:
        assert find_option(text, TWO) == 1

    def test_that_comes_last_counts(self) -> None:
        assert find_option("Answer: positive. Wait. Answer: negative. All of it.", TWO) == 1

    @pytest.mark.parametrize(
        "text", ["Answer: positive or negative", "The answer is positive/negative", "Label: positive, and negative"]
    )
    def test_that_goes_on_with_another_states_nothing(self, text: str) -> None:
        assert find_option(text, TWO) is Reason.SEVERAL

    def test_that_denies_is_none(self) -> None:
        assert find_option("The answer is not positive", TWO) is Reason.DENIED

    def test_counts_even_behind_an_apology(self) -> None:
        assert find_option("I'm sorry to say that the answer is negative.", TWO) == 1


class TestAWord:
    @pytest.mark.parametrize(
        ("text", "found"),
        [
            ("I would call it negative, yes.", 1),
            ("The negativity is too much.", Reason.NONE),
            ("A negative-positive mix", Reason.NONE),
            ("It has never been negative.", Reason.DENIED),
            ("Nobody wants it, and after the first half of an hour it is negative.", 1),
            ("Rather than positive I would say bland.", Reason.DENIED),
        ],
    )
    def test_counts_whole_and_undenied(self, text: str, found: int | Reason) -> None:
        assert find_option(text, TWO) == found

    def test_of_several_words_counts_before_the_words_in_it(self) -> None:
        assert find_option("I think it is very positive in all.", ("positive", "very positive")) == 1

    @pytest.mark.parametrize(("text", "found"), [("Grade 1, I think", 0), ("Version 1.2 it is", Reason.NONE)])
    def test_may_be_a_number(self, text: str, found: int | Reason) -> None:
        assert find_option(text, ("1", "2")) == found


class TestAnAnswerThatWasCutOff:
    @pytest.mark.parametrize("text", ["", "The review is", "<think>It may be positive"])
    def test_before_an_option_says_so(self, text: str) -> None:
        assert find_option(text, TWO, cut=True) is Reason.CUT

    def test_behind_an_option_is_that_option(self) -> None:
        assert find_option("Negative. The reason is that", TWO, cut=True) == 1

    @pytest.mark.parametrize(("cut", "found"), [(True, Reason.CUT), (False, 0)])
    def test_may_be_a_longer_option(self, cut: bool, found: int | Reason) -> None:
        assert find_option("It is good", ("good", "good enough"), cut=cut) == found


@given(
    text=st.lists(st.sampled_from([*TWO, "neutral", "answer:", "not", "or", "\n", "sorry", "é", "."])).map(" ".join),
    cut=st.booleans(),
)
def test_no_option_is_found_for_the_place_that_it_has(text: str, cut: bool) -> None:
    options: Sequence[str] = (*TWO, "neutral")
    forth, back = find_option(text, options, cut=cut), find_option(text, options[::-1], cut=cut)
    if isinstance(forth, Reason):
        assert back is forth
    else:
        assert not isinstance(back, Reason)
        assert options[forth] == options[::-1][back]
