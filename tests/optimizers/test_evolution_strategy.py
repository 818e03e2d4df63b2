import numpy as np
import pytest

from blackbox.optimizers import EvolutionStrategy, Optimizer, SettingError
from blackbox.optimizers.evolution_strategy import SHAPINGS, low_rank

from .contract import OptimizerContract, advance, sphere


class TestEvolutionStrategy(OptimizerContract):
    def make(self, seed: int) -> Optimizer:
        return EvolutionStrategy(4, population_size=8, sigma=0.1, seed=seed)


class TestOfOpenAI(OptimizerContract):
    def make(self, seed: int) -> Optimizer:
        return EvolutionStrategy(4, population_size=8, sigma=0.1, shaping="ranks", update="adam", seed=seed)


class TestOfLowRank(OptimizerContract):
    def make(self, seed: int) -> Optimizer:
        return EvolutionStrategy(4, population_size=8, sigma=0.1, rank=1, shapes=[(2, 2)], update="momentum", seed=seed)


PLUS, MINUS = np.array([1.0, 5.0, 2.0]), np.array([4.0, 3.0, 2.0])


def test_pair_ranks_are_signed_ranks_of_differences() -> None:
    # differences -3, 2, 0: ranks of their sizes 3, 2, 1
    assert SHAPINGS["pair-ranks"](PLUS, MINUS) == pytest.approx([-1.0, 2 / 3, 0.0])


def test_ranks_add_up_the_centered_ranks_of_both_sides() -> None:
    # ranks of 1, 5, 2, 4, 3, 2: 1, 6, 2.5, 5, 4, 2.5; over 5
    assert SHAPINGS["ranks"](PLUS, MINUS) == pytest.approx([-4 / 5, 2 / 5, 0.0])


def test_differences_are_differences() -> None:
    assert SHAPINGS["differences"](PLUS, MINUS) == pytest.approx([-3.0, 2.0, 0.0])


@pytest.mark.parametrize(
    ("name", "expected"), [("pair-ranks", [1.0, 0.0, 2 / 3]), ("ranks", [0.8, 0.0, 0.2]), ("differences", [0, 0, 1])]
)
def test_a_failure_is_the_worst_and_two_say_nothing(name: str, expected: list[float]) -> None:
    found = SHAPINGS[name](np.array([np.inf, np.inf, 3.0]), np.array([1.0, np.inf, 2.0]))
    assert found == pytest.approx(expected)


@pytest.mark.parametrize("shaping", ["pair-ranks", "ranks"])
def test_it_sees_only_the_order_of_differences_and_losses(shaping: str) -> None:
    plain, warped = (EvolutionStrategy(4, shaping=shaping, seed=1) for _ in range(2))  # type: ignore[arg-type]
    candidates = plain.ask()
    warped.ask()
    order = np.arange(20.0)
    plain.tell(candidates, order**2 if shaping == "ranks" else order)
    warped.tell(candidates, np.exp(order) if shaping == "ranks" else 3 * order + 1)
    assert np.array_equal(plain.mean, warped.mean)


@pytest.mark.parametrize("shaping", ["pair-ranks", "ranks", "differences"])
def test_the_step_on_a_linear_loss_is_along_its_slope_on_average(shaping: str) -> None:
    true = np.array([1.0, -2.0, 0.5, 0.0])
    optimizer = EvolutionStrategy(4, population_size=20_000, shaping=shaping, learning_rate=1.0, seed=1)  # type: ignore[arg-type]
    advance(optimizer, 1, lambda z: z @ true)
    cosine = -optimizer.mean @ true / np.linalg.norm(optimizer.mean) / np.linalg.norm(true)
    assert cosine > 0.999
    assert np.sqrt((optimizer.mean**2).mean()) == pytest.approx(1.0)


def test_numbers_of_low_rank_directions_have_variance_one_and_their_rank() -> None:
    drawn = low_rank(np.random.default_rng(0), 2000, (6, 5), 2)
    assert np.linalg.matrix_rank(drawn[0].reshape(6, 5)) == 2
    assert abs(drawn.mean()) < 5 / np.sqrt(drawn.size)
    # Var of (a b + a' b')^2 / 2 is at most 8: E (ab)^4 = 9
    assert abs((drawn**2).mean() - 1) < 5 * np.sqrt(8 * 10 / drawn.size)


def test_low_rank_directions_fill_each_matrix_and_their_sum_has_full_rank() -> None:
    optimizer = EvolutionStrategy(27, population_size=20, rank=1, shapes=[(3, 5), (4, 3)], seed=1)
    candidates = optimizer.ask()
    for block, shape in ((candidates[:, :15], (3, 5)), (candidates[:, 15:], (4, 3))):
        assert {int(np.linalg.matrix_rank(one.reshape(shape))) for one in block} == {1}
    optimizer.tell(candidates, ((candidates - 1) ** 2).sum(axis=1))
    assert np.linalg.matrix_rank(optimizer.mean[:15].reshape(3, 5)) == 3


def test_low_rank_directions_find_a_matrix_of_full_rank() -> None:
    target = np.random.default_rng(5).standard_normal(36)
    optimizer = EvolutionStrategy(36, sigma=0.1, learning_rate=0.05, rank=1, shapes=[(6, 6)], seed=1)
    advance(optimizer, 300, lambda z: ((z - target) ** 2).sum(axis=1))
    assert ((optimizer.mean - target) ** 2).sum() < 0.02 * target @ target


@pytest.mark.parametrize(
    ("setting", "message"),
    [
        ({"shaping": "log"}, "shaping must be one of 'pair-ranks', 'ranks', 'differences', got 'log'"),
        ({"rank": 0}, "rank must be a whole number of at least 1"),
        ({"rank": 1}, "rank needs candidates that are made of matrices"),
        ({"rank": 1, "shapes": [(2, 3)]}, r"must fill a candidate of 4 numbers, \(\(2, 3\),\) have 6"),
        ({"learning_rate": 0.0}, "learning_rate must be a finite number above 0"),
        ({"momentum": 1.0}, "momentum must be a number from 0 to below 1"),
    ],
)
def test_a_setting_that_cannot_work_is_refused_by_name(setting: dict[str, object], message: str) -> None:
    with pytest.raises(SettingError, match=message):
        EvolutionStrategy(**{"dimension": 4, "seed": 1, **setting})  # type: ignore[arg-type]


def test_the_default_step_is_a_share_of_sigma() -> None:
    optimizer = EvolutionStrategy(4, sigma=0.5, seed=1)
    advance(optimizer, 1, sphere)
    assert np.sqrt((optimizer.mean**2).mean()) == pytest.approx(0.15)
