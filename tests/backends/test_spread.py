import numpy as np
import pytest

from blackbox.backends.spread import clipped_std


def test_the_clipped_spread_of_normal_numbers_is_a_little_below_their_own() -> None:
    values = np.random.default_rng(1).normal(5.0, 2.0, size=(300, 400)).astype(np.float32)
    # clipping N(0, 1) to +-3: variance 1 - 2 (phi(3) 3 + Q(3) (1 - 9)) = 0.995; each round clips at 3 spreads anew
    assert 0.98 < clipped_std(values) / 2.0 < 1.0


def test_the_clipped_spread_is_that_of_the_released_code() -> None:
    torch = pytest.importorskip("torch")
    values = np.random.default_rng(1).standard_t(2, size=(30, 40)).astype(np.float32)
    states = torch.from_numpy(values)
    for _ in range(5):
        mean, std = states.mean(), states.std()
        states = states.clamp(mean - 3 * std, mean + 3 * std)
    assert clipped_std(values) == pytest.approx(float(states.std()), rel=1e-5)


def test_numbers_that_are_all_the_same_have_the_spread_one() -> None:
    assert clipped_std(np.full((2, 3), 7.0, dtype=np.float32)) == 1.0
