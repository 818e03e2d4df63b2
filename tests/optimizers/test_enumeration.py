import numpy as np
import pytest

from blackbox.optimizers import Enumeration, Optimizer, SettingError
from tests.optimizers.contract import LightContract


class TestEnumeration(LightContract):
    generations = 1

    def make(self, seed: int) -> Optimizer:
        return Enumeration((2, 1, 3, 2))


def test_every_category_of_one_choice_is_asked_once_and_then_nothing_is_left() -> None:
    optimizer = Enumeration([3])
    assert optimizer.stop() == {}
    candidates = optimizer.ask()
    assert candidates.tolist() == [[0.0], [1.0], [2.0]]
    optimizer.tell(candidates, [3.0, 1.0, 2.0])
    assert optimizer.stop() == {"all combinations": 3}
    assert optimizer.best is not None
    assert np.array_equal(optimizer.best.candidate, [1.0])


def test_every_combination_of_several_choices_is_asked_once_the_start_first() -> None:
    assert Enumeration((2, 3)).ask().tolist() == [[0, 0], [0, 1], [0, 2], [1, 0], [1, 1], [1, 2]]


def test_a_single_combination_is_no_choice_and_too_many_are_refused_at_once() -> None:
    with pytest.raises(SettingError, match=r"sizes must leave a choice: at least two combinations, got \(1, 1\)"):
        Enumeration((1, 1))
    with pytest.raises(SettingError, match="at most 100,000, got 281,474,976,710,656; search them with another"):
        Enumeration((64,) * 8)
