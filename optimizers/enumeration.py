"""Enumeration: all of a few choices, each once."""

from __future__ import annotations

import numpy as np

from blackbox.optimizers.base import FloatArray, Optimizer, State


class Enumeration(Optimizer):
    """Asks for the unit vectors, one for each of `dimension` choices, in one generation; then there is nothing left.

    Args:
        dimension: Choices, at least 2.

    Raises:
        SettingError: Fewer than two choices.
    """

    def __init__(self, dimension: int) -> None:
        super().__init__(dimension, dimension)
        self._told = False

    def stop(self) -> dict[str, object]:
        return {"all choices": self.dimension} if self._told else {}

    def _ask(self) -> FloatArray:
        return np.eye(self.dimension)

    def _tell(self, candidates: FloatArray, losses: FloatArray) -> None:
        self._told = True

    def _state(self) -> State:
        return {"told": self._told}

    def _load_state(self, state: State) -> None:
        self._told = bool(state.get("told"))
