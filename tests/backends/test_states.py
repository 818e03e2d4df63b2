import numpy as np
import pytest

from blackbox.backends.states import MOST_STATES, evenly


def numbered(count: int) -> np.ndarray:
    return np.arange(count, dtype=np.float32)[:, None]


@pytest.mark.parametrize("count", [0, 1, 2, MOST_STATES])
def test_few_states_are_all_kept(count: int) -> None:
    assert np.array_equal(evenly(numbered(count)), numbered(count))


@pytest.mark.parametrize("count", [MOST_STATES + 1, 3 * MOST_STATES + 5, 50_000])
def test_of_many_the_first_the_last_and_evenly_spaced_ones_between_are_kept(count: int) -> None:
    found = evenly(numbered(count))[:, 0]
    assert len(found) == MOST_STATES
    assert (found[0], found[-1]) == (0, count - 1)
    steps = np.diff(found)
    assert steps.min() >= 1
    assert steps.max() - steps.min() <= 1
