import numpy as np
import pytest

from blackbox.backends import DecomposedPrompt, SoftPrompt
from blackbox.errors import SettingError
from blackbox.spaces import PROJECTIONS, DecomposedSpace, SoftSpace

TOKENS, HIDDEN, POSITIONS, RANK = (97, 98, 99), 8, 6, 2


def space(**settings: object) -> DecomposedSpace:
    defaults: dict[str, object] = {"positions": POSITIONS, "rank": RANK, "dimension": 13, "seed": 3}
    return DecomposedSpace(TOKENS, 0.5, HIDDEN, **{**defaults, **settings})  # type: ignore[arg-type]


def vectors(of: DecomposedSpace, candidates: np.ndarray) -> np.ndarray:
    """Shape (n, tokens + positions, hidden_size)."""
    prompts = of.decode(candidates)
    assert all(isinstance(prompt, DecomposedPrompt) and prompt.token_ids == TOKENS for prompt in prompts)
    return np.array([prompt.vectors for prompt in prompts])  # type: ignore[union-attr]


def draw(count: int, dimension: int = 13) -> np.ndarray:
    return np.random.default_rng(1).normal(size=(count, dimension))


def test_half_of_the_numbers_are_the_prompts_and_half_the_rows() -> None:
    assert space().blocks == (7, 6)
    assert space().dimension == 13
    moved = vectors(space(), np.eye(13))
    assert moved[:7, :3].any(axis=(1, 2)).all()
    assert not moved[:7, 3:].any()
    assert not moved[7:, :3].any()


def test_the_candidate_of_zeros_is_the_start() -> None:
    found = vectors(space(), np.zeros((1, 13)))
    assert found.shape == (1, 3 + POSITIONS, HIDDEN)
    assert not found.any()


@pytest.mark.parametrize("projection", PROJECTIONS)
def test_the_prompts_half_is_a_soft_space_and_the_rows_half_has_the_rank(projection: str) -> None:
    found = vectors(space(projection=projection), draw(3))
    soft = SoftSpace(TOKENS, 0.5, HIDDEN, dimension=7, projection=projection, seed=3).decode(draw(3)[:, :7])
    for own, expected in zip(found, soft, strict=True):
        assert isinstance(expected, SoftPrompt)
        assert own[:3].tobytes() == expected.vectors.tobytes()
        assert np.linalg.matrix_rank(own[3:], tol=1e-4) == RANK


def test_rows_move_by_their_share_of_alpha() -> None:
    of = space(positions=40, rank=4, dimension=200, alpha=2.0, row_scale=0.25)
    found = vectors(of, draw(2000, 200))
    assert found[:, :3].std() == pytest.approx(2.0 * 0.5, rel=0.05)
    assert found[:, 3:].std() == pytest.approx(0.25 * 2.0 * 0.5, rel=0.4)  # B_0 is one draw of 32 numbers


def test_decoding_does_not_depend_on_company_bit_for_bit() -> None:
    candidates = draw(7)
    together = [one.tobytes() for one in vectors(space(), candidates)]
    assert together == [vectors(space(), row[None])[0].tobytes() for row in candidates]


@pytest.mark.parametrize("change", [{"rank": 7}, {"rank": 0}, {"dimension": 3}])
def test_settings_out_of_range_are_refused(change: dict[str, object]) -> None:
    with pytest.raises(SettingError, match=next(iter(change))):
        space(**change)
