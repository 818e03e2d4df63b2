import numpy as np
import pytest

from blackbox.optimizers import Enumeration, Optimizer, SettingError
from tests.optimizers.contract import LightContract


class TestEnumeration(LightContract):
    generations = 1

    def make(self, seed: int) -> Optimizer:
        return Enumeration(4)


def test_every_choice_is_asked_once_and_then_nothing_is_left() -> None:
    optimizer = Enumeration(3)
    assert optimizer.stop() == {}
    candidates = optimizer.ask()
    assert candidates.argmax(axis=1).tolist() == [0, 1, 2]
    optimizer.tell(candidates, [3.0, 1.0, 2.0])
    assert optimizer.stop() == {"all choices": 3}
    assert optimizer.best is not None
    assert np.array_equal(optimizer.best.candidate, [0, 1, 0])


def test_a_single_choice_is_none() -> None:
    with pytest.raises(SettingError, match="dimension must be"):
        Enumeration(1)
