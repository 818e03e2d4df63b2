from collections.abc import Sequence

import numpy as np
import pytest

from blackbox.optimizers import Categorical, FloatArray, Optimizer, RandomChoices, SettingError

from .contract import ChoiceContract, advance


class TestCategorical(ChoiceContract):
    def make_of(self, sizes: Sequence[int], seed: int) -> Optimizer:
        return Categorical(sizes, population_size=8, seed=seed)


class TestWithVariablesThatAreAlike(ChoiceContract):
    def make_of(self, sizes: Sequence[int], seed: int) -> Optimizer:
        return Categorical(sizes, population_size=8, seed=seed)

    def make(self, seed: int) -> Optimizer:
        return Categorical((5, 9, 9, 9), blocks=(1, 3), population_size=8, seed=seed)


def mean_loss_of_the_last_candidates(optimizer: Optimizer, loss: np.ndarray) -> float:
    def told(candidates: FloatArray) -> FloatArray:
        losses: FloatArray = loss[np.arange(len(loss)), candidates.astype(int)].sum(axis=1)
        return losses

    return float(advance(optimizer, 12, told)[1][-20:].mean())


def test_what_single_variables_tell_is_used() -> None:
    sizes = (10, 10, 10, 10)
    effects = np.random.default_rng(0).normal(size=(4, 10))
    learned = mean_loss_of_the_last_candidates(Categorical(sizes, population_size=10, seed=1), effects)
    drawn = mean_loss_of_the_last_candidates(RandomChoices(sizes, population_size=10, seed=1), effects)
    assert learned < drawn - 2.0  # a random candidate's loss has a standard deviation of 2


def test_each_generation_has_a_candidate_drawn_uniformly_so_that_no_category_dies_out() -> None:
    optimizer = Categorical((4, 40), population_size=4, seed=1)
    asked, _ = advance(optimizer, 39, lambda candidates: candidates[:, 1])
    assert len(set(asked[3::4, 1])) > 15


def test_failures_teach_as_the_worst_losses_do() -> None:
    def loss(candidates: FloatArray) -> FloatArray:
        return np.where(candidates[:, 0] == 0, np.inf, candidates[:, 1])

    optimizer = Categorical((2, 9, 9, 9), population_size=8, seed=1)
    asked, _ = advance(optimizer, 8, loss)
    assert asked[-24:, 0].mean() > 0.75


def test_blocks_must_fit_the_sizes() -> None:
    with pytest.raises(SettingError, match=r"blocks\[0\] has sizes \(2, 3\)"):
        Categorical((2, 3), blocks=(2,), seed=1)
