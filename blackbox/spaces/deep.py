"""Deep prompts: vectors for several layers, each through a projection of its own (BBTv2, arXiv 2205.11200)."""

import math
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from blackbox.backends import DeepPrompt, Prompt
from blackbox.errors import SettingError
from blackbox.spaces.projection import Projection, make_projection

FloatArray = npt.NDArray[np.float32]


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
        projection: "gaussian", "uniform" or "hadamard".
        seed: of the projections; a layer's projection does not depend on which other layers are searched.
    """

    def __init__(
        self,
        token_ids: Sequence[int],
        stds: dict[int, float],
        hidden_size: int,
        *,
        dimension: int,
        alpha: float = 1.0,
        projection: str = "gaussian",
        seed: int,
    ) -> None:
        if dimension < 2:
            raise SettingError(f"dimension must be at least 2, got {dimension}")
        if not (alpha > 0 and math.isfinite(alpha)):
            raise SettingError(f"alpha must be positive and finite, got {alpha}")
        self.token_ids = tuple(token_ids)
        self._block = dimension
        self._hidden_size = hidden_size
        self._projections: dict[int, Projection] = {
            layer: make_projection(
                projection,
                dimension,
                len(self.token_ids) * hidden_size,
                std=alpha * std / math.sqrt(dimension),
                seed=np.random.SeedSequence(seed, spawn_key=(layer,)),
            )
            for layer, std in sorted(stds.items())
        }
        self._recent: dict[tuple[int, bytes], FloatArray] = {}

    @property
    def layers(self) -> tuple[int, ...]:
        """The searched layers, in the order of the blocks."""
        return tuple(self._projections)

    @property
    def dimension(self) -> int:
        return self._block * len(self._projections)

    @property
    def blocks(self) -> tuple[int, ...]:
        return (self._block,) * len(self._projections)

    def decode(self, candidates: npt.NDArray[np.float64]) -> list[Prompt]:
        """Prompts that agree in a layer's numbers share that layer's array, also with those of the last call."""
        used: dict[tuple[int, bytes], FloatArray] = {}
        prompts: list[Prompt] = []
        for candidate in candidates:
            parts = zip(self._projections, candidate.reshape(-1, self._block), strict=True)
            vectors = {layer: self._vectors(layer, part, used) for layer, part in parts}
            prompts.append(DeepPrompt(self.token_ids, vectors))
        self._recent = used
        return prompts

    def _vectors(
        self, layer: int, part: npt.NDArray[np.float64], used: dict[tuple[int, bytes], FloatArray]
    ) -> FloatArray:
        key = (layer, part.tobytes())
        known = used.get(key, self._recent.get(key))
        if known is None:
            known = self._projections[layer](part).reshape(-1, self._hidden_size)
            known.setflags(write=False)
        used[key] = known
        return known
