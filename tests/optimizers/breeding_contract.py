"""What `Evolution` and `Reflective` share: derive a test class and name the optimizer in `bred`."""

import json
from collections.abc import Callable, Hashable, Sequence

import numpy as np
import pytest

from blackbox.optimizers import FloatArray, Optimizer, SettingError
from blackbox.optimizers.breeding import Breeding
from blackbox.optimizers.edits import Choice
from blackbox.optimizers.proposals import PATIENCE, Proposer, Request
from tests.optimizers.contract import OptimizerContract, advance, json_round_trip, same

SIZES, BLOCKS = (3, 2, 5, 9, 9, 9, 9), (1, 1, 1, 4)
BEST = np.array([6, 1, 2, 7, 4, 0, 0], dtype=np.float64)


def distance(candidates: FloatArray) -> FloatArray:
    """How many variables are not as in `BEST`, whose instruction must be proposed first; shape (n,)."""
    losses: FloatArray = (candidates != BEST).sum(axis=1).astype(np.float64)
    return losses


class Counting:
    """A proposer that gives new numbers, and none for every third request."""

    def __init__(self, start: int = SIZES[0], *, refuses: bool = False) -> None:
        self.start, self.refuses = start, refuses
        self.requests: list[Request] = []

    def __call__(self, requests: Sequence[Request]) -> list[int | None]:
        first = len(self.requests) + self.start
        self.requests += requests
        if self.refuses:
            return [None] * len(requests)
        return [number if number % 3 else None for number in range(first, first + len(requests))]


class BreedingContract(OptimizerContract):
    """All of an optimizer's contract, over four choices of twelve, and what comes with proposals."""

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
        raise NotImplementedError

    def make(self, seed: int) -> Optimizer:
        return self.bred(seed, sizes=(12, 12, 12, 12), blocks=None)

    def test_the_first_generation_begins_with_the_start_and_has_all_instructions(self) -> None:
        first = self.bred(1).ask()
        assert first[0].tolist() == [0] * 7
        assert set(first[:3, 0]) == {0, 1, 2}

    def test_the_first_generation_is_filled_up_with_changes_of_the_instructions(self) -> None:
        proposer = Counting()
        first = self.bred(1, proposer=proposer).ask()
        assert [(request.kind, request.instructions) for request in proposer.requests] == [
            ("mutate", (0,)),
            ("mutate", (1,)),
            ("mutate", (2,)),
        ]
        assert set(first[3:, 0]) >= {4, 5}

    def test_nothing_is_ever_asked_twice(self) -> None:
        for proposer in (None, Counting()):
            asked, _ = advance(self.bred(1, proposer=proposer), 30, distance)
            assert len({tuple(candidate) for candidate in asked.tolist()}) == len(asked)

    def test_of_choices_that_mean_the_same_one_is_asked(self) -> None:
        def key(choice: Choice) -> Hashable:
            return choice[:3]

        asked, _ = advance(self.bred(1, key=key, proposer=Counting()), 10, distance)
        assert len({tuple(candidate) for candidate in asked[:, :3].tolist()}) == len(asked)

    def test_where_nothing_new_is_left_it_says_so_and_still_asks(self) -> None:
        optimizer = self.bred(1, sizes=(2, 2, 2), blocks=None)
        asked, _ = advance(optimizer, 4, lambda candidates: candidates.sum(axis=1))
        assert optimizer.stop() == {"nothing new": 8}
        assert {tuple(candidate) for candidate in asked.tolist()} == {
            (a, b, c) for a in (0, 1) for b in (0, 1) for c in (0, 1)
        }
        assert len(optimizer.ask()) == 1

    def test_a_new_instruction_stands_in_the_child_that_it_was_asked_for(self) -> None:
        proposer = Counting()
        optimizer = self.bred(1, proposer=proposer)
        advance(optimizer, 1, distance)
        before = len(proposer.requests)
        asked = optimizer.ask()
        given = [number for number in range(before + 3, len(proposer.requests) + 3) if number % 3]
        assert given
        assert set(given) <= set(asked[:, 0])
        assert optimizer.sizes is not None
        assert optimizer.sizes[0] == max(given) + 1

    def test_the_requests_of_a_generation_share_a_seed_that_no_other_has(self) -> None:
        proposer = Counting()
        optimizer = self.bred(1, proposer=proposer)
        seeds = []
        for _ in range(5):
            before = len(proposer.requests)
            advance(optimizer, 1, distance)
            seeds.append({request.seed for request in proposer.requests[before:]})
        assert [len(found) for found in seeds] == [1] * 5
        assert len(set.union(*seeds)) == 5

    def test_requests_name_instructions_that_there_are(self) -> None:
        proposer = Counting()
        asked, _ = advance(self.bred(1, proposer=proposer), 8, distance)
        known = set(asked[:, 0])
        assert all(set(request.instructions) <= known for request in proposer.requests)

    @pytest.mark.parametrize("refuses", [False, True])
    def test_it_comes_closer_with_and_without_new_instructions(self, refuses: bool) -> None:
        optimizer = self.bred(3, proposer=Counting(refuses=refuses))
        _, first = advance(optimizer, 1, distance)
        advance(optimizer, 40, distance)
        assert optimizer.best is not None
        assert optimizer.best.loss <= first.min() - 2

    def test_a_proposer_that_writes_nothing_of_use_is_asked_less(self) -> None:
        proposer = Counting(refuses=True)
        advance(self.bred(1, proposer=proposer), 40, distance)
        assert PATIENCE <= len(proposer.requests) <= PATIENCE + 6 + 40

    @pytest.mark.parametrize("generations", [1, 2, 5])
    def test_a_run_with_proposals_is_resumed_bit_for_bit(self, generations: int) -> None:
        proposer, other = Counting(), Counting()
        whole = self.bred(1, proposer=proposer)
        first = self.bred(1, proposer=other)
        advance(whole, generations, distance)
        advance(first, generations, distance)
        resumed = self.bred(2, proposer=other)
        resumed.load_state_dict(json_round_trip(first.state_dict()))
        assert same(advance(whole, 4, distance), advance(resumed, 4, distance))
        assert proposer.requests == other.requests

    def test_an_ask_that_fails_changes_nothing(self) -> None:
        def fails(requests: Sequence[Request]) -> list[int | None]:
            raise RuntimeError("no money")

        plain, troubled = self.bred(1, proposer=Counting()), self.bred(1, proposer=Counting())
        for optimizer in (plain, troubled):
            advance(optimizer, 2, distance)
        before = json.dumps(troubled.state_dict())
        again = Counting(start=SIZES[0] + len(troubled._proposals.proposer.requests))  # type: ignore[union-attr]
        troubled.take_proposals(fails, lambda choice: choice)
        with pytest.raises(RuntimeError, match="no money"):
            while True:  # a reflective search may ask for nothing in one generation
                candidates = troubled.ask()
                plain.tell(plain.ask(), distance(candidates))
                troubled.tell(candidates, distance(candidates))
                before = json.dumps(troubled.state_dict())
        assert json.dumps(troubled.state_dict()) == before
        troubled.take_proposals(again, lambda choice: choice)
        assert same(advance(plain, 3, distance), advance(troubled, 3, distance))

    def test_fewer_than_four_candidates_a_generation_are_refused(self) -> None:
        with pytest.raises(SettingError, match="population_size must be a whole number of at least 4, got 3"):
            self.bred(1, population_size=3)
