from collections.abc import Callable, Hashable, Sequence
from itertools import product

import numpy as np
import pytest

from blackbox.optimizers import FloatArray, LearnsFromRows, TellError
from blackbox.optimizers.breeding import Breeding
from blackbox.optimizers.edits import Choice
from blackbox.optimizers.proposals import Proposer
from blackbox.optimizers.reflective import LEVEL, Reflective, parent_shares, sign_flip_p_value
from tests.optimizers.breeding_contract import BLOCKS, SIZES, BreedingContract, Counting, distance
from tests.optimizers.contract import json_round_trip, same

NAN = np.nan


class TestReflective(BreedingContract):
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
        return Reflective(
            sizes, blocks=blocks, population_size=population_size, proposer=proposer, key=key, seed=seed
        )  # fmt: skip


def reflective(proposer: Proposer | None = None, seed: int = 1) -> Reflective:
    return Reflective(SIZES, blocks=BLOCKS, population_size=6, proposer=proposer, seed=seed)


def rows_of(candidates: FloatArray, n_rows: int = 12) -> FloatArray:
    """Losses of rows around `distance`, shape (n, n_rows); each prompt is good at other rows."""
    shares = np.sin(candidates.sum(axis=1)[:, None] + np.arange(n_rows)[None] * 2)
    return distance(candidates)[:, None] + 0.5 * shares


def advance_with_rows(optimizer: Reflective, generations: int) -> tuple[FloatArray, FloatArray]:
    asked, told = [], []
    for _ in range(generations):
        asked.append(optimizer.ask())
        rows = rows_of(asked[-1])
        told.append(rows.mean(axis=1))
        optimizer.tell_rows(asked[-1], rows)
        optimizer.tell(asked[-1], told[-1])
    return np.concatenate(asked), np.concatenate(told)


def told(optimizer: Reflective, rows: FloatArray) -> FloatArray:
    """One generation with these losses of rows, the same for each candidate; the candidates."""
    candidates = optimizer.ask()
    of_all = np.tile(rows, (len(candidates), 1))
    optimizer.tell_rows(candidates, of_all)
    optimizer.tell(candidates, np.nanmean(of_all, axis=1))
    return candidates


def test_it_learns_from_rows() -> None:
    assert isinstance(reflective(), LearnsFromRows)


def test_parents_are_drawn_by_the_number_of_rows_on_which_none_is_better() -> None:
    rows = np.array([[0.0, 1.0, 1.0, 1.0], [1.0, 0.0, 0.0, 0.0], [2.0, 2.0, 2.0, 0.0]])
    assert parent_shares(rows).tolist() == [1 / 4, 3 / 4, 0.0]  # the last is nowhere better than the second


def test_parents_that_are_jointly_best_share_a_row() -> None:
    assert parent_shares(np.array([[0.0, 1.0], [0.0, 1.0], [3.0, 0.5]])).tolist() == [1 / 3, 1 / 3, 1 / 3]


def test_a_row_that_is_not_known_makes_nobody_best() -> None:
    assert parent_shares(np.array([[NAN, 0.5, NAN], [1.0, 0.1, NAN]])).tolist() == [0.0, 1.0]
    assert parent_shares(np.full((2, 3), NAN)).tolist() == [0.5, 0.5]


def exact(differences: list[float]) -> float:
    """By its definition: all signs, one after the other."""
    sums = [
        sum(sign * abs(d) for sign, d in zip(signs, differences, strict=True))
        for signs in product((1, -1), repeat=len(differences))
    ]
    return float(np.mean([total <= sum(differences) + 1e-12 for total in sums]))


@pytest.mark.parametrize(
    "differences",
    [[-1.0, -2.0, -3.0, -4.0], [1.0, -2.0, 0.5, -0.25, 3.0], [0.0, 0.0, 0.0, 0.0], [-1.0, -1.0, 1.0, -1.0, 0.0, -1.0]],
)
def test_the_test_counts_all_signs_whose_sum_is_as_low(differences: list[float]) -> None:
    assert sign_flip_p_value(np.array(differences), np.random.default_rng(0)) == pytest.approx(exact(differences))


def test_four_rows_that_are_all_better_have_a_sixteenth() -> None:
    assert sign_flip_p_value(np.array([-1.0, -1.0, -1.0, -1.0]), np.random.default_rng(0)) == 1 / 16


def test_of_many_rows_signs_are_drawn_and_come_close_to_the_normal_limit() -> None:
    differences = np.random.default_rng(3).normal(-0.1, 1.0, size=200)
    z = differences.sum() / np.sqrt((differences**2).sum())
    normal = 0.5 * (1 + np.tanh(z * 0.7978845608 * (1 + 0.044715 * z**2)))  # the usual approximation of the normal law
    assert sign_flip_p_value(differences, np.random.default_rng(0)) == pytest.approx(normal, abs=0.03)


def test_a_child_comes_into_the_pool_if_it_passes_the_test_against_its_parent() -> None:
    optimizer = reflective()
    told(optimizer, np.array([1.0, 1.0, 1.0, 1.0, 1.0]))
    before = len(optimizer._pool)
    candidates = optimizer.ask()
    rows = np.ones((len(candidates), 5))
    rows[0] = [0.9, 0.8, 0.7, 0.6, 0.5]  # better on all rows: 1/32
    rows[1] = [0.9, 0.8, 0.7, 0.6, 3.0]  # better on most, worse in the sum
    rows[2] = [0.9, 0.8, 0.7, NAN, NAN]  # three rows are too few
    rows[3] = [0.9, 0.8, 0.7, 0.6, NAN]  # four are enough: 1/16
    optimizer.tell_rows(candidates, rows)
    optimizer.tell(candidates, np.nanmean(rows, axis=1))
    added = optimizer._pool[before:]
    assert added == [tuple(candidates[i].astype(int)) for i in (0, 3)]
    assert LEVEL > 1 / 16


def test_a_child_that_failed_never_comes_into_the_pool() -> None:
    optimizer = reflective()
    told(optimizer, np.ones(5))
    before = list(optimizer._pool)
    candidates = optimizer.ask()
    optimizer.tell_rows(candidates, np.zeros((len(candidates), 5)))
    optimizer.tell(candidates, np.full(len(candidates), np.inf))
    assert optimizer._pool == before


def test_a_reflection_names_rows_on_which_its_parent_has_its_highest_losses_the_worst_first() -> None:
    proposer = Counting()
    optimizer = reflective(proposer)
    losses = np.arange(30.0)
    told(optimizer, losses)
    told(optimizer, losses)
    reflections = [request for request in proposer.requests if request.kind == "reflect"]
    assert reflections
    for request in reflections:
        assert len(request.rows) == 6
        assert set(request.rows) <= set(range(18, 30))
        assert list(request.rows) == sorted(request.rows, reverse=True)
        assert request.instructions == (request.candidate[0],)


def test_the_pool_is_bounded_and_keeps_the_lowest_loss() -> None:
    optimizer = reflective()
    _, losses = advance_with_rows(optimizer, 30)
    assert len(optimizer._pool) <= 12
    assert min(optimizer._losses) == pytest.approx(min(losses), abs=0.5)


def test_it_comes_closer_with_losses_of_rows() -> None:
    optimizer = reflective(Counting())
    _, first = advance_with_rows(optimizer, 1)
    advance_with_rows(optimizer, 40)
    assert optimizer.best is not None
    assert optimizer.best.loss < first.min() - 1


@pytest.mark.parametrize("generations", [1, 3])
def test_losses_of_rows_that_are_not_known_survive_the_checkpoint(generations: int) -> None:
    whole, first = reflective(Counting()), reflective(Counting())
    for optimizer in (whole, first):
        told(optimizer, np.array([1.0, NAN, 2.0, 3.0, 4.0, 5.0, NAN, 0.5, 0.1, 0.2, 0.3, 0.4]))
        advance_with_rows(optimizer, generations)
    resumed = reflective(first._proposals.proposer, seed=9)
    resumed.load_state_dict(json_round_trip(first.state_dict()))
    assert same(advance_with_rows(whole, 4), advance_with_rows(resumed, 4))


@pytest.mark.parametrize("shape", [(6,), (5, 12), (6, 11)])
def test_losses_of_rows_in_another_shape_are_refused(shape: tuple[int, ...]) -> None:
    optimizer = reflective()
    told(optimizer, np.ones(12))
    candidates = optimizer.ask()
    with pytest.raises(TellError, match=r"row losses must have shape \(6, 12\)"):
        optimizer.tell_rows(candidates, np.ones(shape))


def test_losses_of_rows_before_the_first_ask_are_refused() -> None:
    with pytest.raises(TellError, match="row losses"):
        reflective().tell_rows(np.zeros((1, 7)), np.ones((1, 3)))
