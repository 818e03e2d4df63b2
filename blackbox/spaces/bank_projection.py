"""A projection whose first directions are those that other tasks' searches have gone.

Black-box tuning with subspace learning (Zheng et al. 2023, arXiv 2305.03518) learns the searched subspace from similar
tasks, by gradients. Here it is told by prompts that were found: each lies somewhere from its start, and these
displacements, made orthonormal, are the first columns; Gaussian ones fill up the rest.
"""

import math
from collections.abc import Mapping

import numpy as np

from blackbox.errors import SettingError
from blackbox.optimizers.blas import one_blas_thread
from blackbox.spaces.projection import DenseProjection, FloatArray, Projection

_NOTHING = 1e-6  # of the largest singular value: what is smaller is rounding


class BankProjection:
    """Columns of one length, std * sqrt(outputs) in the mean: the first along displacements, the others Gaussian.

    Args:
        displacements: layer -> shape (n_prompts, outputs). A layer that has none is Gaussian altogether.
    """

    def __init__(self, displacements: Mapping[int, FloatArray]) -> None:
        self._directions = {layer: orthonormal(found) for layer, found in displacements.items()}

    def __call__(
        self, layer: int, dimension: int, outputs: int, *, std: float, seed: np.random.SeedSequence
    ) -> Projection:
        """See `ProjectionOfLayer`.

        Raises:
            SettingError: the displacements have another number of outputs.
        """
        matrix = np.random.default_rng(seed).standard_normal((dimension, outputs), dtype=np.float32) * np.float32(std)
        directions = self._directions.get(layer, matrix[:0])[:dimension]
        if len(directions) and directions.shape[1] != outputs:
            raise SettingError(
                f"projection 'bank' has directions of {directions.shape[1]} numbers for layer {layer}, and {outputs} "
                "are searched there; spaces deep, soft and prefix take it"
            )
        matrix[: len(directions)] = directions * np.float32(std * math.sqrt(outputs))
        return DenseProjection(matrix)


def orthonormal(displacements: FloatArray) -> FloatArray:
    """Directions that span the displacements, the principal one first, shape (rank, outputs)."""
    with one_blas_thread():
        _, sizes, directions = np.linalg.svd(displacements.astype(np.float64), full_matrices=False)
    found: FloatArray = directions[sizes > _NOTHING * max(sizes.max(initial=0.0), np.finfo(np.float64).tiny)]
    return found.astype(np.float32)
