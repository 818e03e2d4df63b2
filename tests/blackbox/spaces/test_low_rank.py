"""The map itself; prompts are tested with the spaces that the settings name (`test_named_vector_spaces`)."""

import numpy as np
import pytest

from blackbox.errors import SettingError
from blackbox.spaces.low_rank import LowRank, LowRankMap
from blackbox.spaces.projection import PROJECTIONS

TOKENS, HIDDEN = 6, 40


def make_map(*, rank: int = 2, dimension: int = 30, std: float = 0.5, projection: str = "gaussian") -> LowRankMap:
    make = LowRank(TOKENS, rank, projection)
    return make(0, dimension, TOKENS * HIDDEN, std=std, seed=np.random.SeedSequence(1))


def prompts(of: LowRankMap, candidates: np.ndarray) -> np.ndarray:
    return of(candidates).reshape(len(candidates), TOKENS, HIDDEN).astype(np.float64)


def draw(count: int, dimension: int = 30) -> np.ndarray:
    return np.random.default_rng(1).normal(size=(count, dimension))


def test_it_is_the_product_of_the_two_factors() -> None:
    to_a = np.random.default_rng(2).normal(size=(3, TOKENS * 2))
    to_b = np.random.default_rng(3).normal(size=(5, 2 * HIDDEN))
    of = LowRankMap(lambda a: (a @ to_a).astype(np.float32), lambda b: (b @ to_b).astype(np.float32), 2, 3)
    z = draw(1, 7)[0]
    left = (z[:3] @ to_a).reshape(TOKENS, 2)
    right = (2.0 * to_b[0] + z[3:] @ to_b[1:]).reshape(2, HIDDEN)  # sqrt(4 numbers of b) times the offset
    assert prompts(of, z[None])[0] == pytest.approx(left @ right, rel=1e-4, abs=1e-4)


@pytest.mark.parametrize("rank", [1, 2, 5])
@pytest.mark.parametrize("projection", PROJECTIONS)
def test_prompts_have_the_rank(rank: int, projection: str) -> None:
    for prompt in prompts(make_map(rank=rank, projection=projection), draw(3)):
        assert np.linalg.matrix_rank(prompt, tol=1e-3) == rank


def test_zeros_are_the_start_and_the_first_factor_moves_it_at_once() -> None:
    of, unit = make_map(), np.eye(30)
    assert not prompts(of, np.zeros((1, 30))).any()
    moved = np.abs(prompts(of, 1e-3 * unit)).max(axis=(1, 2))
    assert (moved[:12] > 0).all()  # A has 6 x 2 numbers
    assert not moved[12:].any()  # B alone moves nothing


def test_with_numbers_enough_each_entry_of_the_first_factor_is_searched_itself() -> None:
    first = prompts(make_map(), np.eye(30)[:12])
    for number, prompt in enumerate(first):
        assert list(np.flatnonzero(prompt.any(axis=1))) == [number // 2]


def test_with_few_numbers_half_of_them_go_to_each_factor() -> None:
    moved = prompts(make_map(dimension=9), np.eye(9)).any(axis=(1, 2))
    assert moved.tolist() == [True] * 4 + [False] * 5


@pytest.mark.parametrize(("rank", "dimension"), [(1, 40), (4, 100), (6, 20)])
@pytest.mark.parametrize("projection", PROJECTIONS)
def test_unit_normal_numbers_move_as_far_as_by_one_projection(rank: int, dimension: int, projection: str) -> None:
    of = make_map(rank=rank, dimension=dimension, std=0.5, projection=projection)
    squares = (prompts(of, draw(4000, dimension)) ** 2).mean()
    assert np.sqrt(squares) == pytest.approx(0.5 * np.sqrt(dimension), rel=0.25)  # B_0 is one draw


def test_decoding_does_not_depend_on_company_bit_for_bit() -> None:
    of, candidates = make_map(), draw(11)
    together = [row.tobytes() for row in of(candidates)]
    assert together == [of(row[None])[0].tobytes() for row in candidates]


@pytest.mark.parametrize("rank", [0, TOKENS + 1])
def test_a_rank_that_no_prompt_of_as_many_tokens_has_is_refused(rank: int) -> None:
    with pytest.raises(
        SettingError, match=f"rank must be at least 1 and at most the 6 tokens that are moved, got {rank}"
    ):
        make_map(rank=rank)


def test_more_numbers_than_the_factors_have_are_refused() -> None:
    assert make_map(rank=1, dimension=TOKENS + HIDDEN)(draw(1, TOKENS + HIDDEN)).any()
    with pytest.raises(SettingError, match="dimension must be at most 46, what two factors of rank 1 have, got 47"):
        make_map(rank=1, dimension=TOKENS + HIDDEN + 1)
