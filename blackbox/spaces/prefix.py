"""Prefix prompts: keys and values for every layer, searched from those of a text.

Prefix-tuning (Li & Liang 2021, arXiv 2101.00190) and P-tuning v2 (arXiv 2110.07602) train them with gradients; here
each layer's are moved through a projection of its own, as BBTv2 (arXiv 2205.11200) moves the states of a deep prompt.
"""

import math
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from blackbox.backends import PrefixBackend, PrefixPrompt, Prompt
from blackbox.backends.spread import clipped_std
from blackbox.errors import SettingError
from blackbox.spaces.layer_projections import FloatArray, LayerProjections, ProjectionOfLayer


class PrefixSpace:
    """One block for each searched layer; block j moves the start's keys and values there.

    With K_j and V_j the halves of reshape(A_j z_j), shape (2, n_positions, width), the layer has the start's keys plus
    s_k K_j and its values plus s_v V_j. The entries of A_j have standard deviation alpha / sqrt(d); s_k and s_v are the
    spreads of the start's own keys and values in that layer (`clipped_std`) and d is the dimension of a block: a
    candidate of unit normal numbers moves both by about alpha times their spread. Where a block is zero, and in layers
    that are not searched, a prompt holds the start's own arrays.

    Args:
        start: the prefix that the search starts from, with all layers of the model.
        layers: the searched ones.
        dimension: numbers of a block, d.
        alpha: scale of the space.
        projection: "gaussian", "uniform", "hadamard" or "identity", or what makes the projection of a layer.
        seed: of the projections; a layer's projection does not depend on which other layers are searched.

    Raises:
        SettingError: a setting out of its range, a layer that the start has not or with numbers that are not finite.
    """

    def __init__(
        self,
        start: PrefixPrompt,
        layers: Sequence[int],
        *,
        dimension: int,
        alpha: float = 1.0,
        projection: str | ProjectionOfLayer = "gaussian",
        seed: int,
    ) -> None:
        self.start = start
        self._spreads = {layer: _spreads(start, layer) for layer in layers}
        self._projections = LayerProjections(
            dict.fromkeys(layers, 1.0),
            next(iter(start.keys_values.values())).size,
            finish=self._moved,
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
        if not self._projections.whole:
            return None
        return tuple(
            (math.prod(self.start.keys_values[layer].shape[:-1]), self.start.keys_values[layer].shape[-1])
            for layer in self.layers
        )

    def decode(self, candidates: npt.NDArray[np.float64]) -> list[Prompt]:
        """Prompts that agree in a layer's numbers share that layer's array, also with those of the last call."""
        moved = self._projections.arrays(candidates)
        return [PrefixPrompt(self.start.token_ids, {**self.start.keys_values, **arrays}) for arrays in moved]

    def _moved(self, layer: int, projected: FloatArray) -> FloatArray:
        keys_values = self.start.keys_values[layer]
        if not projected.any():
            return keys_values
        moved: FloatArray = keys_values + self._spreads[layer] * projected.reshape(keys_values.shape)
        return moved


def seen_keys_values(
    backend: PrefixBackend, start: PrefixPrompt, texts: Sequence[str], layers: Sequence[int]
) -> dict[int, FloatArray]:
    """What the layers hold at the tokens of texts: layer -> shape (n_tokens, 2 width), a key and a value of each.

    Both are divided by the spreads of the start's, as the space multiplies what is projected by them.
    """
    read = [backend.prefix_of(tokens).keys_values for text in texts if (tokens := backend.encode(text))]
    return {
        layer: np.concatenate([relative_keys_values(start, layer, one[layer]).swapaxes(0, 1) for one in read]).reshape(
            -1, 2 * backend.shape.key_value_width
        )
        for layer in layers
    }


def relative_keys_values(start: PrefixPrompt, layer: int, keys_values: FloatArray) -> FloatArray:
    """Keys and values of a layer, shape (2, n, width), in spreads of the start's own."""
    relative: FloatArray = keys_values / _spreads(start, layer)
    return relative


def _spreads(start: PrefixPrompt, layer: int) -> FloatArray:
    """s_k and s_v of a layer, shape (2, 1, 1)."""
    keys_values = start.keys_values.get(layer)
    if keys_values is None:
        known = ", ".join(map(str, start.keys_values))
        raise SettingError(f"layers must be some of the start's, which has {known}, got {layer}")
    if not np.isfinite(keys_values).all():
        raise SettingError(f"the start's keys and values must be finite numbers, got others in layer {layer}")
    return np.array([clipped_std(part) for part in keys_values], dtype=np.float32).reshape(2, 1, 1)
