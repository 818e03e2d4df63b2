"""Random search: every candidate drawn anew, nothing learned. The baseline that each other optimizer has to beat."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from blackbox.optimizers import saved, settings
from blackbox.optimizers.base import FloatArray, Optimizer, State


class RandomSearch(Optimizer):
    """Candidates are `center + sigma * N(0, I)`.

    Args:
        dimension: Length of a candidate, at least 2.
        population_size: Candidates a generation, at least 2.
        sigma: Standard deviation of each coordinate, above 0.
        center: Mean, shape (dimension,); None: zeros.
        seed: Two searches with the same seed ask the same candidates.

    Raises:
        SettingError: A setting out of its range.
    """

    def __init__(
        self,
        dimension: int,
        *,
        population_size: int = 20,
        sigma: float = 1.0,
        center: ArrayLike | None = None,
        seed: int,
    ) -> None:
        super().__init__(dimension, population_size)
        self._sigma = settings.step("sigma", sigma)
        self._center = settings.start("center", center, self.dimension)
        self._rng = np.random.default_rng(settings.whole_number("seed", seed, at_least=0))

    def _settings(self) -> State:
        return {"sigma": self._sigma, "center": self._center.tolist()}

    def _ask(self) -> FloatArray:
        return self._center + self._sigma * self._rng.standard_normal((self.population_size, self.dimension))

    def _tell(self, candidates: FloatArray, losses: FloatArray) -> None:
        pass

    def _state(self) -> State:
        return {"generator": dict(self._rng.bit_generator.state)}

    def _load_state(self, state: State) -> None:
        self._rng = saved.generator(saved.take(state, "generator", dict), "generator")
