import pytest

from blackbox.report.words import about, compact, counted, in_time, in_usd, reason_in_words


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (-1.0, "0.0 s"),
        (0.44, "0.4 s"),
        (9.96, "10 s"),
        (59.4, "59 s"),
        (59.6, "1 min 00 s"),
        (185, "3 min 05 s"),
        (3599.7, "1 h 00 min"),
        (7620, "2 h 07 min"),
        (273600, "3 d 04 h"),
    ],
)
def test_times_are_in_their_two_largest_units(seconds: float, words: str) -> None:
    assert in_time(seconds) == words


@pytest.mark.parametrize(
    ("seconds", "words"), [(12, "12 s"), (59.7, "1 min"), (90.1, "2 min"), (3569, "59 min"), (3580, "1 h 00 min")]
)
def test_estimates_leave_the_seconds_of_minutes_out(seconds: float, words: str) -> None:
    assert about(seconds) == words


@pytest.mark.parametrize(
    ("number", "words"),
    [
        (0, "0"),
        (999, "999"),
        (1000, "1.00k"),
        (15_000, "15.0k"),
        (99_960, "100k"),
        (999_600, "1.00M"),
        (1_500_000, "1.50M"),
        (2_100_000_000, "2.10G"),
    ],
)
def test_compact_counts_have_three_digits_and_at_most_five_characters(number: int, words: str) -> None:
    assert compact(number) == words
    assert len(words) <= 5


@pytest.mark.parametrize(("usd", "words"), [(0, "0.00 USD"), (0.0123, "0.0123 USD"), (1234.5, "1,234.50 USD")])
def test_money_below_one_dollar_has_four_digits(usd: float, words: str) -> None:
    assert in_usd(usd) == words


def test_nouns_are_singular_for_one() -> None:
    assert (counted(1, "test row"), counted(8000, "test row")) == ("1 test row", "8,000 test rows")


def test_the_reasons_of_the_search_are_put_in_words_and_errors_are_left_as_they_are() -> None:
    assert reason_in_words("evaluations") == "the budget of evaluations is spent"
    assert reason_in_words("usd of the sweep") == "the sweep's budget of USD is spent"
    assert reason_in_words("seconds of the sweep") == "the sweep's time limit is reached"
    assert reason_in_words("optimizer (tolfun)") == "the optimizer stopped (tolfun)"
    assert reason_in_words("RateLimitError: 429") == "RateLimitError: 429"
