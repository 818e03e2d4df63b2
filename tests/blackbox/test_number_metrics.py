"""Metrics of numbers against SciPy's."""

import json
import math

import numpy as np
import pytest

from blackbox.errors import UnknownNameError
from blackbox.number_metrics import correlation, make_number_metric, mean_absolute_error, pearson, ranks, spearman


@pytest.fixture
def numbers() -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(4)
    true = rng.integers(1, 6, size=30).astype(float)
    return true + rng.normal(size=30), true


def test_the_correlations_and_fishers_interval_are_those_of_scipy(numbers: tuple[np.ndarray, np.ndarray]) -> None:
    stats = pytest.importorskip("scipy.stats")
    expected = stats.pearsonr(*numbers)
    measured = pearson(*numbers)
    assert measured.value == pytest.approx(expected.statistic)
    assert measured.interval == pytest.approx(tuple(expected.confidence_interval(0.95)))
    assert spearman(*numbers).value == pytest.approx(stats.spearmanr(*numbers).statistic)


def test_the_interval_of_spearman_is_wider_by_half_of_its_square(numbers: tuple[np.ndarray, np.ndarray]) -> None:
    measured = spearman(*numbers)
    half = np.arctanh(measured.high) - np.arctanh(measured.value)
    assert half == pytest.approx(1.959963984540054 * math.sqrt((1 + measured.value**2 / 2) / (30 - 3)))


def test_equal_values_share_the_mean_of_their_ranks() -> None:
    assert ranks(np.array([3.0, 1.0, 3.0, 7.0])).tolist() == [2.5, 1.0, 2.5, 4.0]


def test_what_is_constant_says_nothing() -> None:
    assert correlation(np.ones(5), np.arange(5.0)) == 0
    assert pearson(np.ones(5), np.arange(5.0)).value == 0


def test_the_mean_absolute_error_has_students_interval_and_never_less_than_nothing() -> None:
    stats = pytest.importorskip("scipy.stats")
    predicted, true = np.array([1.0, 2.5, 4.0, 4.0]), np.array([1.0, 3.0, 2.0, 5.0])
    errors = np.abs(predicted - true)
    measured = mean_absolute_error(predicted, true)
    assert measured.value == pytest.approx(errors.mean())
    _, high = stats.t.interval(0.95, 3, loc=errors.mean(), scale=stats.sem(errors))
    assert (measured.low, measured.high) == (0.0, pytest.approx(high))


@pytest.mark.parametrize("name", ["mae", "pearson", "spearman"])
def test_few_rows_have_an_interval_that_json_can_hold(name: str) -> None:
    measured = make_number_metric(name)(np.array([1.0]), np.array([2.0]))
    assert measured.low <= measured.value <= measured.high
    json.dumps(measured.to_dict(), allow_nan=False)


def test_less_of_an_error_is_better_and_more_of_a_correlation() -> None:
    near, far = (mean_absolute_error(np.array([value, value]), np.zeros(2)) for value in (0.1, 0.9))
    assert near.rank < far.rank
    assert near.reaches(0.2)
    assert not far.reaches(0.2)
    x = np.arange(6.0)
    good, bad = pearson(x, x + np.array([0, 1, 0, 1, 0, 1])), pearson(x, -x)
    assert good.rank < bad.rank
    assert good.reaches(0.9)
    assert not bad.reaches(0.9)


def test_they_are_written_as_numbers_not_as_shares() -> None:
    measured = mean_absolute_error(np.array([1.0, 2.0]), np.array([2.0, 2.5]))
    assert measured.brief == "0.750"
    assert str(measured).startswith("0.750 (0.000 to ")
    assert measured.change_from(1.0) == "0.250 less"
    assert (measured.scale, measured.unit) == (1.0, "as in the rows")


def test_an_unknown_name_is_refused() -> None:
    with pytest.raises(UnknownNameError, match="unknown metric of numbers 'rmse'; .*known: mae, pearson, spearman"):
        make_number_metric("rmse")
