import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from blackbox.errors import DataError
from blackbox.paired import (
    Comparison,
    compare,
    mcnemar_p_value,
    t_interval,
    t_quantile,
    t_within,
    tango_interval,
    tango_z,
)

Z = 1.959963984540054


def likeliest(b: int, c: int, n: int, delta: float) -> float:
    """The likeliest share of c's rows where the difference of b's and c's shares is delta, by ternary search."""

    def likelihood(q: float) -> float:
        cells = ((b, q + delta), (c, q), (n - b - c, 1 - 2 * q - delta))
        return sum(count * math.log(share) for count, share in cells if count)

    low, high = max(0.0, -delta) + 1e-13, (1 - delta) / 2 - 1e-13
    for _ in range(200):
        left, right = low + (high - low) / 3, high - (high - low) / 3
        low, high = (left, high) if likelihood(left) < likelihood(right) else (low, right)
    return low


@pytest.mark.parametrize(
    ("b", "c", "expected"),
    [
        (0, 0, 1.0),
        (1, 0, 1.0),
        (5, 0, 2 / 32),
        (0, 5, 2 / 32),
        (6, 1, 2 * (1 + 7) / 128),
        (7, 2, 2 * (1 + 9 + 36) / 512),
        (4, 4, 1.0),
        (5, 4, 1.0),
    ],
)
def test_the_p_value_of_right_and_wrong_rows_is_mcnemars_exact_one(b: int, c: int, expected: float) -> None:
    assert mcnemar_p_value(b, c) == expected


def test_thousands_of_discordant_rows_do_not_overflow() -> None:
    # the normal approximation with continuity correction: z = (|b - c| - 1) / sqrt(b + c)
    z = (200 - 1) / math.sqrt(5000)
    assert mcnemar_p_value(2600, 2400) == pytest.approx(math.erfc(z / math.sqrt(2)), rel=0.01)


@pytest.mark.parametrize(("b", "c", "n"), [(40, 20, 160), (12, 2, 50), (7, 3, 30), (3, 9, 40)])
def test_the_interval_of_right_and_wrong_rows_is_where_the_score_test_begins_to_reject(b: int, c: int, n: int) -> None:
    for bound, z in zip(tango_interval(b, c, n), (Z, -Z), strict=True):
        q = likeliest(b, c, n, bound)
        variance = (2 * q + bound - bound**2) / n  # of the difference of two shares on the same rows
        assert ((b - c) / n - bound) / math.sqrt(variance) == pytest.approx(z, rel=1e-4)


def test_the_score_test_of_no_difference_is_mcnemars() -> None:
    assert tango_z(12, 2, 50, 0.0) == pytest.approx((12 - 2) / math.sqrt(12 + 2))


def test_the_interval_without_a_discordant_row_is_wilsons_of_none() -> None:
    # b = c = 0: q = 0, z^2 = n delta^2 / (delta (1 - delta)), so delta = z^2 / (n + z^2)
    assert tango_interval(0, 0, 40) == pytest.approx((-(Z**2) / (40 + Z**2), Z**2 / (40 + Z**2)))


@given(st.integers(0, 30), st.integers(0, 30), st.integers(0, 30))
def test_the_interval_holds_the_difference_and_turns_round_with_the_prompts(b: int, c: int, same: int) -> None:
    n = b + c + same + 1
    low, high = tango_interval(b, c, n)
    assert -1 <= low <= (b - c) / n <= high <= 1
    assert tango_interval(c, b, n) == pytest.approx((-high, -low), abs=1e-9)


@pytest.mark.parametrize(
    ("nu", "quantile"), [(1, 12.7062), (2, 4.30265), (3, 3.18245), (10, 2.22814), (29, 2.04523), (120, 1.97993)]
)
def test_the_quantiles_of_student_are_the_printed_ones(nu: int, quantile: float) -> None:
    assert t_quantile(nu) == pytest.approx(quantile, abs=5e-5)  # Abramowitz & Stegun, table 26.10


def test_students_distribution_with_one_degree_is_cauchys_and_with_two_a_root() -> None:
    for t in (0.1, 1.0, 7.0):
        assert t_within(t, 1) == pytest.approx(2 / math.pi * math.atan(t))
        assert t_within(t, 2) == pytest.approx(t / math.sqrt(2 + t * t))


@settings(deadline=None)
@given(st.floats(0, 20), st.integers(1, 400))
def test_students_distribution_is_that_of_scipy(t: float, nu: int) -> None:
    stats = pytest.importorskip("scipy.stats")
    assert t_within(t, nu) == pytest.approx(1 - 2 * stats.t.sf(t, nu), abs=1e-9)


def test_real_scores_are_compared_by_the_paired_t_test() -> None:
    # Student 1908, doi:10.2307/2331554: hours of sleep gained by ten patients with two drugs; t = 4.0621, p = 0.00283
    first = [1.9, 0.8, 1.1, 0.1, -0.1, 4.4, 5.5, 1.6, 4.6, 3.4]
    second = [0.7, -1.6, -0.2, -1.2, -0.1, 3.4, 3.7, 0.8, 0.0, 2.0]
    found = compare(first, second)
    assert found.difference == pytest.approx(1.58)
    assert found.p_value == pytest.approx(0.002833, abs=1e-6)
    assert (found.low, found.high) == pytest.approx((0.7001142, 2.4598858), abs=1e-6)


def test_right_and_wrong_rows_are_compared_by_their_discordant_rows() -> None:
    first, second = [1, 1, 1, 1, 1, 1, 0, 0, 1, 0], [0, 0, 0, 0, 0, 0, 1, 0, 1, 0]
    found = compare(first, second)
    assert (found.difference, found.p_value, found.rows) == (0.5, mcnemar_p_value(6, 1), 10)
    assert (found.low, found.high) == tango_interval(6, 1, 10)


@given(st.lists(st.tuples(st.sampled_from([0.0, 1.0, 2.5, math.nan]), st.sampled_from([0.0, 1.0, math.nan]))))
def test_a_row_that_one_has_no_answer_to_counts_for_neither(pairs: list[tuple[float, float]]) -> None:
    table = np.array(pairs).reshape(-1, 2)
    answered = table[~np.isnan(table).any(axis=1)]
    found, expected = compare(*table.T), compare(*answered.T)
    assert repr(found) == repr(expected)
    assert found.rows == len(answered)


def test_no_common_row_says_nothing() -> None:
    found = compare([math.nan, 1.0], [0.0, math.nan])
    assert math.isnan(found.difference)
    assert (found.low, found.high, found.p_value, found.rows) == (-math.inf, math.inf, 1.0, 0)


def test_a_single_row_of_real_scores_shows_no_spread() -> None:
    assert compare([0.5], [0.25]) == Comparison(0.25, -math.inf, math.inf, 1.0, 1)


def test_differences_that_are_all_alike_leave_no_doubt() -> None:
    assert compare([2.5, 3.5, 4.5], [2.0, 3.0, 4.0]) == Comparison(0.5, 0.5, 0.5, 0.0, 3)


def test_the_interval_of_a_mean_is_students() -> None:
    assert t_interval(np.array([1.0, 2.0, 3.0])) == pytest.approx(
        (2 - 4.302653 / math.sqrt(3), 2 + 4.302653 / math.sqrt(3))
    )


def test_scores_that_do_not_go_together_are_refused() -> None:
    with pytest.raises(DataError, match=r"one shape \(n_rows,\), got \(2,\) and \(3,\)"):
        compare([1.0, 2.0], [1.0, 2.0, 3.0])
    with pytest.raises(DataError, match="must be finite, or NaN"):
        compare([math.inf], [0.0])
