"""A short soft prompt, and an update of low rank of what the rows behind it are read as (DePT, arXiv 2309.05173)."""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from blackbox.backends import DecomposedPrompt, Prompt, SoftPrompt
from blackbox.spaces.layer_projections import FloatArray, LayerProjections, ProjectionOfLayer
from blackbox.spaces.low_rank import LowRank
from blackbox.spaces.soft import SoftSpace


class DecomposedSpace:
    """Two blocks, half of the numbers each: those of a `SoftSpace`, and those of A B, shape (n_positions, hidden_size).

    A B (`LowRank`) is added to what enters the first layer at the first positions of each row. DePT trains it at a far
    lower learning rate than the soft prompt; here its scale is a share of alpha.

    Args:
        token_ids: the placeholder tokens of the starting prompt.
        std: spread of the word embeddings (element 0 of `VectorBackend.hidden_stds`).
        hidden_size, alpha, projection, seed: as in `DeepSpace`.
        dimension: numbers of both blocks.
        positions: of a row that are moved, from its first, n_positions.
        rank: of A B.
        row_scale: scale of A B, in alphas.

    Raises:
        SettingError: a setting out of its range.
    """

    sizes = None

    def __init__(
        self,
        token_ids: Sequence[int],
        std: float,
        hidden_size: int,
        *,
        positions: int,
        rank: int,
        dimension: int,
        alpha: float = 1.0,
        row_scale: float = 0.1,
        projection: str | ProjectionOfLayer = "gaussian",
        seed: int,
    ) -> None:
        self._hidden_size, of_rows = hidden_size, dimension // 2
        self._soft = SoftSpace(
            token_ids, std, hidden_size, dimension=dimension - of_rows, alpha=alpha, projection=projection, seed=seed
        )
        self._rows = LayerProjections(
            {0: std},
            positions * hidden_size,
            finish=self._vectors,
            dimension=of_rows,
            alpha=alpha * row_scale,
            projection=LowRank(positions, rank, projection),
            seed=seed,
        )

    @property
    def dimension(self) -> int:
        return sum(self.blocks)

    @property
    def blocks(self) -> tuple[int, int]:
        """Numbers of the prompt and of the rows."""
        return self._soft.dimension, self._rows.blocks[0]

    def decode(self, candidates: npt.NDArray[np.float64]) -> list[Prompt]:
        """One `DecomposedPrompt` for each candidate of shape (n, dimension)."""
        split = self.blocks[0]
        pairs = zip(self._soft.decode(candidates[:, :split]), self._rows.arrays(candidates[:, split:]), strict=True)
        return [
            DecomposedPrompt(soft.token_ids, np.concatenate([soft.vectors, rows[0]]))
            for soft, rows in pairs
            if isinstance(soft, SoftPrompt)
        ]

    def _vectors(self, layer: int, projected: FloatArray) -> FloatArray:
        return projected.reshape(-1, self._hidden_size)
