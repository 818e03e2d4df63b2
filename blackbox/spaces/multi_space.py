"""Several projected subspaces, fused with weights that are searched as well.

Source: EPT (Lan et al. 2024, arXiv 2405.11464), which maps a trained prompt into several subspaces and fuses these with
the weights of a gate. Here the subspaces are projections of numbers of their own and the gate has no input: its weights
are numbers of the candidate.
"""

import math
from dataclasses import dataclass
from functools import reduce
from itertools import pairwise

import numpy as np
import numpy.typing as npt

from blackbox.errors import SettingError
from blackbox.spaces.layer_projections import ProjectionOfLayer, projection_of_layer
from blackbox.spaces.projection import FloatArray, Projection


@dataclass(frozen=True)
class MultiSpace:
    """Makes the `Fusion` of a layer.

    Attributes:
        subspaces: how many, k.
        projection: into each.
    """

    subspaces: int
    projection: str | ProjectionOfLayer = "gaussian"

    def __call__(
        self, layer: int, dimension: int, outputs: int, *, std: float, seed: np.random.SeedSequence
    ) -> "Fusion":
        """See `ProjectionOfLayer`.

        Raises:
            SettingError: fewer than two subspaces, or no number for each beside its weight.
        """
        k = self.subspaces
        if not 2 <= k <= dimension // 2:
            raise SettingError(f"subspaces must be at least 2 and at most half of dimension {dimension}, got {k}")
        lengths = [len(part) for part in np.array_split(np.arange(dimension - k), k)]
        spread = std * math.sqrt(dimension)
        make = projection_of_layer(self.projection)
        seeds = [np.random.SeedSequence(seed.entropy, spawn_key=(*seed.spawn_key, number)) for number in range(k)]
        projections = [
            make(layer, length, outputs, std=spread / math.sqrt(dimension - k), seed=own)
            for length, own in zip(lengths, seeds, strict=True)
        ]
        return Fusion(projections, lengths)


class Fusion:
    """P = k sum_i softmax(g)_i A_i z_i of a candidate (g_1, ..., g_k, z_1, ..., z_k).

    With g = 0 it is the projection of (z_1, ..., z_k) by (A_1, ..., A_k), side by side.

    Args:
        projections: A_1 to A_k.
        lengths: numbers of z_1 to z_k.
    """

    def __init__(self, projections: list[Projection], lengths: list[int]) -> None:
        self._projections, self._starts = projections, np.cumsum([len(lengths), *lengths])

    def __call__(self, candidates: npt.NDArray[np.float64]) -> FloatArray:
        """Shape (n, outputs), float32, for candidates of shape (n, dimension)."""
        k = len(self._projections)
        weights = np.array([k * softmax(candidate[:k]) for candidate in candidates], dtype=np.float32)
        parts = [candidates[:, first:last] for first, last in pairwise(self._starts)]
        moved = (project(part) for project, part in zip(self._projections, parts, strict=True))
        return reduce(np.add, (weight[:, None] * one for weight, one in zip(weights.T, moved, strict=True)))


def softmax(values: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """exp(v_i) / sum_j exp(v_j), shape (k,)."""
    powers = np.exp(values - values.max())
    shares: npt.NDArray[np.float64] = powers / powers.sum()
    return shares
