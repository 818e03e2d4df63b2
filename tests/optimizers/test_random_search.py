import numpy as np
import pytest

from blackbox.optimizers import Optimizer, RandomSearch, SettingError

from .contract import OptimizerContract, advance


class TestRandomSearch(OptimizerContract):
    def make(self, seed: int) -> Optimizer:
        return RandomSearch(4, population_size=8, sigma=0.5, seed=seed)


def test_candidates_are_normal_with_the_given_center_and_sigma() -> None:
    search = RandomSearch(2, population_size=1000, sigma=0.25, center=[3.0, -1.0], seed=0)
    z = (search.ask() - np.array([3.0, -1.0])) / 0.25
    assert np.abs(z.mean(axis=0)).max() < 5 / np.sqrt(1000)  # five standard errors
    assert np.abs((z**2).mean(axis=0) - 1).max() < 5 * np.sqrt(2 / 1000)
    assert abs((z[:, 0] * z[:, 1]).mean()) < 5 / np.sqrt(1000)


def test_losses_teach_it_nothing() -> None:
    low, high = RandomSearch(4, seed=1), RandomSearch(4, seed=1)
    advance(low, 1)
    advance(high, 1, lambda candidates: np.arange(len(candidates), dtype=float))
    assert np.array_equal(low.ask(), high.ask())


@pytest.mark.parametrize(
    ("setting", "message"),
    [
        ({"dimension": 1}, "dimension must be a whole number of at least 2, got 1"),
        ({"dimension": 2.5}, "dimension must be a whole number"),
        ({"dimension": True}, "dimension must be a whole number"),
        ({"population_size": 1}, "population_size must be a whole number of at least 2, got 1"),
        ({"sigma": 0.0}, "sigma must be a finite number above 0, got 0.0"),
        ({"sigma": -1.0}, "sigma must be a finite number above 0"),
        ({"sigma": float("nan")}, "sigma must be a finite number above 0, got nan"),
        ({"sigma": float("inf")}, "sigma must be a finite number above 0, got inf"),
        ({"seed": -1}, "seed must be a whole number of at least 0"),
        ({"seed": None}, "seed must be a whole number"),
        ({"center": [0.0, 0.0]}, r"center must have shape \(4,\), got \(2,\)"),
        ({"center": [0.0, 0.0, float("nan"), 0.0]}, "center must be finite, element 2 is nan"),
        ({"center": "north"}, "center must hold 4 numbers"),
    ],
)
def test_a_setting_that_cannot_work_is_refused_by_name(setting: dict[str, object], message: str) -> None:
    with pytest.raises(SettingError, match=message):
        RandomSearch(**{"dimension": 4, "seed": 1, **setting})  # type: ignore[arg-type]


def test_the_seed_zero_is_a_seed() -> None:
    assert np.array_equal(RandomSearch(4, seed=0).ask(), RandomSearch(4, seed=0).ask())


def test_the_center_that_is_passed_is_copied() -> None:
    center = np.zeros(4)
    search = RandomSearch(4, center=center, sigma=1e-9, seed=1)
    center += 5.0
    assert np.abs(search.ask()).max() < 1.0
