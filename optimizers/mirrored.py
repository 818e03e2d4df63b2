"""Mirrored sampling: candidates in pairs, mean + sigma s and mean - sigma s.

Brockhoff et al. 2010 (doi:10.1007/978-3-642-15844-5_2) brought it to evolution strategies. What the losses of a pair
have in common, all even orders of the loss around the mean, drops out of their difference, which leaves the slope
along s.
"""

from __future__ import annotations

from abc import abstractmethod

import numpy as np
from numpy.typing import ArrayLike

from blackbox.optimizers import saved, settings
from blackbox.optimizers.base import FloatArray, Optimizer, State, read_only
from blackbox.optimizers.errors import SettingError, StateError


class MirroredOptimizer(Optimizer):
    """A mean that moves by what pairs around it have lost; candidates 2 i and 2 i + 1 are pair i.

    Derived classes write `_directions` and `_moved`.

    Args:
        dimension: Length of a candidate, at least 2.
        population_size: Candidates a generation, even.
        sigma: How far a candidate is from the mean in each number, above 0.
        learning_rate: Length of a step in each number, above 0; None: 0.3 sigma.
        center: First mean, shape (dimension,); None: zeros.
        seed: Of the directions.

    Raises:
        SettingError: A setting out of its range.
    """

    def __init__(
        self,
        dimension: int,
        population_size: int,
        *,
        sigma: float,
        learning_rate: float | None,
        center: ArrayLike | None,
        seed: int,
    ) -> None:
        super().__init__(dimension, population_size)
        if self.population_size % 2:
            raise SettingError(
                f"population_size must be even for {type(self).__name__}, whose candidates come in pairs, "
                f"got {population_size}"
            )
        self._sigma = settings.step("sigma", sigma)
        rate = 0.3 * self._sigma if learning_rate is None else learning_rate
        self._learning_rate = settings.step("learning_rate", rate)
        self._center = settings.start("center", center, self.dimension)
        self._rng = np.random.default_rng(settings.whole_number("seed", seed, at_least=0))
        self._mean = self._center
        self._told = 0  # generations

    @property
    def mean(self) -> FloatArray:
        """Where the next candidates are drawn around, shape (dimension,), read-only."""
        return read_only(self._mean)

    @property
    def pairs(self) -> int:
        """Pairs of a generation."""
        return self.population_size // 2

    def stop(self) -> dict[str, object]:
        """`diverged`, where the mean has left the range of numbers in which a step still counts."""
        largest = float(np.abs(self._mean).max())
        return {} if largest < 1e12 * self._sigma else {"diverged": largest}

    def _radius(self) -> float:
        """How far candidates of this generation are from the mean."""
        return self._sigma

    def _ask(self) -> FloatArray:
        steps = self._radius() * self._directions()
        return np.stack([self._mean + steps, self._mean - steps], axis=1).reshape(-1, self.dimension)

    def _tell(self, candidates: FloatArray, losses: FloatArray) -> None:
        directions = (candidates[0::2] - candidates[1::2]) / (2 * self._radius())
        self._mean = self._moved(directions, losses[0::2], losses[1::2])
        self._told += 1

    @abstractmethod
    def _directions(self) -> FloatArray:
        """New directions, shape (pairs, dimension), each number with mean 0 and variance 1."""

    @abstractmethod
    def _moved(self, directions: FloatArray, plus: FloatArray, minus: FloatArray) -> FloatArray:
        """The next mean, given directions of shape (pairs, dimension) and losses of shape (pairs,) on both sides."""

    def _settings(self) -> State:
        return {"sigma": self._sigma, "center": self._center.tolist()}

    def _state(self) -> State:
        return {"generator": dict(self._rng.bit_generator.state), "mean": self._mean.tolist(), "told": self._told}

    def _load_state(self, state: State) -> None:
        rng = saved.generator(saved.take(state, "generator", dict), "generator")
        mean = saved.array(saved.take(state, "mean", list), "mean", rank=1, width=self.dimension)
        told = saved.take(state, "told", int)
        if told < 0 or not np.isfinite(mean).all():
            raise StateError("the mean in the state is damaged")
        self._rng, self._mean, self._told = rng, mean, told


def signs(rng: np.random.Generator, shape: tuple[int, int]) -> FloatArray:
    """Rademacher numbers: +1 or -1, equally likely."""
    return (2 * rng.integers(0, 2, size=shape) - 1).astype(np.float64)


def slope(directions: FloatArray, plus: FloatArray, minus: FloatArray, *, radius: float) -> FloatArray | None:
    """The two-point estimate of the gradient, mean over pairs of (L(mean + c s) - L(mean - c s)) / (2 c) s.

    Spall 1992 (doi:10.1109/9.119632), eq. 2.2, whose division by +-1 is a multiplication; MeZO (arXiv 2305.17333),
    definition 1; its average over n pairs is MeZO's n-SPSA.

    Args:
        directions: s, shape (pairs, dimension).
        plus: Losses of mean + c s, shape (pairs,); inf: failed.
        minus: Losses of mean - c s.
        radius: c.

    Returns:
        Shape (dimension,); None where every pair has a candidate that failed.
    """
    whole = np.isfinite(plus) & np.isfinite(minus)
    if not whole.any():
        return None
    differences = (plus[whole] - minus[whole]) / (2 * radius)
    estimate: FloatArray = np.einsum("p,pd->d", differences, directions[whole]) / whole.sum()  # no BLAS threads
    return estimate
