"""Random projections whose steps stay where the model has been: made of its hidden states in place of pure noise.

A dense Gaussian matrix moves a state in directions that no text has ever moved it in. Here each column, one for each
number of a candidate, holds at each position of the prompt a vector that is drawn from hidden states of the same layer
(`StatesBackend.hidden_states`). Entries have the standard deviation of the Gaussian ones, so that `alpha` means the
same.

Language models keep giant states at a few tokens, which nothing else comes near (massive activations: Sun et al. 2024,
arXiv 2402.17762); those are left out.
"""

from collections.abc import Callable, Mapping

import numpy as np
import numpy.typing as npt

from blackbox.errors import SettingError
from blackbox.optimizers.blas import one_blas_thread
from blackbox.spaces.layer_projections import ProjectionOfLayer
from blackbox.spaces.projection import DenseProjection, FloatArray, Projection

GIANT = 4.0
"""Times the median norm of a layer's states above which one is left out."""

SHARE = 0.9
"""Of the variance of a layer's states: what the principal directions that are kept hold together."""


class VocabularyProjection:
    """Differences of real states: each column has at each position h_a - h_b, of two different states drawn at random.

    Args:
        states: layer -> shape (n_states, width); `outputs` is a multiple of the width.
        parts: a state is made of so many parts, keys and values; outputs hold one part of all positions, then the next.

    Raises:
        SettingError: a layer without two states that differ, or with one that is not finite.
    """

    def __init__(self, states: Mapping[int, FloatArray], *, parts: int = 1) -> None:
        self._states, self._parts = _usual_ones(states), parts

    def __call__(
        self, layer: int, dimension: int, outputs: int, *, std: float, seed: np.random.SeedSequence
    ) -> Projection:
        states, rng = self._states[layer], np.random.default_rng(seed)
        shape = (dimension, outputs // states.shape[1])
        first = rng.integers(len(states), size=shape)
        second = (first + rng.integers(1, len(states), size=shape)) % len(states)
        matrix = np.empty((dimension, outputs), dtype=np.float32)
        for column, a, b in zip(matrix, first, second, strict=True):
            column[:] = _in_parts(states[a] - states[b], self._parts)
        return DenseProjection(with_std(matrix, std))


class HiddenPCAProjection:
    """Normal combinations of principal directions: each column has at each position sum_k g_k sqrt(lambda_k) v_k.

    v_k and lambda_k are eigenvectors and eigenvalues of the covariance of a layer's states, the fewest that hold
    `SHARE` of its trace; the g_k are independent unit normal numbers. In the spirit of black-box tuning with subspace
    learning (Zheng et al. 2023, arXiv 2305.03518), which learns the subspace from other tasks.

    Args:
        states, parts: as of `VocabularyProjection`.

    Raises:
        SettingError: as there.
    """

    def __init__(self, states: Mapping[int, FloatArray], *, parts: int = 1) -> None:
        self._parts = parts
        self._directions = {layer: principal_directions(found) for layer, found in _usual_ones(states).items()}

    def __call__(
        self, layer: int, dimension: int, outputs: int, *, std: float, seed: np.random.SeedSequence
    ) -> Projection:
        directions, rng = self._directions[layer], np.random.default_rng(seed)
        matrix = np.empty((dimension, outputs), dtype=np.float32)
        for column in matrix:
            g = rng.standard_normal((outputs // directions.shape[1], len(directions)), dtype=np.float32)
            with one_blas_thread():
                column[:] = _in_parts(g @ directions, self._parts)
        return DenseProjection(with_std(matrix, std))


OF_STATES: dict[str, Callable[..., ProjectionOfLayer]] = {
    "vocabulary": VocabularyProjection,
    "hidden-pca": HiddenPCAProjection,
}


def _in_parts(vectors: FloatArray, parts: int) -> FloatArray:
    """Vectors of shape (n_positions, width) as numbers of a layer, the first part of all of them first."""
    return vectors.reshape(len(vectors), parts, -1).swapaxes(0, 1).ravel()


def principal_directions(states: FloatArray) -> FloatArray:
    """Principal directions v_k times sqrt(lambda_k), the largest first, shape (n_directions, width).

    Args:
        states: shape (n_states, width).
    """
    centred = states.astype(np.float64) - states.mean(axis=0, dtype=np.float64)
    with one_blas_thread():
        _, singular, v = np.linalg.svd(centred, full_matrices=False)
    eigenvalues = singular**2 / (len(states) - 1)
    enough = int(np.searchsorted(np.cumsum(eigenvalues), SHARE * eigenvalues.sum())) + 1
    directions: FloatArray = (np.sqrt(eigenvalues[:enough, None]) * v[:enough]).astype(np.float32)
    return directions


def usual(states: FloatArray) -> FloatArray:
    """The states without giant ones, shape (n_states, width)."""
    norms: npt.NDArray[np.float64] = np.sqrt(np.square(states, dtype=np.float64).sum(axis=1))
    return states[norms <= GIANT * np.median(norms)]


def with_std(matrix: FloatArray, std: float) -> FloatArray:
    """The matrix, scaled in place so that the mean square of its entries is std^2."""
    squares = sum(float(np.square(row, dtype=np.float64).sum()) for row in matrix)
    matrix *= np.float32(std / np.sqrt(squares / matrix.size))
    return matrix


def _usual_ones(states: Mapping[int, FloatArray]) -> dict[int, FloatArray]:
    for layer, found in states.items():
        if not np.isfinite(found).all() or (found == found[:1]).all():
            raise SettingError(
                f"layer {layer} shows no two states on the training rows that are finite and differ: it has no "
                "projection made of states"
            )
    return {layer: usual(found) for layer, found in states.items()}
