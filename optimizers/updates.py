"""What a noisy gradient moves a search by: rules with memory, free of any scale.

Adam (Kingma & Ba, arXiv 1412.6980) divides the mean of past gradients by the root of their second moment. Adam-mini
(arXiv 2406.16793) keeps one second moment for all numbers: estimates from a few directions are noise in most numbers,
and a scale for each of them adds to it. Momentum divides each gradient by its own size, so that steps are as long where
losses hardly differ. None has the papers' epsilon: a loss in other units takes the same steps.
"""

from __future__ import annotations

from typing import Literal, TypeAlias

import numpy as np

from blackbox.optimizers import saved, settings
from blackbox.optimizers.base import FloatArray, State
from blackbox.optimizers.errors import SettingError, StateError

Update: TypeAlias = Literal["adam", "adam-mini", "momentum"]
UPDATES: tuple[Update, ...] = ("adam-mini", "adam", "momentum")


class UpdateRule:
    """Steps of about unit size in each number, smaller where gradients contradict each other.

    Args:
        name: "adam-mini", "adam" or "momentum".
        dimension: Length of a gradient.
        beta_1: Share of the past in the mean of the gradients, from 0 to below 1.
        beta_2: The same, of the second moment.

    Raises:
        SettingError: No rule has the name, or a share out of its range.
    """

    def __init__(self, name: Update, dimension: int, *, beta_1: float = 0.9, beta_2: float = 0.99) -> None:
        self.name = settings.one_of("update", name, UPDATES)
        self.beta_1, self.beta_2 = _share("momentum", beta_1), _share("beta_2", beta_2)
        self._m = np.zeros(dimension)
        self._v = np.zeros(dimension if name == "adam" else 1)
        self._t = 0

    def __call__(self, gradient: FloatArray) -> FloatArray:
        """The step for a gradient, both of shape (dimension,); it points downhill."""
        g = gradient
        if self.name == "momentum":
            self._m = self.beta_1 * self._m + (1 - self.beta_1) * _ratio(g, np.sqrt((g**2).mean(keepdims=True)))
            return -self._m
        squared = g**2 if self.name == "adam" else (g**2).mean(keepdims=True)
        self._t += 1
        self._m = self.beta_1 * self._m + (1 - self.beta_1) * g
        self._v = self.beta_2 * self._v + (1 - self.beta_2) * squared
        m_hat = self._m / (1 - self.beta_1**self._t)
        v_hat = self._v / (1 - self.beta_2**self._t)
        return -_ratio(m_hat, np.sqrt(v_hat))

    def settings(self) -> State:
        """What a state must share with the rule that loads it."""
        return {"update": self.name, "beta_1": self.beta_1, "beta_2": self.beta_2}

    def state(self) -> State:
        """JSON values."""
        return {"t": self._t, "m": self._m.tolist(), "v": self._v.tolist()}

    def loaded(self, state: object) -> UpdateRule:
        """A rule that goes on from what `state` returned; this one stays as it is.

        Raises:
            StateError: A damaged state.
        """
        rule: UpdateRule = UpdateRule(self.name, len(self._m), beta_1=self.beta_1, beta_2=self.beta_2)  # type: ignore[arg-type]
        rule._t = saved.take(state, "t", int)
        rule._m = saved.array(saved.take(state, "m", list), "m", rank=1, width=len(self._m))
        rule._v = saved.array(saved.take(state, "v", list), "v", rank=1, width=len(self._v))
        if rule._t < 0 or (rule._v < 0).any():
            raise StateError("the moments in the state are damaged")
        return rule


def _ratio(a: FloatArray, b: FloatArray) -> FloatArray:
    """a / b; 0 where b is."""
    return np.divide(a, b, out=np.zeros_like(a), where=b > 0)


def _share(name: str, value: float) -> float:
    if isinstance(value, bool) or not 0 <= value < 1:
        raise SettingError(f"{name} must be a number from 0 to below 1, got {value!r}")
    return float(value)
