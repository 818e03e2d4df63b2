"""Random projections from a low-dimensional space onto prompt vectors.

Dense Gaussian (BBTv2, arXiv 2205.11200) and uniform (BBT, arXiv 2201.03514) matrices, and the subsampled randomized
Hadamard transform (Ailon & Chazelle 2009, doi:10.1137/060673096), which stores no matrix: 24 layers of 500 x 51,200
dense float32 numbers are 2.5 GB. All are drawn anew from their seed wherever they are needed and never stored.
"""

import math
from collections.abc import Callable
from typing import Protocol

import numpy as np
import numpy.typing as npt

from blackbox.errors import unknown_name

FloatArray = npt.NDArray[np.float32]


class Projection(Protocol):
    """A linear map: (dimension,) float64 -> (outputs,) float32. Its entries have mean 0 and a given spread.

    One candidate at a time: a product over several may round differently with their number, and a resumed run must
    equal the unbroken one bit for bit.
    """

    def __call__(self, z: npt.NDArray[np.float64]) -> FloatArray: ...


class GaussianProjection:
    """A dense matrix of independent normal entries."""

    def __init__(self, dimension: int, outputs: int, *, std: float, seed: np.random.SeedSequence) -> None:
        rng = np.random.default_rng(seed)
        self._matrix = rng.standard_normal((dimension, outputs), dtype=np.float32) * np.float32(std)

    def __call__(self, z: npt.NDArray[np.float64]) -> FloatArray:
        projected: FloatArray = z.astype(np.float32) @ self._matrix
        return projected


class UniformProjection:
    """A dense matrix of independent entries, uniform on an interval around 0."""

    def __init__(self, dimension: int, outputs: int, *, std: float, seed: np.random.SeedSequence) -> None:
        bound = math.sqrt(3) * std  # a uniform variable on [-b, b] has standard deviation b / sqrt(3)
        rng = np.random.default_rng(seed)
        self._matrix = rng.uniform(-bound, bound, (dimension, outputs)).astype(np.float32)

    def __call__(self, z: npt.NDArray[np.float64]) -> FloatArray:
        projected: FloatArray = z.astype(np.float32) @ self._matrix
        return projected


class HadamardProjection:
    """Subsampled randomized Hadamard transform: std * (signs o H) S z, without a stored matrix.

    S scatters z, with random signs, to random places of a vector of length N = 2^k >= outputs, H is the Hadamard
    matrix of order N and each output has a random sign; the first `outputs` of them are kept. Every entry of the
    product is +-std. H is applied as H_a X H_b with N = a b (Sylvester's construction is a Kronecker product).
    """

    def __init__(self, dimension: int, outputs: int, *, std: float, seed: np.random.SeedSequence) -> None:
        rng = np.random.default_rng(seed)
        k = math.ceil(math.log2(max(dimension, outputs)))
        self._size, self._outputs = 2**k, outputs
        self._places = rng.choice(self._size, size=dimension, replace=False)
        self._signs_in = _random_signs(rng, dimension)
        self._signs_out = _random_signs(rng, outputs) * np.float32(std)
        self._left, self._right = hadamard(2 ** (k // 2)), hadamard(2 ** (k - k // 2))

    def __call__(self, z: npt.NDArray[np.float64]) -> FloatArray:
        scattered = np.zeros(self._size, dtype=np.float32)
        scattered[self._places] = z.astype(np.float32) * self._signs_in
        mixed = self._left @ scattered.reshape(len(self._left), len(self._right)) @ self._right
        projected: FloatArray = mixed.ravel()[: self._outputs] * self._signs_out
        return projected


def _random_signs(rng: np.random.Generator, count: int) -> FloatArray:
    return (2 * rng.integers(0, 2, size=count) - 1).astype(np.float32)


def hadamard(order: int) -> FloatArray:
    """Sylvester's Hadamard matrix: H_1 = (1), H_2n = ((H_n, H_n), (H_n, -H_n)). `order` is a power of two."""
    matrix = np.ones((1, 1), dtype=np.float32)
    while len(matrix) < order:
        matrix = np.block([[matrix, matrix], [matrix, -matrix]])
    return matrix


PROJECTIONS: dict[str, Callable[..., Projection]] = {
    "gaussian": GaussianProjection,
    "uniform": UniformProjection,
    "hadamard": HadamardProjection,
}


def make_projection(name: str, dimension: int, outputs: int, *, std: float, seed: np.random.SeedSequence) -> Projection:
    """A projection by name.

    Args:
        std: standard deviation of the entries, in units of the hidden states.

    Raises:
        UnknownNameError: no projection has this name.
    """
    if name not in PROJECTIONS:
        raise unknown_name("projection", name, PROJECTIONS)
    return PROJECTIONS[name](dimension, outputs, std=std, seed=seed)
