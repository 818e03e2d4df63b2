"""Evolution strategy with mirrored pairs, fitness shaping and moments: OpenAI's (arXiv 1703.03864), for prompts.

Candidates are mean +- sigma s. Their losses are replaced by ranks, and the mean moves along the estimated natural
gradient of the expected rank, through Adam or momentum. Nothing it keeps grows faster than the dimension, so that it
searches prompts number by number, without a projection (Projection-Free Evolution Strategies, arXiv 2603.13786).

Where blocks are matrices, directions may be of low rank: s = A B^T / sqrt(r) (EGGROLL, arXiv 2511.16652), rank r a
direction, a step the sum of them.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike

from blackbox.optimizers import saved, settings
from blackbox.optimizers.base import FloatArray, State
from blackbox.optimizers.errors import SettingError
from blackbox.optimizers.mirrored import MirroredOptimizer
from blackbox.optimizers.updates import Update, UpdateRule

Matrix = tuple[int, int]


class EvolutionStrategy(MirroredOptimizer):
    """Moves the mean of N(mean, sigma^2 I) to lower ranks; sigma stays.

    Args:
        dimension: Length of a candidate, at least 2.
        population_size: Candidates a generation, even.
        sigma: Standard deviation of each number.
        learning_rate: Length of a step in each number while gradients agree; None: 0.3 sigma.
        momentum: Share of the past in the mean of the gradients, from 0 to below 1.
        update: "adam-mini", "adam" or "momentum", see `updates`.
        shaping: What becomes of losses. "pair-ranks": each pair counts for its better side with the rank of its
            difference among those of the generation (as in Wilcoxon's signed-rank test); "ranks": each candidate with
            its own rank (arXiv 1703.03864); "differences": each pair with its difference.
        shapes: (rows, columns) of each matrix that a candidate is made of, in order; None: it is of none.
        rank: Of directions, at least 1; None: full.
        center: First mean, shape (dimension,); None: zeros.
        seed: Of the directions.

    Raises:
        SettingError: A setting out of its range, or a rank without shapes that fill a candidate.
    """

    def __init__(
        self,
        dimension: int,
        *,
        population_size: int = 20,
        sigma: float = 1.0,
        learning_rate: float | None = None,
        momentum: float = 0.9,
        update: Update = "adam-mini",
        shaping: Literal["pair-ranks", "ranks", "differences"] = "pair-ranks",
        shapes: Sequence[Matrix] | None = None,
        rank: int | None = None,
        center: ArrayLike | None = None,
        seed: int,
    ) -> None:
        super().__init__(dimension, population_size, sigma=sigma, learning_rate=learning_rate, center=center, seed=seed)
        self._shaping = settings.one_of("shaping", shaping, tuple(SHAPINGS))
        self._rank = None if rank is None else settings.whole_number("rank", rank, at_least=1)
        self._shapes = () if self._rank is None else _checked(shapes, self.dimension)
        self._update = UpdateRule(update, self.dimension, beta_1=momentum)

    def _directions(self) -> FloatArray:
        if self._rank is None:
            return self._rng.standard_normal((self.pairs, self.dimension))
        parts = [low_rank(self._rng, self.pairs, shape, self._rank) for shape in self._shapes]
        return np.concatenate(parts, axis=1)

    def _moved(self, directions: FloatArray, plus: FloatArray, minus: FloatArray) -> FloatArray:
        u = SHAPINGS[self._shaping](plus, minus)
        if not u.any():
            return self._mean
        gradient = np.einsum("p,pd->d", u, directions) / self.pairs  # no BLAS threads
        return self._mean + self._learning_rate * self._update(gradient)

    def _settings(self) -> State:
        own = {"learning_rate": self._learning_rate, "shaping": self._shaping, "rank": self._rank}
        shapes = {"shapes": [list(shape) for shape in self._shapes]}
        return {**super()._settings(), **own, **shapes, **self._update.settings()}

    def _state(self) -> State:
        return {**super()._state(), "update": self._update.state()}

    def _load_state(self, state: State) -> None:
        update = self._update.loaded(saved.take(state, "update", dict))
        super()._load_state(state)
        self._update = update


def low_rank(rng: np.random.Generator, count: int, shape: Matrix, rank: int) -> FloatArray:
    """A B^T / sqrt(r), shape (count, rows * columns): numbers of mean 0 and variance 1 (arXiv 2511.16652, eq. 4).

    Args:
        rng: Where A, shape (count, rows, r), and B, shape (count, columns, r), are drawn from, N(0, 1).
        count: How many.
        shape: (rows, columns).
        rank: r.
    """
    rows, columns = shape
    a, b = rng.standard_normal((count, rows, rank)), rng.standard_normal((count, columns, rank))
    product: FloatArray = np.einsum("nir,njr->nij", a, b) / math.sqrt(rank)
    return product.reshape(count, rows * columns)


def pair_ranks(plus: FloatArray, minus: FloatArray) -> FloatArray:
    """Rank of |difference| from 1 / pairs to 1, with the difference's sign; 0 where both sides are alike or failed."""
    differences = _differences(plus, minus)
    return np.sign(differences) * _ranks(np.abs(differences)) / len(plus)


def rank_differences(plus: FloatArray, minus: FloatArray) -> FloatArray:
    """Difference of the two sides' ranks among all, from -1 to 1: what centered ranks add up to on a direction."""
    ranks = _ranks(np.concatenate([plus, minus])) / max(1, 2 * len(plus) - 1)
    return ranks[: len(plus)] - ranks[len(plus) :]


def finite_differences(plus: FloatArray, minus: FloatArray) -> FloatArray:
    """The difference; 0 for a pair with a side that failed."""
    differences = _differences(plus, minus)
    return np.where(np.isfinite(differences), differences, 0.0)


SHAPINGS = {"pair-ranks": pair_ranks, "ranks": rank_differences, "differences": finite_differences}


def _differences(plus: FloatArray, minus: FloatArray) -> FloatArray:
    """plus - minus, shape (pairs,); 0 where both are inf."""
    both = np.isinf(plus) & np.isinf(minus)
    return np.subtract(plus, minus, out=np.zeros_like(plus), where=~both)


def _ranks(values: FloatArray) -> FloatArray:
    """1 for the lowest; equals share the mean of their ranks."""
    _, which, counts = np.unique(values, return_inverse=True, return_counts=True)
    last = np.cumsum(counts)
    return (last - (counts - 1) / 2)[which]


def _checked(shapes: Sequence[Matrix] | None, dimension: int) -> tuple[Matrix, ...]:
    if shapes is None:
        raise SettingError("rank needs candidates that are made of matrices: shapes must be given with it")
    found = tuple((int(rows), int(columns)) for rows, columns in shapes)
    numbers = sum(rows * columns for rows, columns in found)
    if numbers != dimension or any(min(shape) < 1 for shape in found):
        raise SettingError(f"shapes must fill a candidate of {dimension} numbers, {found} have {numbers}")
    return found
