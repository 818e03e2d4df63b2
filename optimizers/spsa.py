"""SPSA: simultaneous perturbation stochastic approximation (Spall 1992, doi:10.1109/9.119632).

Gains as in Spall 1998 ("Implementation of the simultaneous perturbation algorithm for stochastic optimization",
doi:10.1109/7.705889): a_k = a / (A + k + 1)^0.602 and c_k = c / (k + 1)^0.101 with A a tenth of the steps expected, and
`a` such that the first step changes a number by a wanted amount, which asks for the size of the first gradient.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from blackbox.optimizers import saved, settings
from blackbox.optimizers.base import FloatArray, State
from blackbox.optimizers.errors import StateError
from blackbox.optimizers.mirrored import MirroredOptimizer, signs, slope

ALPHA, GAMMA = 0.602, 0.101
STABILITY = 0.1
"""A, as a share of the steps expected."""


class SPSA(MirroredOptimizer):
    """Descent by two-point estimates with directions of +-1, averaged over the pairs of a generation.

    Args:
        dimension: Length of a candidate, at least 2.
        population_size: Candidates a generation, even; twice the estimates that are averaged.
        sigma: c, how far candidates of the first generation are from the mean in each number; they come closer later.
        learning_rate: What the first step changes a number by, on average; None: 0.3 sigma.
        generations: Steps expected.
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
        generations: int = 100,
        center: ArrayLike | None = None,
        seed: int,
    ) -> None:
        super().__init__(dimension, population_size, sigma=sigma, learning_rate=learning_rate, center=center, seed=seed)
        self._generations = settings.whole_number("generations", generations, at_least=1)
        self._a: float | None = None  # known once a gradient is

    def _radius(self) -> float:
        return float(self._sigma / (self._told + 1) ** GAMMA)

    def _directions(self) -> FloatArray:
        return signs(self._rng, (self.pairs, self.dimension))

    def _moved(self, directions: FloatArray, plus: FloatArray, minus: FloatArray) -> FloatArray:
        gradient = slope(directions, plus, minus, radius=self._radius())
        if gradient is None or not gradient.any():
            return self._mean
        stability = STABILITY * self._generations
        if self._a is None:
            self._a = first_gain(gradient, self._learning_rate, step=self._told, stability=stability)
        gain = float(self._a / (stability + self._told + 1) ** ALPHA)
        return self._mean - gain * gradient

    def _settings(self) -> State:
        return {**super()._settings(), "learning_rate": self._learning_rate, "generations": self._generations}

    def _state(self) -> State:
        return {**super()._state(), "a": self._a}

    def _load_state(self, state: State) -> None:
        a = saved.take(state, "a", object)
        if a is not None and not (isinstance(a, float) and 0 < a < np.inf):
            raise StateError(f"'a' in the state must be null or a number above 0, got {a!r}")
        super()._load_state(state)
        self._a = a


def first_gain(gradient: FloatArray, change: float, *, step: int, stability: float) -> float:
    """a such that a / (A + k + 1)^0.602 times a number of the gradient is `change` on average (Spall 1998, III.B).

    Args:
        gradient: The first one that is not zero, shape (dimension,).
        change: What the step shall change a number by.
        step: k of this step.
        stability: A.
    """
    return float(change * (stability + step + 1) ** ALPHA / np.abs(gradient).mean())
