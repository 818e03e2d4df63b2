"""Prompt vectors of low rank: P = A B, of which both factors are searched.

Sources: decomposed prompt tuning (Xiao et al. 2023, arXiv 2310.10094) and LoPT (Guo et al. 2024, arXiv 2406.19486);
they train A and B with gradients. Here P is added to the states of the start, so A = 0 is the start; B has an offset
B_0 that is drawn, since from A = B = 0 no small step in either would change anything.
"""

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from blackbox.errors import SettingError
from blackbox.optimizers.blas import one_blas_thread
from blackbox.spaces.layer_projections import ProjectionOfLayer, projection_of_layer
from blackbox.spaces.projection import FloatArray, GaussianProjection, Projection


@dataclass(frozen=True)
class LowRank:
    """Makes the `LowRankMap` of a layer.

    Attributes:
        n_tokens: tokens that are moved.
        rank: of P, r.
        projection: of the numbers of B.
    """

    n_tokens: int
    rank: int
    projection: str | ProjectionOfLayer = "gaussian"

    def __post_init__(self) -> None:
        if not 1 <= self.rank <= self.n_tokens:
            raise SettingError(
                f"rank must be at least 1 and at most the {self.n_tokens} tokens that are moved, got {self.rank}"
            )

    def __call__(
        self, layer: int, dimension: int, outputs: int, *, std: float, seed: np.random.SeedSequence
    ) -> "LowRankMap":
        """See `ProjectionOfLayer`.

        Raises:
            SettingError: more numbers than A and B have.
        """
        of_a, of_b = self.n_tokens * self.rank, self.rank * (outputs // self.n_tokens)
        if dimension > of_a + of_b:
            most = f"{of_a + of_b}, what two factors of rank {self.rank} have"
            raise SettingError(f"dimension must be at most {most}, got {dimension}")
        d_a = max(min(dimension // 2, of_a), dimension - of_b)
        d_b = dimension - d_a
        seed_a, seed_b = (
            np.random.SeedSequence(seed.entropy, spawn_key=(*seed.spawn_key, number)) for number in range(2)
        )
        spread = std * math.sqrt(dimension)
        return LowRankMap(
            _of_a(d_a, of_a, std=1 / math.sqrt(self.rank), seed=seed_a),
            projection_of_layer(self.projection)(layer, d_b + 1, of_b, std=spread / math.sqrt(2 * d_b), seed=seed_b),
            self.rank,
            d_a,
        )


class LowRankMap:
    """P = A B of a candidate z = (a, b), half of the numbers each: A = reshape(S a), B = B_0 + reshape(T b).

    A has shape (n_tokens, r), B (r, hidden_size). Where a has as many numbers as A, S a = a / sqrt(r), and further
    numbers go to b; else S is drawn, with as large entries of S a. B_0 and T are columns of one projection, of which
    the first has the weight sqrt(d_b): of unit normal numbers, B_0 and T b make half of the variance of B each, and the
    entries of P have the spread that those of one projection of all numbers would have.

    Args:
        to_a: S.
        to_b: (B_0, T), of d_b + 1 numbers.
        rank: r.
        d_a: numbers of a.
    """

    def __init__(self, to_a: Projection, to_b: Projection, rank: int, d_a: int) -> None:
        self._to_a, self._to_b, self._rank, self._d_a = to_a, to_b, rank, d_a

    def __call__(self, candidates: npt.NDArray[np.float64]) -> FloatArray:
        """Shape (n, n_tokens * hidden_size), float32, for candidates of shape (n, dimension)."""
        n = len(candidates)
        a, b = candidates[:, : self._d_a], candidates[:, self._d_a :]
        offset = np.full((n, 1), math.sqrt(b.shape[1]))
        left = self._to_a(a).reshape(n, -1, self._rank)
        right = self._to_b(np.hstack([offset, b])).reshape(n, self._rank, -1)
        with one_blas_thread():
            products: FloatArray = np.matmul(left, right).reshape(n, -1)
        return products


@dataclass(frozen=True)
class Scaled:
    """The numbers themselves, times a factor."""

    factor: float

    def __call__(self, candidates: npt.NDArray[np.float64]) -> FloatArray:
        """The same shape, float32."""
        return (candidates * self.factor).astype(np.float32)


def _of_a(numbers: int, outputs: int, *, std: float, seed: np.random.SeedSequence) -> Projection:
    """S, whose products with unit normal numbers have entries of standard deviation `std`."""
    if numbers == outputs:
        return Scaled(std)
    return GaussianProjection(numbers, outputs, std=std / math.sqrt(numbers), seed=seed)
