"""What spaces over several layers have in common: a projection for each layer, and a memory of what it has made."""

import math
from collections.abc import Callable, Collection, Mapping
from functools import partial
from typing import Protocol

import numpy as np
import numpy.typing as npt

from blackbox.errors import SettingError
from blackbox.spaces.projection import IDENTITY, Projection, make_projection

FloatArray = npt.NDArray[np.float32]


class ProjectionOfLayer(Protocol):
    """Makes the projection of a layer: see `make_projection`, which makes those that are the same for all layers."""

    def __call__(
        self, layer: int, dimension: int, outputs: int, *, std: float, seed: np.random.SeedSequence
    ) -> Projection: ...


def projection_of_layer(projection: str | ProjectionOfLayer) -> ProjectionOfLayer:
    """What makes the projections of a name; what makes them already is given back."""
    return partial(_named, projection) if isinstance(projection, str) else projection


def _named(
    name: str, layer: int, dimension: int, outputs: int, *, std: float, seed: np.random.SeedSequence
) -> Projection:
    return make_projection(name, dimension, outputs, std=std, seed=seed)


class LayerProjections:
    """Block j of a candidate is z_j, the numbers of the j-th searched layer, which become finish(layer, A_j z_j).

    The entries of A_j have standard deviation alpha * s_j / sqrt(d). With "identity" the layer's numbers are searched
    themselves, in units of alpha * s_j; d is their count then.

    Args:
        spreads: layer -> s_j for each searched layer.
        outputs: numbers of a layer.
        finish: makes of a layer and its projected numbers, shape (outputs,), the layer's array.
        dimension: numbers of a block, d.
        alpha: scale of the space.
        projection: "gaussian", "uniform", "hadamard" or "identity", or what makes the projection of a layer.
        seed: of the projections; a layer's projection does not depend on which other layers are searched.

    Attributes:
        whole: whether all numbers of a layer are searched themselves.
    """

    def __init__(
        self,
        spreads: Mapping[int, float],
        outputs: int,
        *,
        finish: Callable[[int, FloatArray], FloatArray],
        dimension: int,
        alpha: float,
        projection: str | ProjectionOfLayer,
        seed: int,
    ) -> None:
        if dimension < 2:
            raise SettingError(f"dimension must be at least 2, got {dimension}")
        if not (alpha > 0 and math.isfinite(alpha)):
            raise SettingError(f"alpha must be positive and finite, got {alpha}")
        self.whole = projection == IDENTITY
        self._block = outputs if self.whole else dimension
        self._finish = finish
        make = projection_of_layer(projection)
        self._projections: dict[int, Projection] = {
            layer: make(
                layer,
                self._block,
                outputs,
                std=alpha * spread / (1 if self.whole else math.sqrt(dimension)),
                seed=np.random.SeedSequence(seed, spawn_key=(layer,)),
            )
            for layer, spread in sorted(spreads.items())
        }
        self._recent: dict[int, dict[bytes, FloatArray]] = {layer: {} for layer in self._projections}

    @property
    def layers(self) -> tuple[int, ...]:
        """The searched layers, in the order of the blocks."""
        return tuple(self._projections)

    @property
    def blocks(self) -> tuple[int, ...]:
        """d for each layer."""
        return (self._block,) * len(self._projections)

    def arrays(self, candidates: npt.NDArray[np.float64]) -> list[dict[int, FloatArray]]:
        """The arrays of the searched layers for each candidate of shape (n, sum of the blocks), read-only.

        Candidates that agree in a layer's numbers share that layer's array, also with those of the last call.
        """
        parts = candidates.reshape(len(candidates), len(self.layers), self._block)
        by_layer = {layer: self._layer(layer, parts[:, place]) for place, layer in enumerate(self.layers)}
        return [{layer: by_layer[layer][number] for layer in self.layers} for number in range(len(candidates))]

    def _layer(self, layer: int, parts: npt.NDArray[np.float64]) -> list[FloatArray]:
        """The arrays of a layer for numbers of shape (n, d)."""
        keys = [part.tobytes() for part in parts]
        known = self._recent[layer]
        new = {key: part for key, part in zip(keys, parts, strict=True) if key not in known}
        known = known | dict(zip(new, self._make(layer, new.values()), strict=True))
        self._recent[layer] = {key: known[key] for key in keys}
        return [known[key] for key in keys]

    def _make(self, layer: int, parts: Collection[npt.NDArray[np.float64]]) -> list[FloatArray]:
        """New arrays of a layer, one for each part of shape (d,), projected together."""
        if not parts:
            return []
        projected = self._projections[layer](np.stack(list(parts)))
        made = [self._finish(layer, row.copy()) for row in projected]  # a view would keep all rows in memory
        for array in made:
            array.setflags(write=False)
        return made
