import numpy as np
import pytest

from blackbox.optimizers import SPSA, Optimizer, StateError
from blackbox.optimizers.spsa import first_gain

from .contract import OptimizerContract, advance, json_round_trip, sphere


class TestSPSA(OptimizerContract):
    def make(self, seed: int) -> Optimizer:
        return SPSA(4, population_size=4, sigma=0.1, seed=seed)


def test_candidates_come_closer_to_the_mean_by_spalls_gain() -> None:
    optimizer = SPSA(4, population_size=2, sigma=0.5, seed=1)
    for k in range(4):
        mean, candidates = optimizer.mean.copy(), optimizer.ask()
        assert np.abs(candidates - mean) == pytest.approx(np.full((2, 4), 0.5 / (k + 1) ** 0.101))
        optimizer.tell(candidates, sphere(candidates))


def test_steps_are_spalls_with_fixed_perturbations() -> None:
    """Two steps with one pair each, computed by hand from the candidates: g = (L+ - L-) / (2 c_k) / delta."""
    optimizer = SPSA(4, population_size=2, sigma=0.5, learning_rate=0.1, generations=20, seed=3)
    mean, a = np.zeros(4), 0.0
    for k in range(2):
        c_k = 0.5 / (k + 1) ** 0.101
        plus, minus = candidates = optimizer.ask()
        delta = np.sign(plus - mean)
        g = (sphere(plus[None]) - sphere(minus[None]))[0] / (2 * c_k) / delta
        a = a or 0.1 * (2 + 0 + 1) ** 0.602 / np.abs(g).mean()  # A = 20 / 10
        mean = mean - a / (2 + k + 1) ** 0.602 * g
        optimizer.tell(candidates, sphere(candidates))
        assert optimizer.mean == pytest.approx(mean)


def test_the_first_step_changes_a_number_by_the_learning_rate_on_average() -> None:
    optimizer = SPSA(50, population_size=10, sigma=0.1, learning_rate=0.02, seed=1)
    advance(optimizer, 1, lambda z: 1e6 * ((z - 1) ** 2).sum(axis=1))
    assert np.abs(optimizer.mean).mean() == pytest.approx(0.02)
    assert first_gain(np.array([1.0, -3.0]), 0.1, step=0, stability=9.0) == pytest.approx(0.1 * 10**0.602 / 2)


def test_flat_generations_at_the_start_do_not_fix_the_gain() -> None:
    optimizer = SPSA(4, population_size=4, sigma=0.1, seed=1)
    advance(optimizer, 3, lambda z: np.ones(len(z)))
    advance(optimizer, 1)
    assert np.abs(optimizer.mean).mean() == pytest.approx(0.03)


@pytest.mark.parametrize("gain", [0.0, "x", float("inf")])
def test_a_damaged_gain_is_refused(gain: object) -> None:
    optimizer, other = SPSA(4, seed=1), SPSA(4, seed=1)
    advance(optimizer, 1)
    state = json_round_trip(optimizer.state_dict())
    state["inner"]["a"] = gain
    with pytest.raises(StateError, match="'a' in the state must be null or a number above 0"):
        other.load_state_dict(state)
