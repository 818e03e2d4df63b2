"""Enumeration: all combinations of choices, each once."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from blackbox.optimizers import settings
from blackbox.optimizers.base import FloatArray, Optimizer, State
from blackbox.optimizers.errors import SettingError

_MOST = 100_000


class Enumeration(Optimizer):
    """Asks for all combinations in one generation, the last variable changing fastest; then there is nothing left.

    Args:
        sizes: Categories of each variable; at least two and at most 100,000 combinations.

    Raises:
        SettingError: Fewer combinations, or more.
    """

    def __init__(self, sizes: Sequence[int]) -> None:
        checked = settings.sizes("sizes", sizes)
        if math.prod(checked) > _MOST:
            raise SettingError(
                f"enumeration asks for all combinations, at most {_MOST:,}, got {math.prod(checked):,}; search them "
                "with another optimizer"
            )
        super().__init__(len(checked), math.prod(checked), sizes=checked)
        self._categories = checked
        self._told = False

    def stop(self) -> dict[str, object]:
        return {"all combinations": self.population_size} if self._told else {}

    def _ask(self) -> FloatArray:
        return np.indices(self._categories).reshape(self.dimension, -1).T.astype(np.float64)

    def _tell(self, candidates: FloatArray, losses: FloatArray) -> None:
        self._told = True

    def _state(self) -> State:
        return {"told": self._told}

    def _load_state(self, state: State) -> None:
        self._told = bool(state.get("told"))
