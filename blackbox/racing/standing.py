"""Who is ahead, and the probability that a candidate would lead over all rows.

A loss is taken as candidate + row + noise, fitted by least squares (two-way layout with empty cells: Searle 1971,
Linear Models, chapter 7). A row tells only of differences between the candidates that have an answer to it: how hard it
is cancels. Where all rows are answered, the effects are the differences of the mean losses.

The rows to come are predicted, given those seen (stochastic curtailment: Lan, Simon & Halperin 1982,
doi:10.1080/07474948208836014; by a predictive probability: Spiegelhalter, Freedman & Blackburn 1986,
doi:10.1016/0197-2456(86)90003-6). With n of N rows seen, noise s^2 and true means spread with variance t^2 around each
other, the mean over all rows is normal, with w = t^2 / (t^2 + s^2 / n) and

    mean      effect (n + (N - n) w) / N
    variance  ((N - n) / N)^2 (w s^2 / n + s^2 / (N - n))
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

FloatArray = npt.NDArray[np.float64]
_POINTS = np.linspace(-4.0, 4.0, 25)
_WEIGHTS = np.exp(-(_POINTS**2) / 2) / np.exp(-(_POINTS**2) / 2).sum()
_POOLED_ROWS = 20
"""Rows of all candidates' noise that each one's own is mixed with: one that is always right has some all the same."""


@dataclass(frozen=True, eq=False)
class Standing:
    """How n candidates compare: `effects` (lower is better, mean 0), answered `rows`, `noise` variance, each (n,)."""

    effects: FloatArray
    rows: FloatArray
    noise: FloatArray
    pooled: float


def standing(losses: FloatArray) -> Standing:
    """The standing by losses of shape (n_candidates, n_rows), NaN where a row has no answer."""
    shared = losses[:, (~np.isnan(losses)).sum(axis=0) >= 2]
    there = (~np.isnan(shared)).astype(np.float64)
    known, per_row = np.where(there > 0, shared, 0.0), np.maximum(there.sum(axis=0), 1)
    effects = _effects(known, there, per_row)
    row_effects = ((known - effects[:, None]) * there).sum(axis=0) / per_row
    squares = (((known - effects[:, None] - row_effects) * there) ** 2).sum(axis=1)
    free = there.sum() - there.shape[1] - len(losses) + 1
    pooled = float(squares.sum() / max(free, 1))
    noise = (_POOLED_ROWS * pooled + squares) / (_POOLED_ROWS + (there * (1 - 1 / per_row)).sum(axis=1))
    return Standing(effects, there.sum(axis=1), noise, pooled)


def _effects(known: FloatArray, there: FloatArray, per_row: FloatArray) -> FloatArray:
    """Least squares for the candidates, the rows eliminated; equal ones stay equal (rounded to 12 digits)."""
    right = ((known - known.sum(axis=0) / per_row) * there).sum(axis=1)
    left = np.diag(there.sum(axis=1)) - (there / per_row) @ there.T
    effects = np.linalg.lstsq(left + 1.0, right)[0]  # + 1: of all solutions the one of mean 0
    scale = np.abs(known).max(initial=0.0) or 1.0
    rounded: FloatArray = np.round(effects / scale, 12) * scale
    return rounded


def lead_probabilities(standing: Standing, n_rows: int, *, spread: float) -> FloatArray:
    """For each candidate the probability that its mean loss over all n_rows is the lowest, shape (n_candidates,).

    Args:
        standing: on the rows so far.
        n_rows: all rows, N.
        spread: the t that is expected, in standard deviations of a row's noise.
    """
    n, N = np.maximum(standing.rows, 1), n_rows
    t_2, s_2 = spread**2 * standing.pooled, standing.noise
    w = t_2 / np.maximum(t_2 + s_2 / n, np.finfo(np.float64).tiny)
    to_come = np.maximum(N - n, 0)
    mean = standing.effects * (n + to_come * w) / N
    variance = (to_come / N) ** 2 * w * s_2 / n + to_come * s_2 / N**2
    floor = 1e-9 * max(float(np.abs(mean).max()), np.finfo(np.float64).tiny)  # where nothing is open: a step, not 0 / 0
    return lowest_probabilities(mean, np.maximum(np.sqrt(variance), floor))


def lowest_probabilities(mean: FloatArray, deviation: FloatArray) -> FloatArray:
    """For independent normal variables the probability of each to be the lowest, by the sum over its own values."""
    values = mean[:, None] + deviation[:, None] * _POINTS
    above = normal_cdf((mean[:, None, None] - values) / deviation[:, None, None])  # [j, i, point]: j above i's value
    above[np.arange(len(mean)), np.arange(len(mean))] = 1.0
    lowest: FloatArray = above.prod(axis=0) @ _WEIGHTS
    return lowest


def normal_cdf(z: FloatArray) -> FloatArray:
    """The normal distribution function, to 1e-7 (Abramowitz & Stegun 26.2.17)."""
    k = 1 / (1 + 0.2316419 * np.abs(z))
    series = k * (0.319381530 + k * (-0.356563782 + k * (1.781477937 + k * (-1.821255978 + k * 1.330274429))))
    tail = np.exp(-np.minimum(z * z, 1400.0) / 2) / np.sqrt(2 * np.pi) * series
    cdf: FloatArray = np.where(z > 0, 1 - tail, tail)
    return cdf
