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

from blackbox.errors import SettingError, unknown_name
from blackbox.optimizers.blas import one_blas_thread

FloatArray = npt.NDArray[np.float32]

BLOCK = 1024
"""Columns of a matrix that are multiplied at once: at d = 500 they are 2 MB, which a processor's caches hold."""


class Projection(Protocol):
    """A linear map: (n, dimension) float64 -> (n, outputs) float32. Its entries have mean 0 and a given spread.

    What a candidate becomes depends neither on the others of the call, nor on its place among them, nor on the number
    of BLAS threads, bit for bit: a resumed run, which has fewer to project, must equal the unbroken one.
    """

    def __call__(self, candidates: npt.NDArray[np.float64]) -> FloatArray: ...


class DenseProjection:
    """A stored matrix of shape (dimension, outputs), in blocks of columns.

    A block is read from memory once for all candidates and multiplied with each of them alone. One product for all of
    them would take half the time, but BLAS rounds a row of it by the place that it has among the others, also where
    their number is always the same: OpenBLAS works through twelve rows as two sixes that add up in different orders.
    """

    def __init__(self, matrix: FloatArray) -> None:
        self._outputs = matrix.shape[1]
        self._blocks = [np.ascontiguousarray(matrix[:, i : i + BLOCK]) for i in range(0, self._outputs, BLOCK)]

    def __call__(self, candidates: npt.NDArray[np.float64]) -> FloatArray:
        alone = candidates.astype(np.float32)[:, None]  # a stack of n products, not one product of n rows
        projected = np.empty((len(candidates), 1, self._outputs), dtype=np.float32)
        with one_blas_thread():
            for number, block in enumerate(self._blocks):
                np.matmul(alone, block, out=projected[..., number * BLOCK : (number + 1) * BLOCK])
        return projected[:, 0]


class GaussianProjection(DenseProjection):
    """Independent normal entries."""

    def __init__(self, dimension: int, outputs: int, *, std: float, seed: np.random.SeedSequence) -> None:
        rng = np.random.default_rng(seed)
        super().__init__(rng.standard_normal((dimension, outputs), dtype=np.float32) * np.float32(std))


class UniformProjection(DenseProjection):
    """Independent entries, uniform on an interval around 0."""

    def __init__(self, dimension: int, outputs: int, *, std: float, seed: np.random.SeedSequence) -> None:
        bound = math.sqrt(3) * std  # a uniform variable on [-b, b] has standard deviation b / sqrt(3)
        rng = np.random.default_rng(seed)
        super().__init__(rng.uniform(-bound, bound, (dimension, outputs)).astype(np.float32))


class HadamardProjection:
    """Subsampled randomized Hadamard transform: std * (signs o H) S z, without a stored matrix.

    S scatters z, with random signs, to random places of a vector of length N = 2^k >= outputs, H is the Hadamard
    matrix of order N and each output has a random sign; the first `outputs` of them are kept. Every entry of the
    product is +-std. H is applied as H_a X H_b with N = a b (Sylvester's construction is a Kronecker product), which
    are products of the same two shapes for every candidate.
    """

    def __init__(self, dimension: int, outputs: int, *, std: float, seed: np.random.SeedSequence) -> None:
        rng = np.random.default_rng(seed)
        k = math.ceil(math.log2(max(dimension, outputs)))
        self._size, self._outputs = 2**k, outputs
        self._places = rng.choice(self._size, size=dimension, replace=False)
        self._signs_in = _random_signs(rng, dimension)
        self._signs_out = _random_signs(rng, outputs) * np.float32(std)
        self._left, self._right = hadamard(2 ** (k // 2)), hadamard(2 ** (k - k // 2))

    def __call__(self, candidates: npt.NDArray[np.float64]) -> FloatArray:
        scattered = np.zeros((len(candidates), self._size), dtype=np.float32)
        scattered[:, self._places] = candidates.astype(np.float32) * self._signs_in
        with one_blas_thread():
            mixed = self._left @ scattered.reshape(-1, len(self._left), len(self._right)) @ self._right
        projected: FloatArray = mixed.reshape(-1, self._size)[:, : self._outputs] * self._signs_out
        return projected


class IdentityProjection:
    """No projection: every number of the prompt is searched, times std."""

    def __init__(self, dimension: int, outputs: int, *, std: float, seed: np.random.SeedSequence) -> None:
        if dimension != outputs:
            raise SettingError(f"an identity projects {outputs} numbers onto themselves, got {dimension}")
        self._std = np.float32(std)

    def __call__(self, candidates: npt.NDArray[np.float64]) -> FloatArray:
        return candidates.astype(np.float32) * self._std


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
"""Those of any dimension, by name."""

IDENTITY = "identity"
_ALL = {**PROJECTIONS, IDENTITY: IdentityProjection}


def make_projection(name: str, dimension: int, outputs: int, *, std: float, seed: np.random.SeedSequence) -> Projection:
    """A projection by name.

    Args:
        std: standard deviation of the entries, in units of the hidden states.

    Raises:
        UnknownNameError: no projection has this name.
    """
    if name not in _ALL:
        raise unknown_name("projection", name, _ALL)
    return _ALL[name](dimension, outputs, std=std, seed=seed)
