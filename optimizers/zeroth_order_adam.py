"""Zeroth-order Adam: two-point gradient estimates, several directions a step, into Adam.

MeZO (arXiv 2305.17333) trains a model's weights by such estimates with one direction a step and plain descent, and
names Adam as the variant that keeps moments; here they move a prompt, of which a step is the whole population.
"""

from __future__ import annotations

from typing import Literal

from numpy.typing import ArrayLike

from blackbox.optimizers import saved, settings
from blackbox.optimizers.base import FloatArray, State
from blackbox.optimizers.mirrored import MirroredOptimizer, signs, slope
from blackbox.optimizers.updates import Update, UpdateRule


class ZerothOrderAdam(MirroredOptimizer):
    """Adam on the mean of `population_size / 2` two-point estimates of the gradient.

    Args:
        dimension: Length of a candidate, at least 2.
        population_size: Candidates a generation, even; twice the directions of a step.
        sigma: How far a candidate is from the mean in each number.
        learning_rate: Length of a step in each number while gradients agree; None: 0.3 sigma.
        momentum: Adam's beta_1.
        update: "adam-mini", one second moment for all numbers, or "adam", one for each; or "momentum".
        directions: "gaussian" or "rademacher" (+1 or -1).
        center: First mean, shape (dimension,); None: zeros.
        seed: Of the directions.

    Raises:
        SettingError: A setting out of its range.
    """

    def __init__(
        self,
        dimension: int,
        *,
        population_size: int = 20,
        sigma: float = 1.0,
        learning_rate: float | None = None,
        momentum: float = 0.9,
        update: Update = "adam-mini",
        directions: Literal["gaussian", "rademacher"] = "gaussian",
        center: ArrayLike | None = None,
        seed: int,
    ) -> None:
        super().__init__(dimension, population_size, sigma=sigma, learning_rate=learning_rate, center=center, seed=seed)
        self._kind = settings.one_of("directions", directions, ("gaussian", "rademacher"))
        self._update = UpdateRule(update, self.dimension, beta_1=momentum)

    def _directions(self) -> FloatArray:
        shape = (self.pairs, self.dimension)
        if self._kind == "rademacher":
            return signs(self._rng, shape)
        return self._rng.standard_normal(shape)

    def _moved(self, directions: FloatArray, plus: FloatArray, minus: FloatArray) -> FloatArray:
        gradient = slope(directions, plus, minus, radius=self._sigma)
        return self._mean if gradient is None else self._mean + self._learning_rate * self._update(gradient)

    def _settings(self) -> State:
        own = {"learning_rate": self._learning_rate, "directions": self._kind, **self._update.settings()}
        return {**super()._settings(), **own}

    def _state(self) -> State:
        return {**super()._state(), "update": self._update.state()}

    def _load_state(self, state: State) -> None:
        update = self._update.loaded(saved.take(state, "update", dict))
        super()._load_state(state)
        self._update = update
