from collections.abc import Sequence

import numpy as np
import pytest

from blackbox.optimizers import (
    CMAES,
    Blockwise,
    FloatArray,
    Optimizer,
    RandomSearch,
    SettingError,
    State,
    StateError,
)

from .contract import OPTIMUM, OptimizerContract, advance, json_round_trip


def small_cma(dimension: int, seed: int) -> Optimizer:
    return CMAES(dimension, population_size=6, sigma=0.3, seed=seed)


class TestBlockwiseCMA(OptimizerContract):
    generations = 5

    def make(self, seed: int) -> Optimizer:
        return Blockwise([2, 2], make=small_cma, seed=seed)

    # The first population, the start alone, is the same for every seed.
    def test_best_keeps_the_earlier_of_equals_and_is_read_only(self) -> None:
        super().test_best_keeps_the_earlier_of_equals_and_is_read_only()


class TestBlockwiseAroundACenter(OptimizerContract):
    generations = 5

    def make(self, seed: int) -> Optimizer:
        return Blockwise([2, 2], make=small_cma, center=[0.7, 0.1, 0.3, 0.7], seed=seed)


class TestBlocksOfBlocks(OptimizerContract):
    generations = 5

    def make(self, seed: int) -> Optimizer:
        return Blockwise([4], make=lambda d, child: Blockwise([d // 2] * 2, make=small_cma, seed=child), seed=seed)


class TestScheduledBySensitivity(OptimizerContract):
    generations = 5

    def make(self, seed: int) -> Optimizer:
        return Blockwise([2, 2], make=small_cma, schedule="sensitivity", seed=seed)


class TestReevaluating(OptimizerContract):
    generations = 5

    def make(self, seed: int) -> Optimizer:
        return Blockwise([2, 2], make=small_cma, reevaluate=True, schedule="sensitivity", seed=seed)


class StopsAfter(RandomSearch):
    """Random search that has had enough after some generations."""

    def __init__(self, dimension: int, *, generations: int, seed: int) -> None:
        super().__init__(dimension, population_size=3, seed=seed)
        self._left = generations

    def stop(self) -> dict[str, object]:
        return {"enough": True} if self._left <= 0 else {}

    def _tell(self, candidates: FloatArray, losses: FloatArray) -> None:
        self._left -= 1

    def _state(self) -> State:
        return {**super()._state(), "left": self._left}

    def _load_state(self, state: State) -> None:
        super()._load_state(state)
        self._left = state["left"]


def sphere(candidates: FloatArray) -> FloatArray:
    losses: FloatArray = ((candidates - 1.0) ** 2).sum(axis=1)
    return losses


def blocks_asked(optimizer: Blockwise, generations: int) -> list[int | None]:
    asked = []
    for _ in range(generations):
        asked.append(optimizer.block)
        advance(optimizer, 1, sphere)
    return asked


def three_blocks(seed: int = 1) -> Blockwise:
    return Blockwise([2, 3, 4], make=small_cma, seed=seed)


def test_the_first_population_is_the_start_alone() -> None:
    assert np.array_equal(three_blocks().ask(), np.zeros((1, 9)))
    center = np.arange(9.0)
    assert np.array_equal(Blockwise([2, 3, 4], make=small_cma, center=center, seed=1).ask(), center[None])


def test_there_is_no_incumbent_before_the_start_was_told() -> None:
    optimizer = three_blocks()
    assert optimizer.incumbent is None
    start = optimizer.ask()
    assert optimizer.incumbent is None
    optimizer.tell(start, [4.0])
    assert optimizer.incumbent is not None
    assert optimizer.incumbent.loss == 4.0


def test_blocks_are_asked_in_order_again_and_again() -> None:
    assert blocks_asked(three_blocks(), 8) == [None, 0, 1, 2, 0, 1, 2, 0]


def test_block_names_the_block_of_the_population_that_waits() -> None:
    optimizer = three_blocks()
    advance(optimizer, 2, sphere)
    assert optimizer.block == 1
    optimizer.ask()
    assert optimizer.block == 1


def test_candidates_differ_from_the_incumbent_in_their_block_only() -> None:
    optimizer = three_blocks()
    advance(optimizer, 1, sphere)
    parts = [slice(0, 2), slice(2, 5), slice(5, 9)]
    for generation in range(30):
        incumbent = optimizer.incumbent
        assert incumbent is not None
        candidates = optimizer.ask()
        others = np.delete(np.arange(9), parts[generation % 3])
        assert (candidates[:, others] == incumbent.candidate[others]).all()
        assert (candidates[:, parts[generation % 3]] != incumbent.candidate[parts[generation % 3]]).any()
        optimizer.tell(candidates, sphere(candidates))


def test_the_incumbent_never_worsens_and_was_itself_scored() -> None:
    rng = np.random.default_rng(0)
    optimizer = three_blocks()
    scored: dict[bytes, float] = {}
    before = np.inf
    for _ in range(60):
        candidates = optimizer.ask()
        losses = sphere(candidates) + rng.standard_normal(len(candidates))  # noise: luck must not be mixed either
        scored.update(zip([row.tobytes() for row in candidates], losses.tolist(), strict=True))
        optimizer.tell(candidates, losses)
        incumbent = optimizer.incumbent
        assert incumbent is not None
        assert incumbent.loss <= before
        assert scored[incumbent.candidate.tobytes()] == incumbent.loss
        before = incumbent.loss


def test_equal_losses_leave_the_incumbent_alone() -> None:
    optimizer = three_blocks()
    advance(optimizer, 10, lambda candidates: np.ones(len(candidates)))
    assert optimizer.incumbent is not None
    assert np.array_equal(optimizer.incumbent.candidate, np.zeros(9))


def test_a_start_that_failed_gives_way_to_the_first_candidate_that_did_not() -> None:
    optimizer = three_blocks()
    optimizer.tell(optimizer.ask(), [np.inf])
    assert optimizer.incumbent is not None
    assert optimizer.incumbent.loss == np.inf
    assert np.array_equal(optimizer.incumbent.candidate, np.zeros(9))
    advance(optimizer, 1, sphere)
    assert optimizer.incumbent.loss < np.inf


def test_each_block_learns_from_its_own_losses_as_it_would_alone() -> None:
    """With a loss that is a sum over blocks, ranks within a block do not depend on the others: the runs agree."""
    seeds: list[int] = []

    def make(dimension: int, seed: int) -> Optimizer:
        seeds.append(seed)
        return small_cma(dimension, seed)

    optimizer = Blockwise([2, 3], make=make, seed=4)
    together, _ = advance(optimizer, 1 + 2 * 5, sphere)
    alone, _ = advance(small_cma(2, seeds[0]), 5, sphere)
    first_block = together[1:].reshape(10, 6, 5)[::2, :, :2].reshape(30, 2)
    assert np.array_equal(first_block, alone)


def test_it_finds_the_optimum_of_a_sum_over_blocks() -> None:
    optimizer = Blockwise([2, 2], make=small_cma, seed=1)
    _, losses = advance(optimizer, 120)
    assert losses.min() < 1e-6
    assert optimizer.best is not None
    assert np.allclose(optimizer.best.candidate, OPTIMUM, atol=1e-2)


def test_blocks_that_have_stopped_lose_their_turn() -> None:
    lengths = iter([2, 1, 3])
    optimizer = Blockwise([2, 2, 2], make=lambda d, s: StopsAfter(d, generations=next(lengths), seed=s), seed=1)
    assert blocks_asked(optimizer, 6) == [None, 0, 1, 2, 0, 2]
    assert optimizer.stop() == {}
    assert blocks_asked(optimizer, 1) == [2]
    assert optimizer.stop() == {f"block {i}": {"enough": True} for i in range(3)}


def test_after_every_block_has_stopped_asking_on_goes_round() -> None:
    optimizer = Blockwise([2, 2], make=lambda d, s: StopsAfter(d, generations=1, seed=s), seed=1)
    assert blocks_asked(optimizer, 6) == [None, 0, 1, 0, 1, 0]


def test_blocks_have_seeds_of_their_own() -> None:
    seeds: list[int] = []
    Blockwise([2] * 10, make=lambda d, s: seeds.append(s) or small_cma(d, s), seed=1)  # type: ignore[func-returns-value]
    assert len(set(seeds)) == 10


def test_the_largest_block_population_is_the_population_size() -> None:
    sizes = iter([3, 9])
    optimizer = Blockwise([2, 2], make=lambda d, s: RandomSearch(d, population_size=next(sizes), seed=s), seed=1)
    assert optimizer.population_size == 9
    advance(optimizer, 1)
    assert [len(advance(optimizer, 1)[0]) for _ in range(2)] == [3, 9]
    assert optimizer.blocks == (2, 2)
    assert optimizer.dimension == 4


@pytest.mark.parametrize(
    ("blocks", "message"),
    [
        ([], "at least one"),
        ([4, 1], r"blocks\[1\] must be a whole number of at least 2, got 1"),
        ([2.5], "whole number"),
    ],
)
def test_blocks_that_cannot_work_are_refused(blocks: Sequence[int], message: str) -> None:
    with pytest.raises(SettingError, match=message):
        Blockwise(blocks, make=small_cma, seed=1)


def test_a_block_optimizer_of_another_dimension_is_refused() -> None:
    with pytest.raises(SettingError, match=r"make\(3, seed\) must return dimension 3, got 2 \(block 1\)"):
        Blockwise([2, 3], make=lambda d, s: small_cma(2, s), seed=1)


def test_a_state_whose_last_block_is_damaged_changes_no_block() -> None:
    donor, optimizer = three_blocks(1), three_blocks(2)
    advance(donor, 7, sphere)
    advance(optimizer, 7, sphere)
    before = json_round_trip(optimizer.state_dict())
    state = json_round_trip(donor.state_dict())
    state["inner"]["blocks"][2]["inner"]["digest"] = "0"
    with pytest.raises(StateError, match="block 2: "):
        optimizer.load_state_dict(state)
    assert json_round_trip(optimizer.state_dict()) == before


@pytest.mark.parametrize("turn", [3, -1, 1.0, "0"])
def test_a_turn_that_is_no_block_is_refused(turn: object) -> None:
    optimizer = three_blocks()
    state = optimizer.state_dict()
    state["inner"]["turn"] = turn
    with pytest.raises(StateError, match="turn"):
        optimizer.load_state_dict(state)


def test_a_state_of_other_blocks_is_refused() -> None:
    with pytest.raises(StateError, match=r"blocks is \[2, 3, 4\] in the state, \[3, 3, 3\] here"):
        Blockwise([3, 3, 3], make=small_cma, seed=1).load_state_dict(three_blocks().state_dict())


def second_block(candidates: FloatArray) -> FloatArray:
    """Only coordinates 2 and 3 matter."""
    losses: FloatArray = ((candidates[:, 2:4] - 1.0) ** 2).sum(axis=1)
    return losses


def turns_of(optimizer: Blockwise, generations: int) -> list[int | None]:
    blocks = []
    for _ in range(generations):
        blocks.append(optimizer.block)
        advance(optimizer, 1, second_block)
    return blocks


def test_a_sensitive_block_has_more_turns_after_a_pass_over_a_few_candidates_of_each() -> None:
    optimizer = Blockwise([2, 2, 2], make=small_cma, schedule="sensitivity", seed=1)
    advance(optimizer, 1, second_block)
    for block in range(3):
        assert optimizer.block == block
        candidates = optimizer.ask()
        assert len(candidates) == 4
        optimizer.tell(candidates, second_block(candidates))
    turns = turns_of(optimizer, 40)
    assert turns.count(1) > 30
    assert turns.count(0) >= 3  # the rounds in turn


def test_a_block_is_asked_what_the_pass_saw_of_it() -> None:
    optimizer = Blockwise([2, 2], make=small_cma, schedule="sensitivity", seed=1)
    advance(optimizer, 1)
    passed = [advance(optimizer, 1)[0] for _ in range(2)]
    block = optimizer.block
    assert block is not None
    part = slice(2 * block, 2 * block + 2)
    assert np.array_equal(optimizer.ask()[:4, part], passed[block][:, part])


def test_the_schedule_saves_evaluations_where_few_blocks_matter() -> None:
    def evaluations_to(schedule: str) -> int:
        optimizer = Blockwise([2] * 10, make=small_cma, schedule=schedule, seed=1)  # type: ignore[arg-type]
        asked = 0
        while optimizer.best is None or optimizer.best.loss > 1e-3:
            asked += len(advance(optimizer, 1, second_block)[0])
        return asked

    assert evaluations_to("sensitivity") < 0.5 * evaluations_to("turns")


def test_the_incumbent_is_asked_again_and_gives_way_to_the_lowest_of_its_generation() -> None:
    optimizer = Blockwise([2, 2], make=small_cma, reevaluate=True, seed=1)
    advance(optimizer, 1, lambda z: np.full(len(z), -9.0))  # a loss by luck, never to be seen again
    for _ in range(6):
        held = optimizer.incumbent
        assert held is not None
        candidates = optimizer.ask()
        assert len(candidates) == 7
        assert np.array_equal(candidates[0], held.candidate)
        losses = sphere(candidates)
        optimizer.tell(candidates, losses)
        assert optimizer.incumbent is not None
        assert optimizer.incumbent.loss == losses.min()
        assert np.array_equal(optimizer.incumbent.candidate, candidates[losses.argmin()])


def test_the_mean_is_made_of_the_means_of_the_blocks() -> None:
    center = [1.0, 2.0, 3.0, 4.0]
    optimizer = Blockwise([2, 2], make=small_cma, center=center, seed=1)
    assert optimizer.mean == pytest.approx(center)
    advance(optimizer, 4)
    assert optimizer.mean is not None
    means = [inner.mean for inner in optimizer._inner]
    assert means[0] is not None
    assert means[1] is not None
    assert optimizer.mean == pytest.approx(np.array(center) + np.concatenate([means[0], means[1]]))
    assert Blockwise([2, 2], make=lambda d, child: RandomSearch(d, seed=child), seed=1).mean is None


def test_an_unknown_schedule_is_refused() -> None:
    with pytest.raises(SettingError, match="schedule must be one of 'turns', 'sensitivity', got 'luck'"):
        Blockwise([2, 2], make=small_cma, schedule="luck", seed=1)  # type: ignore[arg-type]
