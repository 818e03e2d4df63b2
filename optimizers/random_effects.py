"""What categories add to a loss, as random effects.

The model of a loss y of a choice x, blocks b, with all effects normal and independent:

    y(x) = mu + sum_b sum_{c in b(x)} u_b[c] + g(x) + e                      (1)
    cov(y(x), y(x')) = sum_k w_k K_k(x, x')                                  (2)

b(x) is the set of categories that the variables of a block have, u_b[c] what category c adds in whichever of them, g
an interaction that fades with the number of variables that differ, e noise. Effects are predicted from all that was
told (best linear unbiased prediction, Henderson 1975, Biometrics 31:423); a sum and a product of overlaps as kernel:
CoCaBO (arXiv 1906.08878). How much each part tells, the variances w_k, is learned by EM (Dempster, Laird & Rubin 1977),
so that one variable may dominate, and so that little is believed where there is noise only.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

Floats: TypeAlias = NDArray[np.float64]
Choices: TypeAlias = NDArray[np.int64]
"""Shape (n, n_variables), the category of each variable."""

_FADING = 0.7  # the interaction's correlation is exp(-_FADING) for each variable that differs
_ROUNDS = 8  # of EM; it starts from equal variances
_PRIOR = 2.0  # degrees of freedom of the prior of each variance, its scale an equal share
_WORST = 2.0  # losses are cut this many robust standard deviations above their median


def standardized(losses: Floats) -> Floats:
    """Losses with median 0 and a robust standard deviation of 1, cut at -4 and 2; `inf` is as bad as the cut.

    A candidate that failed, or lost a race early, tells that it is bad but not how bad.
    """
    finite = losses[np.isfinite(losses)]
    center = np.median(finite)
    spread = 1.4826 * np.median(np.abs(finite - center)) or finite.std() or 1.0
    scores: Floats = np.clip((losses - center) / spread, -2 * _WORST, _WORST)
    return scores


@dataclass(frozen=True)
class RandomEffects:
    """The model fitted to choices `x` and their scores, `y` without their mean, shape (n,).

    Attributes:
        variances: w, shape (n_blocks + 2,), those of the interaction and of the noise last.
        precision: V^-1, the inverse of (2) over `x`, shape (n, n).
    """

    blocks: tuple[int, ...]
    sizes: tuple[int, ...]
    x: Choices
    y: Floats
    variances: Floats
    precision: Floats

    @classmethod
    def fitted(cls, x: Choices, scores: Floats, *, blocks: Sequence[int], sizes: Sequence[int]) -> RandomEffects:
        """The model with the variances that EM finds for scores of shape (n,)."""
        y = scores - scores.mean()
        kernels = np.concatenate([overlaps(x, x, blocks, sizes), np.eye(len(x))[None]])
        firsts = np.cumsum([0, *blocks[:-1]])
        n_effects = np.array([*(sizes[first] for first in firsts), len(x), len(x)])
        share = 1 / len(kernels)
        w = np.full(len(kernels), share)
        for _ in range(_ROUNDS):
            precision = np.linalg.inv(np.tensordot(w, kernels, axes=1))
            a = precision @ y
            # E|u_k|^2 given y, summed over the effects of a part
            squares = w * n_effects + w**2 * (kernels @ a @ a - (kernels * precision).sum(axis=(1, 2)))
            w = (squares + _PRIOR * share) / (n_effects + _PRIOR)
        precision = np.linalg.inv(np.tensordot(w, kernels, axes=1))
        return cls(tuple(blocks), tuple(sizes), x, y, w, precision)

    def predict(self, x: Choices) -> tuple[Floats, Floats]:
        """Posterior mean, shape (m,), and covariance, shape (m, m), of the losses of choices without their noise."""
        known = self._covariance(x, self.x)
        mean = known @ (self.precision @ self.y)
        return mean, self._covariance(x, x) - known @ self.precision @ known.T

    def _covariance(self, a: Choices, b: Choices) -> Floats:
        covariance: Floats = np.tensordot(self.variances[:-1], overlaps(a, b, self.blocks, self.sizes), axes=1)
        return covariance


def overlaps(a: Choices, b: Choices, blocks: Sequence[int], sizes: Sequence[int]) -> Floats:
    """K of (2), shape (n_blocks + 1, n, m): the share of categories that two choices have in common, by block, and g's.

    A category that several variables of a block have counts once.
    """
    parts, first = [], 0
    for block in blocks:
        part, first = slice(first, first + block), first + block
        parts.append(_present(a[:, part], sizes[part.start]) @ _present(b[:, part], sizes[part.start]).T / block)
    differ = (a[:, None, :] != b[None, :, :]).sum(axis=2)
    return np.stack([*parts, np.exp(-_FADING * differ)])


def _present(x: Choices, size: int) -> Floats:
    """1 where a choice has a category in some variable, shape (n, size)."""
    present = np.zeros((len(x), size))
    np.put_along_axis(present, x, 1.0, axis=1)
    return present
