"""Soft prompts: one block of vectors at the input (BBT, arXiv 2201.03514)."""

from collections.abc import Mapping, Sequence

import numpy as np
import numpy.typing as npt

from blackbox.backends import DeepPrompt, Prompt, SoftPrompt
from blackbox.spaces.deep import DeepSpace
from blackbox.spaces.layer_projections import FloatArray, ProjectionOfLayer


class SoftSpace:
    """The input layer of a `DeepSpace` on its own; one block.

    Args:
        token_ids: the placeholder tokens of the starting prompt.
        std: spread of the word embeddings (element 0 of `VectorBackend.hidden_stds`).
        hidden_size, dimension, alpha, projection, seed, start: as in `DeepSpace`.
    """

    def __init__(
        self,
        token_ids: Sequence[int],
        std: float,
        hidden_size: int,
        *,
        dimension: int,
        alpha: float = 1.0,
        projection: str | ProjectionOfLayer = "gaussian",
        seed: int,
        start: Mapping[int, FloatArray] | None = None,
    ) -> None:
        self._input = DeepSpace(
            token_ids,
            {0: std},
            hidden_size,
            dimension=dimension,
            alpha=alpha,
            projection=projection,
            seed=seed,
            start=start,
        )

    @property
    def dimension(self) -> int:
        return self._input.dimension

    @property
    def blocks(self) -> tuple[int, ...]:
        return self._input.blocks

    @property
    def sizes(self) -> None:
        return None

    @property
    def shapes(self) -> tuple[tuple[int, int], ...] | None:
        return self._input.shapes

    def decode(self, candidates: npt.NDArray[np.float64]) -> list[Prompt]:
        """One `SoftPrompt` for each candidate of shape (n, dimension)."""
        deep = self._input.decode(candidates)
        return [SoftPrompt(p.token_ids, p.vectors[0]) for p in deep if isinstance(p, DeepPrompt)]
