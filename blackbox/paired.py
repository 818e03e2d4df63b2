"""Two prompts on the same rows: the mean difference of their scores, how sure it is, and whether it may be luck.

Rows that either of the two has no answer to are left out for both. Scores that are all 0 or 1 (right or wrong) are
compared by their discordant rows: b rows where only the first has a 1, c where only the second has.

- p-value of 0/1 scores: McNemar's exact test, twice the tail of Binomial(b + c, 1/2) (McNemar 1947,
  doi:10.1007/BF02295996; Fagerland, Lydersen & Laake 2013, doi:10.1186/1471-2288-13-91, section "exact conditional").
- interval of 0/1 scores: Tango's score interval (Tango 1998,
  doi:10.1002/(SICI)1097-0258(19980430)17:8<891::AID-SIM780>3.0.CO;2-B), the differences that a score test of McNemar's
  kind does not reject; at a difference of zero it is McNemar's test.
- other scores, and the figures of runs (`compare_means`): Student's paired t, its distribution by the finite series of
  Abramowitz & Stegun 26.7.3 and 26.7.4.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from blackbox.errors import DataError

Z_95 = 1.959963984540054
"""97.5% quantile of the normal distribution: half of a 95% interval in standard errors."""


@dataclass(frozen=True)
class Comparison:
    """First less second: the mean difference, its 95% interval, a two-sided p-value, the rows that both answered.

    Of runs, `rows` are the pairs. Without any, the difference is NaN, the interval everything and the p-value 1.
    """

    difference: float
    low: float
    high: float
    p_value: float
    rows: int


_NOTHING = Comparison(math.nan, -math.inf, math.inf, 1.0, 0)


def compare(first: npt.ArrayLike, second: npt.ArrayLike) -> Comparison:
    """Compares the scores of two prompts, each of shape (n_rows,), NaN where a row has no answer.

    Raises:
        DataError: the shapes differ or are not one-dimensional, or a score is infinite.
    """
    x, y = np.asarray(first, dtype=np.float64), np.asarray(second, dtype=np.float64)
    if x.ndim != 1 or x.shape != y.shape:
        raise DataError(f"two prompts are compared by scores of one shape (n_rows,), got {x.shape} and {y.shape}")
    if np.isinf(x).any() or np.isinf(y).any():
        raise DataError("a score must be finite, or NaN for a row without an answer; got an infinite one")
    both = ~np.isnan(x) & ~np.isnan(y)
    x, y, n = x[both], y[both], int(both.sum())
    if n == 0:
        return _NOTHING
    if is_binary(x) and is_binary(y):
        b, c = int(np.sum(x > y)), int(np.sum(x < y))
        return Comparison((b - c) / n, *tango_interval(b, c, n), mcnemar_p_value(b, c), n)
    return compare_means(x, y)


def compare_means(first: npt.ArrayLike, second: npt.ArrayLike) -> Comparison:
    """Compares figures in pairs, such as those of runs with the same seed, each of shape (n_pairs,), all finite."""
    differences = np.asarray(first, dtype=np.float64) - np.asarray(second, dtype=np.float64)
    if not len(differences):
        return _NOTHING
    low, high = t_interval(differences)
    return Comparison(float(np.mean(differences)), low, high, t_p_value(differences), len(differences))


def is_binary(scores: npt.NDArray[np.float64]) -> bool:
    """Whether all scores are 0 or 1."""
    return bool(np.isin(scores, (0.0, 1.0)).all())


def mcnemar_p_value(b: int, c: int) -> float:
    """Exact, two-sided: min(1, 2 P(X <= min(b, c))), X of Binomial(b + c, 1/2)."""
    n = b + c
    tail = sum(math.comb(n, k) for k in range(min(b, c) + 1))
    return min(1.0, 2 * tail / (1 << n))


def tango_interval(b: int, c: int, n: int) -> tuple[float, float]:
    """95% interval of the difference (b - c) / n of two shares on the same n rows."""
    middle = (b - c) / n
    return (
        _root(lambda delta: tango_z(b, c, n, delta) - Z_95, -1.0, middle),
        _root(lambda delta: tango_z(b, c, n, delta) + Z_95, middle, 1.0),
    )


def tango_z(b: int, c: int, n: int, delta: float) -> float:
    """Tango's statistic of the hypothesis that the difference is `delta`; about standard normal where it holds."""
    B = -b - c + (2 * n - b + c) * delta
    C = -c * delta * (1 - delta)
    q_21 = (math.sqrt(max(B * B - 8 * n * C, 0.0)) - B) / (4 * n)  # the likeliest share of c's rows, given delta
    variance = n * (2 * q_21 + delta * (1 - delta))
    above = b - c - n * delta
    return above / math.sqrt(variance) if variance > 0 else math.copysign(math.inf, above) if above else 0.0


def t_p_value(differences: npt.NDArray[np.float64]) -> float:
    """Two-sided p-value of Student's t for a mean of zero; 1 for a single row, which shows no spread."""
    n, mean = len(differences), float(np.mean(differences))
    if n < 2 or mean == 0:
        return 1.0
    error = float(np.std(differences, ddof=1)) / math.sqrt(n)
    return 1 - t_within(abs(mean) / error, n - 1) if error > 0 else 0.0


def t_interval(values: npt.NDArray[np.float64]) -> tuple[float, float]:
    """95% interval of a mean by Student's t; everything for a single row, which shows no spread."""
    n, mean = len(values), float(np.mean(values))
    if n < 2:
        return -math.inf, math.inf
    half = t_quantile(n - 1) * float(np.std(values, ddof=1)) / math.sqrt(n)
    return mean - half, mean + half


def t_quantile(nu: int, within: float = 0.95) -> float:
    """The t that holds this share of Student's distribution with nu degrees of freedom between -t and t."""
    high = 1.0
    while t_within(high, nu) < within:
        high *= 2
    return _root(lambda t: t_within(t, nu) - within, 0.0, high)


def t_within(t: float, nu: int) -> float:
    """A(t | nu): the share of Student's distribution between -t and t (Abramowitz & Stegun 26.7.3, 26.7.4)."""
    theta = math.atan(t / math.sqrt(nu))
    sine, cosine = math.sin(theta), math.cos(theta)
    if nu % 2:  # 2/pi (theta + sin (cos + 2/3 cos^3 + 2*4/(3*5) cos^5 + ...)), up to cos^(nu - 2)
        k = np.arange(2, nu - 1, 2)
        terms = cosine * np.cumprod(np.concatenate([[1.0], k / (k + 1) * cosine**2]))
        return min(1.0, 2 / math.pi * (theta + (sine * float(terms.sum()) if nu > 1 else 0.0)))
    k = np.arange(1, nu - 2, 2)  # sin (1 + 1/2 cos^2 + 1*3/(2*4) cos^4 + ...), up to cos^(nu - 2)
    return min(1.0, sine * float(np.cumprod(np.concatenate([[1.0], k / (k + 1) * cosine**2])).sum()))


def _root(function: Callable[[float], float], low: float, high: float) -> float:
    """Where a monotone function that changes its sign between the bounds is zero, by bisection."""
    rising = function(low) < function(high)
    for _ in range(80):
        middle = (low + high) / 2
        low, high = (middle, high) if (function(middle) < 0) == rising else (low, middle)
    return (low + high) / 2
