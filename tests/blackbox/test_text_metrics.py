from decimal import Decimal

import pytest

from blackbox.errors import DataError, UnknownNameError
from blackbox.text_metrics import TEXT_METRICS, last_number, make_text_metric


def score(metric: str, text: str, *answers: str) -> float:
    return make_text_metric(metric)(text, answers)


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("12", "12"),
        ("The total is 1,234.50.", "1234.5"),
        ("3 + 4 = 7. So she has 7 apples.", "7"),
        ("It is -3", "-3"),
        ("It is \N{MINUS SIGN}3.", "-3"),
        ("$-5", "-5"),
        ("-$5", "-5"),
        ("10-5", "5"),
        ("=-5", "-5"),
        ("50%", "50"),
        ("$.50", "0.5"),
        ("1,2,3", "3"),
        ("12,000,000 people", "12000000"),
        ("\\boxed{42}", "42"),
        ("#### 18", "18"),
        ("+4", "4"),
    ],
)
def test_the_last_number_of_a_text(text: str, number: str) -> None:
    assert last_number(text) == Decimal(number)


def test_a_text_may_hold_no_number() -> None:
    assert last_number("none at all.") is None
    assert score("numeric-match", "none at all", "3") == 0.0


def test_numbers_are_compared_by_their_value() -> None:
    assert score("numeric-match", "So it costs $1,200.00", "1200") == 1.0
    assert score("numeric-match", "1200.5", "1200") == 0.0
    assert score("numeric-match", "0.1", "0.10") == 1.0


@pytest.mark.parametrize(
    ("text", "answer", "expected"),
    [
        ("The Cat!", "cat", 1.0),  # evaluate-v1.1: normalize_answer("The Cat!") == "cat"
        ("a  cat", "an cat", 1.0),
        ("cats", "cat", 0.0),
        ("(A)", "(A)", 1.0),
        ("A", "(A)", 1.0),
        ("", "(A)", 0.0),
        ("the", "(A)", 0.0),
        ("(B)", "(A)", 0.0),
        ("?", "?", 1.0),
        ("", "?", 0.0),
        ("Yes.", "yes", 1.0),
    ],
)
def test_texts_match_when_they_are_prepared_alike(text: str, answer: str, expected: float) -> None:
    assert score("exact-match", text, answer) == expected


def test_the_words_of_an_answer_are_looked_for_as_whole_words_in_their_order() -> None:
    assert score("contains", "I know, it is the big House.", "a big house") == 1.0
    assert score("contains", "I know", "no") == 0.0
    assert score("contains", "house big", "big house") == 0.0


def test_f1_counts_words_as_often_as_they_occur() -> None:
    # two of the three words found are two of the four wanted: precision 2/3, recall 1/2
    assert score("token-f1", "blue blue sky", "the sky is blue now") == pytest.approx(2 * (2 / 3) * 0.5 / (2 / 3 + 0.5))
    assert score("token-f1", "", "sky") == 0.0


@pytest.mark.parametrize("metric", TEXT_METRICS)
def test_the_best_over_the_accepted_answers_counts_and_each_accepts_itself(metric: str) -> None:
    assert score(metric, "7", "five", "7", "5") == 1.0
    assert score(metric, "nine 9", "five 5", "7") == 0.0


def test_a_function_may_be_a_metric() -> None:
    def length(text: str, answers: object) -> float:
        return min(len(text) / 4, 1)

    metric = make_text_metric(length)
    assert (metric.name, metric("ab", ["x"])) == ("length", 0.5)


@pytest.mark.parametrize("value", [1.5, -0.1, float("nan"), None, "1"])
def test_a_function_that_gives_no_score_is_refused(value: object) -> None:
    metric = make_text_metric(lambda text, answers: value)  # type: ignore[arg-type, return-value]
    with pytest.raises(DataError, match="must give a number from 0 to 1, got .* for 'hm'"):
        metric("hm", ["x"])


def test_an_unknown_name_is_refused_with_the_nearest_known_one() -> None:
    with pytest.raises(UnknownNameError, match="unknown metric of targets 'exactmatch'; did you mean 'exact-match'"):
        make_text_metric("exactmatch")
