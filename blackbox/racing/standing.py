"""Who is ahead, and the probability that a candidate would lead over all rows.

A loss is taken as candidate + row + noise, y_ij = mu + c_i + r_j + e_ij, with variances t^2 of the c, v^2 of the r and
s_i^2 of a candidate's noise (two-way layout with empty cells, rows and candidates random: Searle 1971, Linear Models,
chapters 7 and 11). How hard a row is cancels as far as candidates share it: where v is large, rows tell only of
differences between the candidates that have an answer to them; where rows are alike, a candidate's mean counts by
itself. What is beyond the first rows would else say nothing of how the few that met it compare with the others.

The rows to come are predicted, given those seen (stochastic curtailment: Lan, Simon & Halperin 1982,
doi:10.1080/07474948208836014; by a predictive probability: Spiegelhalter, Freedman & Blackburn 1986,
doi:10.1016/0197-2456(86)90003-6). A candidate's mean over all N rows, the rows' own part left out, which is the same
for all, is

    T_i = (sum over its n_i rows of (y_ij - mu - r_j) + (N - n_i) c_i + noise of variance (N - n_i) s_i^2) / N,

and all T together are normal. `predicted` has their means and covariances in closed form: first b = (mu, c) with
the rows eliminated, then r given b. Who has the lowest T is counted over fixed draws.
"""

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import numpy.typing as npt

FloatArray = npt.NDArray[np.float64]
_DRAWS = 1024
_POOLED_ROWS = 20
"""Rows of all candidates' noise that each one's own is mixed with: one that is always right has some all the same."""
_TINY = float(np.finfo(np.float64).tiny)


@dataclass(frozen=True, eq=False)
class Standing:
    """How n candidates compare.

    Attributes:
        effects: least squares, lower is better, mean 0, shape (n,).
        noise: variance of a row's noise, shape (n,); `pooled` that of all.
        of_rows: variance of the rows' own part.
    """

    effects: FloatArray
    noise: FloatArray
    pooled: float
    of_rows: float


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
    wide = per_row >= len(losses) / 2  # where few have answers, their effects and the row's are hard to tell apart
    of_rows = float(row_effects[wide].var(ddof=1) - (pooled / per_row[wide]).mean()) if wide.sum() > 1 else np.inf
    return Standing(effects, noise, pooled, max(of_rows, 0.0))


def _effects(known: FloatArray, there: FloatArray, per_row: FloatArray) -> FloatArray:
    """Least squares for the candidates, the rows eliminated; equal ones stay equal (rounded to 12 digits)."""
    right = ((known - known.sum(axis=0) / per_row) * there).sum(axis=1)
    left = np.diag(there.sum(axis=1)) - (there / per_row) @ there.T
    effects = np.linalg.lstsq(left + 1.0, right)[0]  # + 1: of all solutions the one of mean 0
    scale = np.abs(known).max(initial=0.0) or 1.0
    rounded: FloatArray = np.round(effects / scale, 12) * scale
    return rounded


def predicted(losses: FloatArray, now: Standing, *, spread: float) -> tuple[FloatArray, FloatArray]:
    """Means (n,) and covariances (n, n) of the T of n candidates; the means less their own mean.

    Args:
        losses: shape (n_candidates, n_rows), over all N rows, NaN where there is no answer (yet).
        now: their standing.
        spread: the t that is expected, in standard deviations of a row's noise.
    """
    N, scale = losses.shape[1], float(np.nanmax(np.abs(losses))) or 1.0
    tiny = (1e-6 * scale) ** 2  # where losses do not differ: steps, not 0 / 0
    there = (~np.isnan(losses)).astype(np.float64)
    y = np.where(there > 0, losses, 0.0)
    s_2, t_2 = np.maximum(now.noise, tiny), spread**2 * max(now.pooled, tiny)
    weights = there / s_2[:, None]
    of_row = weights.sum(axis=0)
    q = 1 / (1 / max(now.of_rows, tiny) + of_row)  # variance of r_j given b
    # b = (mu, c): X' (W - W q W') X b = X' (W y - W q W' y), with the prior of c
    design = np.concatenate([of_row[None], weights])  # X' W, a line for each of b
    own = weights.sum(axis=1)
    information = np.zeros((len(losses) + 1,) * 2)
    information[0, 0] = of_row.sum()
    information[0, 1:] = information[1:, 0] = own
    information[1:, 1:] = np.diag(own + 1 / t_2)
    information -= (design * q) @ design.T
    answers = (weights * y).sum(axis=0)
    right = np.concatenate([[answers.sum()], (weights * y).sum(axis=1)]) - design @ (q * answers)
    variance = np.linalg.inv(information)
    b = variance @ right
    # T = (by_b b + constant + noise) / N, r_j = q_j (sum of w_ij (y_ij - mu - c_i)) + noise of variance q_j
    n = there.sum(axis=1)
    by_b = np.concatenate([-n[:, None], np.diag(N - n)], axis=1) + (there * q) @ design.T
    constant = y.sum(axis=1) - (there * q) @ answers
    means = (by_b @ b + constant) / N
    covariances = (by_b @ variance @ by_b.T + (there * q) @ there.T + np.diag((N - n) * s_2)) / N**2
    return np.round((means - means.mean()) / scale, 10) * scale, covariances


def lead_probabilities(means: FloatArray, covariances: FloatArray) -> FloatArray:
    """For each of n normal variables the share of fixed draws in which it is the lowest; equal ones share."""
    values, vectors = np.linalg.eigh(covariances)
    drawn = means[:, None] + (vectors * np.sqrt(np.maximum(values, 0.0))) @ _draws(len(means))
    size = max(float(np.abs(means).max()), float(np.sqrt(np.abs(covariances).max())), _TINY)
    lowest = drawn <= drawn.min(axis=0) + 1e-9 * size
    shares: FloatArray = lowest @ (1 / lowest.sum(axis=0)) / _DRAWS
    return shares


@lru_cache(maxsize=8)
def _draws(n: int) -> FloatArray:
    half = np.random.default_rng(0).standard_normal((n, _DRAWS // 2))
    draws = np.concatenate([half, -half], axis=1)
    draws.setflags(write=False)
    return draws
