"""Metrics of numbers, those predicted beside those of the rows, with 95% intervals."""

import math
import sys
from collections.abc import Callable

import numpy as np
import numpy.typing as npt

from blackbox.errors import unknown_name
from blackbox.metrics import Measured
from blackbox.paired import Z_95, t_interval

FloatArray = npt.NDArray[np.float64]
NumberMetric = Callable[[FloatArray, FloatArray], Measured]
"""Predicted and true numbers, each of shape (n_rows,), n_rows at least 1 -> the metric."""


def mean_absolute_error(predicted: FloatArray, true: FloatArray) -> Measured:
    """Mean of |predicted - true|, in the numbers' own unit; lower is better. Student's interval, cut at 0.

    A single row shows no spread: its interval goes up to the largest number that there is.
    """
    errors = np.abs(predicted - true)
    low, high = t_interval(errors)
    return Measured("mae", float(errors.mean()), max(low, 0.0), min(high, sys.float_info.max), len(errors))


def pearson(predicted: FloatArray, true: FloatArray) -> Measured:
    """Correlation with Fisher's interval (Fisher 1921): tanh(atanh r +- z / sqrt(n - 3))."""
    return _correlation("pearson", correlation(predicted, true), len(true), excess=0.0)


def spearman(predicted: FloatArray, true: FloatArray) -> Measured:
    """Correlation of the ranks; the interval of Bonett & Wright 2000, doi:10.1007/BF02294183, equation 5.

    It is Fisher's with the standard error sqrt((1 + r^2 / 2) / (n - 3)).
    """
    return _correlation("spearman", correlation(ranks(predicted), ranks(true)), len(true), excess=0.5)


def correlation(x: FloatArray, y: FloatArray) -> float:
    """Pearson's r; 0 where x or y is constant, which says nothing of the other."""
    centred_x, centred_y = x - x.mean(), y - y.mean()
    size = math.sqrt(float(centred_x @ centred_x) * float(centred_y @ centred_y))
    return min(1.0, max(-1.0, float(centred_x @ centred_y) / size)) if size > 0 else 0.0


def ranks(values: FloatArray) -> FloatArray:
    """From 1; equal values share the mean of their ranks."""
    _, places, counts = np.unique(values, return_inverse=True, return_counts=True)
    ends = np.cumsum(counts)
    means: FloatArray = ends - (counts - 1) / 2
    return means[places]


def make_number_metric(name: str) -> NumberMetric:
    """A metric by name.

    Raises:
        UnknownNameError: no metric of numbers has this name.
    """
    if name not in NUMBER_METRICS:
        raise unknown_name("metric of numbers", name, NUMBER_METRICS)
    return NUMBER_METRICS[name]


def _correlation(name: str, r: float, n: int, *, excess: float) -> Measured:
    if n < 4:
        return Measured(name, r, -1.0, 1.0, n)
    half = Z_95 * math.sqrt((1 + excess * r * r) / (n - 3))
    middle = math.atanh(r) if abs(r) < 1 else math.copysign(math.inf, r)
    return Measured(name, r, math.tanh(middle - half), math.tanh(middle + half), n)


NUMBER_METRICS: dict[str, NumberMetric] = {"mae": mean_absolute_error, "pearson": pearson, "spearman": spearman}
