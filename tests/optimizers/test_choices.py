import math
from collections.abc import Sequence

import numpy as np
import pytest

from blackbox.optimizers import Optimizer, RandomChoices, SettingError
from blackbox.optimizers.choices import unasked

from .contract import ChoiceContract, advance


class TestRandomChoices(ChoiceContract):
    def make_of(self, sizes: Sequence[int], seed: int) -> Optimizer:
        return RandomChoices(sizes, population_size=8, seed=seed)


@pytest.mark.parametrize("count", [1, 40])
def test_draws_are_uniform_over_what_was_not_asked(count: int) -> None:
    """Forty of 47 are picked from a list of all that are left, a single one is drawn until it is new."""
    rng, sizes = np.random.default_rng(0), (6, 8)
    asked = {(0, 0)}
    drawn = [choice for _ in range(4000) for choice in unasked(sizes, asked, count, rng)]
    counts = np.zeros(sizes)
    np.add.at(counts, tuple(np.array(drawn).T), 1)
    expected = 4000 * count / 47
    assert counts[0, 0] == 0
    assert np.abs(counts.ravel()[1:] - expected).max() < 5 * math.sqrt(expected)


def test_no_more_is_drawn_than_is_left() -> None:
    rng = np.random.default_rng(0)
    assert sorted(unasked((2, 2), {(0, 1)}, 9, rng)) == [(0, 0), (1, 0), (1, 1)]
    assert unasked((2,), {(0,), (1,)}, 3, rng) == []


def test_more_combinations_than_there_are_machine_numbers_can_be_drawn() -> None:
    assert len(RandomChoices((64,) * 20, seed=1).ask()) == 20


def test_losses_teach_random_search_nothing() -> None:
    low, high = RandomChoices((9, 9, 9, 9), seed=1), RandomChoices((9, 9, 9, 9), seed=1)
    advance(low, 1)
    advance(high, 1, lambda candidates: np.arange(len(candidates), dtype=float))
    assert np.array_equal(low.ask(), high.ask())


@pytest.mark.parametrize(
    ("sizes", "message"), [((1,), "must leave a choice"), ((2, 0), r"sizes\[1\]"), (3, "must be a sequence")]
)
def test_sizes_that_cannot_be_are_refused(sizes: Sequence[int], message: str) -> None:
    with pytest.raises(SettingError, match=message):
        RandomChoices(sizes, seed=1)
