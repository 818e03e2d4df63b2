import numpy as np
import pytest

from blackbox.optimizers import Optimizer, SettingError, ZerothOrderAdam
from blackbox.optimizers.mirrored import slope

from .contract import OptimizerContract, advance, sphere


class TestZerothOrderAdam(OptimizerContract):
    def make(self, seed: int) -> Optimizer:
        return ZerothOrderAdam(4, population_size=8, sigma=0.1, seed=seed)


class TestWithRademacherDirectionsAndAdam(OptimizerContract):
    def make(self, seed: int) -> Optimizer:
        return ZerothOrderAdam(4, population_size=4, sigma=0.1, update="adam", directions="rademacher", seed=seed)


def test_the_first_step_is_along_the_estimate_and_as_long_as_the_learning_rate() -> None:
    optimizer = ZerothOrderAdam(4, population_size=6, sigma=0.1, learning_rate=0.02, seed=1)
    candidates, losses = advance(optimizer, 1)
    directions = (candidates[0::2] - candidates[1::2]) / 0.2
    estimate = slope(directions, losses[0::2], losses[1::2], radius=0.1)
    assert estimate is not None
    assert optimizer.mean == pytest.approx(-0.02 * estimate / np.sqrt((estimate**2).mean()))


def test_rademacher_directions_are_plus_and_minus_one() -> None:
    candidates = ZerothOrderAdam(50, population_size=20, sigma=0.5, directions="rademacher", seed=1).ask()
    assert set(np.unique(candidates)) == {-0.5, 0.5}
    assert abs(candidates[0::2].mean()) < 0.5 * 5 / np.sqrt(500)


def test_a_loss_in_other_units_runs_the_same_way() -> None:
    plain, scaled = ZerothOrderAdam(4, seed=1), ZerothOrderAdam(4, seed=1)
    advance(plain, 5)
    advance(scaled, 5, lambda z: 1000 * sphere(z) + 7)
    assert plain.mean == pytest.approx(scaled.mean)


def test_unknown_directions_are_refused() -> None:
    with pytest.raises(SettingError, match="directions must be one of 'gaussian', 'rademacher', got 'uniform'"):
        ZerothOrderAdam(4, directions="uniform", seed=1)  # type: ignore[arg-type]
