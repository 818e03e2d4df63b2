from collections.abc import Callable

import numpy as np
import pytest
from numpy.typing import ArrayLike

from blackbox.optimizers import (
    CMAES,
    Blockwise,
    FloatArray,
    Islands,
    Optimizer,
    RandomSearch,
    SettingError,
    StateError,
)

from .contract import OptimizerContract, advance, json_round_trip, same, sphere


def small_cma(dimension: int, population_size: int, seed: int) -> Optimizer:
    return CMAES(dimension, population_size=population_size, sigma=0.3, seed=seed)


def islands_of(dimension: int, seed: int, *, islands: int = 3, interval: int = 2) -> Islands:
    return Islands(
        lambda population_size, child: small_cma(dimension, population_size, child),
        islands=islands,
        population_size=4,
        migration_interval=interval,
        seed=seed,
    )


class Shown(CMAES):
    """Keeps what it was shown, and its first population."""

    def __init__(self, population_size: int, seed: int) -> None:
        super().__init__(4, population_size=population_size, sigma=0.3, seed=seed)
        self.shown: list[FloatArray] = []
        self.asked_first = np.empty((0, 4))

    def ask(self) -> FloatArray:
        asked = super().ask()
        if not self._told:
            self.asked_first = asked
        return asked

    def inject(self, candidate: ArrayLike) -> None:
        super().inject(candidate)
        self.shown.append(np.array(candidate))


class Tires(Shown):
    """Has enough after two generations."""

    def stop(self) -> dict[str, object]:
        return {"tired": True} if len(self._told) >= 2 else {}


class TestIslands(OptimizerContract):
    generations = 5

    def make(self, seed: int) -> Optimizer:
        return islands_of(4, seed)


class TestIslandsThatRestart(OptimizerContract):
    """Generations 3 to 6 are two of a doubled population, in two parts each; 7 to 14 two of four times as many."""

    generations = 5
    progress_generations = 150

    def make(self, seed: int) -> Optimizer:
        return Islands(Tires, islands=2, population_size=4, migration_interval=1, seed=seed)


class TestIslandsInBlocks(OptimizerContract):
    generations = 7

    def make(self, seed: int) -> Optimizer:
        return Blockwise([2, 2], make=islands_of, seed=seed)


def noted(made: list[Tires]) -> Callable[[int, int], Optimizer]:
    def make(population_size: int, seed: int) -> Optimizer:
        made.append(Tires(population_size, seed))
        return made[-1]

    return make


def test_a_generation_is_one_of_each_island_in_order() -> None:
    seeds: list[int] = []

    def make(population_size: int, seed: int) -> Optimizer:
        seeds.append(seed)
        return small_cma(4, population_size, seed)

    islands = Islands(make, islands=3, population_size=4, migration_interval=0, seed=1)
    assert islands.population_size == 12
    together, _ = advance(islands, 6)
    assert len(set(seeds)) == 3
    for number, seed in enumerate(seeds):
        alone, _ = advance(small_cma(4, 4, seed), 6)
        assert np.array_equal(together.reshape(6, 3, 4, 4)[:, number].reshape(24, 4), alone)


def test_an_island_that_stops_begins_anew_with_another_seed_and_twice_the_population() -> None:
    made: list[Tires] = []
    islands = Islands(noted(made), islands=1, population_size=4, migration_interval=0, seed=1)
    populations = []
    for _ in range(7):
        populations.append(islands.populations)
        assert len(advance(islands, 1)[0]) == 4
    # Two generations of 4; two of 8 take four generations of the whole; then 16.
    assert populations == [(4,), (4,), (8,), (8,), (8,), (8,), (16,)]
    assert not np.array_equal(made[0].asked_first[0], made[1].asked_first[0])


def test_a_doubled_population_is_told_whole_what_was_handed_out_in_parts() -> None:
    made: list[Tires] = []
    islands = Islands(noted(made), islands=1, population_size=4, migration_interval=0, seed=1)
    asked, losses = advance(islands, 6)
    assert made[1].best is not None
    assert made[1].best.loss == losses[8:].min()
    first = made[1].asked_first
    assert np.array_equal(asked[8:16], first)


def test_the_best_of_each_island_is_shown_to_the_next_where_it_is_better_than_what_is_there() -> None:
    made: list[Tires] = []
    islands = Islands(noted(made), islands=3, population_size=4, migration_interval=1, seed=1)
    candidates, losses = advance(islands, 1)
    parts, best = candidates.reshape(3, 4, 4), losses.reshape(3, 4).min(axis=1)
    for number, island in enumerate(made):
        before = (number - 1) % 3
        expected = [parts[before][losses.reshape(3, 4)[before].argmin()]] if best[before] < best[number] else []
        assert np.array_equal(np.array(island.shown), np.array(expected))
    assert any(island.shown for island in made)


@pytest.mark.parametrize(("interval", "generations"), [(0, []), (1, [1, 2, 3, 4, 5, 6]), (3, [3, 6])])
def test_migrants_leave_at_every_interval(interval: int, generations: list[int]) -> None:
    """The losses of the second island are above those of the first, so that it is shown the first one's best."""
    made: list[Shown] = []

    def make(population_size: int, seed: int) -> Optimizer:
        made.append(Shown(population_size, seed))
        return made[-1]

    def second_is_worse(candidates: FloatArray) -> FloatArray:
        return sphere(candidates) + np.repeat([0.0, 1e3], 4)

    islands = Islands(make, islands=2, population_size=4, migration_interval=interval, seed=1)
    left = []
    for generation in range(1, 7):
        before = len(made[1].shown)
        advance(islands, 1, second_is_worse)
        if len(made[1].shown) > before:
            left.append(generation)
    assert left == generations
    assert made[0].shown == []


def test_an_island_where_all_failed_so_far_is_shown_what_did_not() -> None:
    made: list[Shown] = []

    def make(population_size: int, seed: int) -> Optimizer:
        made.append(Shown(population_size, seed))
        return made[-1]

    islands = Islands(make, islands=2, population_size=4, migration_interval=1, seed=1)
    candidates, losses = advance(islands, 1, lambda asked: np.where(np.arange(8) < 4, sphere(asked), np.inf))
    assert np.array_equal(made[1].shown, candidates[[losses.argmin()]])
    assert made[0].shown == []


def test_islands_never_stop_by_themselves() -> None:
    islands = Islands(Tires, islands=2, population_size=4, seed=1)
    for _ in range(12):
        advance(islands, 1)
        assert islands.stop() == {}


def test_of_many_optima_restarts_find_lower_ones_than_one_search() -> None:
    def rastrigin(candidates: FloatArray) -> FloatArray:
        z = candidates - 1.3
        losses: FloatArray = (z**2 - 10 * np.cos(2 * np.pi * z) + 10).sum(axis=1)
        return losses

    def cma(population_size: int, seed: int) -> Optimizer:
        return CMAES(4, population_size=population_size, seed=seed)

    one, many = [], []
    for seed in range(3):
        alone, islands = cma(8, seed), Islands(cma, islands=2, population_size=8, seed=seed)
        while not alone.stop():
            advance(alone, 1, rastrigin)
        advance(islands, 500, rastrigin)
        assert alone.best is not None
        assert islands.best is not None
        one.append(alone.best.loss)
        many.append(islands.best.loss)
    assert max(islands.populations) > 8
    assert np.mean(many) < 0.5 * np.mean(one)


@pytest.mark.parametrize(
    ("setting", "message"),
    [
        ({"islands": 0}, "islands must be a whole number of at least 1, got 0"),
        ({"population_size": 1}, "population_size must be a whole number of at least 2, got 1"),
        ({"migration_interval": -1}, "migration_interval must be a whole number of at least 0, got -1"),
        ({"seed": -1}, "seed must be a whole number of at least 0, got -1"),
    ],
)
def test_a_setting_that_cannot_work_is_refused(setting: dict[str, int], message: str) -> None:
    with pytest.raises(SettingError, match=message):
        Islands(Tires, **{"seed": 1, **setting})  # type: ignore[arg-type]


def test_optimizers_that_take_no_migrants_are_refused_by_name() -> None:
    with pytest.raises(SettingError, match=r"RandomSearch cannot be shown .* \(it has no `inject`\)"):
        Islands(lambda n, seed: RandomSearch(4, population_size=n, seed=seed), seed=1)


def test_an_optimizer_of_another_population_is_refused() -> None:
    with pytest.raises(SettingError, match=r"make\(20, seed\) must return that population_size, got 5"):
        Islands(lambda n, seed: Tires(5, seed), seed=1)


@pytest.mark.parametrize(("setting", "name"), [({"islands": 4}, "islands"), ({"interval": 3}, "migration_interval")])
def test_a_state_made_with_another_setting_is_refused_by_its_name(setting: dict[str, int], name: str) -> None:
    made = islands_of(4, 1, **setting)
    with pytest.raises(StateError, match=f"{name} is"):
        islands_of(4, 1).load_state_dict(made.state_dict())


def test_a_state_whose_last_island_is_damaged_changes_no_island() -> None:
    donor, islands = islands_of(4, 1), islands_of(4, 2)
    advance(donor, 7)
    advance(islands, 7)
    before = json_round_trip(islands.state_dict())
    state = json_round_trip(donor.state_dict())
    state["inner"]["islands"][2]["optimizer"]["inner"]["digest"] = "0"
    with pytest.raises(StateError, match="island 2: "):
        islands.load_state_dict(state)
    assert json_round_trip(islands.state_dict()) == before


@pytest.mark.parametrize(
    "damage", [{"restarts": -1}, {"restarts": 64}, {"losses": [0.0]}, {"losses": ["x"]}, {"losses": [np.nan]}]
)
def test_a_damaged_island_is_refused_by_its_number(damage: dict[str, object]) -> None:
    islands = islands_of(4, 1)
    advance(islands, 3)
    state = islands.state_dict()
    state["inner"]["islands"][1].update(damage)
    with pytest.raises(StateError, match="island 1"):
        islands.load_state_dict(state)


def test_a_run_with_restarts_and_migrants_is_resumed_at_any_generation() -> None:
    whole = Islands(Tires, islands=3, population_size=4, migration_interval=1, seed=1)
    for generation in range(1, 15):
        advance(whole, 1)
        second = Islands(Tires, islands=3, population_size=4, migration_interval=1, seed=2)
        second.load_state_dict(json_round_trip(whole.state_dict()))
        ahead = advance(second, 3)
        third = Islands(Tires, islands=3, population_size=4, migration_interval=1, seed=1)
        advance(third, generation)
        assert same(ahead, advance(third, 3))
