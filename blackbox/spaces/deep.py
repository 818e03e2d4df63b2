"""Deep prompts: vectors for several layers, each through a projection of its own (BBTv2, arXiv 2205.11200)."""

from collections.abc import Mapping, Sequence

import numpy as np
import numpy.typing as npt

from blackbox.backends import DeepPrompt, Prompt
from blackbox.spaces.layer_projections import FloatArray, LayerProjections, ProjectionOfLayer


class DeepSpace:
    """One block for each searched layer; block j becomes P_j = reshape(A_j z_j), shape (n_tokens, hidden_size).

    The entries of A_j have standard deviation alpha * s_j / sqrt(d), where s_j is the spread of what enters layer j
    (`VectorBackend.hidden_stds`) and d the dimension of a block: a candidate of unit normal numbers moves the prompt's
    states by about alpha times their own spread. The released code divides by the optimizer's step size as well, which
    cancels; here the step size counts in units of the space.

    Args:
        token_ids: the placeholder tokens of the starting prompt.
        stds: layer -> s_j for each searched layer.
        hidden_size: numbers in a hidden state.
        dimension: numbers of a block, d.
        alpha: scale of the space.
        projection: "gaussian", "uniform", "hadamard" or "identity", or what makes the projection of a layer.
        seed: of the projections; a layer's projection does not depend on which other layers are searched.
        start: layer -> vectors that the search starts from, shape (n_tokens, hidden_size); block j is added to them.
            Those of layers that are not searched stay as they are.
    """

    def __init__(
        self,
        token_ids: Sequence[int],
        stds: dict[int, float],
        hidden_size: int,
        *,
        dimension: int,
        alpha: float = 1.0,
        projection: str | ProjectionOfLayer = "gaussian",
        seed: int,
        start: Mapping[int, FloatArray] | None = None,
    ) -> None:
        self.token_ids = tuple(token_ids)
        self._start = dict(start or {})
        self._hidden_size = hidden_size
        self._projections = LayerProjections(
            stds,
            len(self.token_ids) * hidden_size,
            finish=self._vectors,
            dimension=dimension,
            alpha=alpha,
            projection=projection,
            seed=seed,
        )

    @property
    def layers(self) -> tuple[int, ...]:
        """The searched layers, in the order of the blocks."""
        return self._projections.layers

    @property
    def dimension(self) -> int:
        return sum(self.blocks)

    @property
    def blocks(self) -> tuple[int, ...]:
        return self._projections.blocks

    @property
    def sizes(self) -> None:
        return None

    @property
    def shapes(self) -> tuple[tuple[int, int], ...] | None:
        return ((len(self.token_ids), self._hidden_size),) * len(self.layers) if self._projections.whole else None

    def decode(self, candidates: npt.NDArray[np.float64]) -> list[Prompt]:
        """Prompts that agree in a layer's numbers share that layer's array, also with those of the last call."""
        return [DeepPrompt(self.token_ids, {**self._start, **found}) for found in self._projections.arrays(candidates)]

    def _vectors(self, layer: int, projected: FloatArray) -> FloatArray:
        vectors = projected.reshape(-1, self._hidden_size)
        return vectors + self._start[layer] if layer in self._start else vectors
