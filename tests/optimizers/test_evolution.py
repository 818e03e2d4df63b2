from collections.abc import Callable, Hashable, Sequence
from typing import Literal

import numpy as np
import pytest

from blackbox.optimizers import SettingError
from blackbox.optimizers.breeding import Breeding
from blackbox.optimizers.edits import Choice
from blackbox.optimizers.evolution import Evolution, crossing, differed, differing
from blackbox.optimizers.proposals import Proposer, Request
from tests.optimizers.breeding_contract import BLOCKS, SIZES, BreedingContract, Counting, distance
from tests.optimizers.contract import advance


class EvolutionContract(BreedingContract):
    scheme: Literal["ga", "de"] = "ga"

    def bred(
        self,
        seed: int,
        *,
        sizes: Sequence[int] = SIZES,
        blocks: Sequence[int] | None = BLOCKS,
        population_size: int = 6,
        proposer: Proposer | None = None,
        key: Callable[[Choice], Hashable] = lambda choice: choice,
    ) -> Breeding:
        return Evolution(
            sizes,
            scheme=self.scheme,
            blocks=blocks,
            population_size=population_size,
            proposer=proposer,
            key=key,
            seed=seed,
        )


class TestGA(EvolutionContract):
    def test_the_best_of_parents_and_children_live_on(self) -> None:
        optimizer = Evolution(SIZES, blocks=BLOCKS, population_size=6, seed=1)
        _, losses = advance(optimizer, 5, distance)
        kept = [loss for _, loss in optimizer._members]
        assert kept == sorted(losses.tolist())[:6]

    def test_a_child_is_asked_for_with_two_instructions_or_one_that_both_parents_have(self) -> None:
        proposer = Counting()
        advance(Evolution(SIZES, blocks=BLOCKS, population_size=6, proposer=proposer, seed=1), 6, distance)
        kinds = {(request.kind, len(set(request.instructions))) for request in proposer.requests[3:]}
        assert kinds == {("cross", 2), ("mutate", 1)}

    def test_better_members_are_parents_more_often(self) -> None:
        optimizer = Evolution(SIZES, blocks=BLOCKS, population_size=6, seed=1)
        optimizer._members = [((0,) * 7, float(loss)) for loss in range(6)]
        drawn = [i for seed in range(600) for i in optimizer._tournaments(np.random.default_rng(seed))]
        counts = np.bincount(drawn, minlength=6) / len(drawn)
        assert np.allclose(counts, [5 / 15, 4 / 15, 3 / 15, 2 / 15, 1 / 15, 0], atol=0.04)

    def test_parents_that_failed_lose_to_those_that_did_not(self) -> None:
        optimizer = Evolution(SIZES, blocks=BLOCKS, population_size=4, seed=1)
        optimizer._members = [((0,) * 7, loss) for loss in (np.inf, 1.0, np.inf, np.inf)]
        pairs = [optimizer._tournaments(np.random.default_rng(seed)) for seed in range(50)]
        assert all(1 in pair for pair in pairs)


class TestDE(EvolutionContract):
    scheme = "de"

    def test_a_member_gives_way_to_its_own_child_only_if_that_is_better(self) -> None:
        optimizer = Evolution(SIZES, scheme="de", blocks=BLOCKS, population_size=6, seed=1)
        advance(optimizer, 1, distance)
        before = list(optimizer._members)
        children = optimizer.ask()
        losses = np.array([0.0, np.inf, before[2][1], before[3][1] - 0.5, np.inf, np.inf])
        optimizer.tell(children, losses)
        assert optimizer._members[0] == (tuple(children[0].astype(int)), 0.0)
        assert optimizer._members[1:3] == before[1:3]
        assert optimizer._members[3][0] == tuple(children[3].astype(int))

    def test_a_child_is_asked_for_with_four_instructions_where_two_differ(self) -> None:
        proposer = Counting()
        advance(Evolution(SIZES, scheme="de", blocks=BLOCKS, population_size=6, proposer=proposer, seed=1), 6, distance)
        differ = [request for request in proposer.requests if request.kind == "differ"]
        assert differ
        assert all(len(request.instructions) == 4 for request in differ)
        assert all(request.instructions[0] != request.instructions[1] for request in differ)


def test_two_instructions_are_crossed_and_a_single_one_changed() -> None:
    assert crossing((1, 0), (2, 5)) == Request("cross", (1, 2), (1, 0))
    assert crossing((1, 0), (1, 5)) == Request("mutate", (1,), (1, 0))


def test_a_difference_is_put_into_the_best_and_crossed_with_the_one_to_be_replaced() -> None:
    assert differing((1, 0), (2, 0), best=(3, 0), base=(4, 1)) == Request("differ", (1, 2, 3, 4), (4, 1))


def test_where_two_do_not_differ_the_best_is_crossed() -> None:
    assert differing((1, 0), (1, 2), best=(3, 0), base=(4, 1)) == Request("cross", (3, 4), (3, 0))


def test_where_two_choices_agree_the_best_stays_as_it_is() -> None:
    found = {differed((0, 1, 2), (0, 5, 6), (9, 9, 9), np.random.default_rng(seed)) for seed in range(60)}
    assert found == {(9, b, c) for b in (1, 5) for c in (2, 6)}


def test_another_scheme_is_refused() -> None:
    with pytest.raises(SettingError, match="scheme must be one of 'ga', 'de', got 'pso'"):
        Evolution(SIZES, scheme="pso", seed=1)  # type: ignore[arg-type]
