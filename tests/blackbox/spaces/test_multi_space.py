import numpy as np
import pytest

from blackbox.errors import SettingError
from blackbox.spaces.multi_space import Fusion, MultiSpace, softmax
from blackbox.spaces.projection import PROJECTIONS

OUTPUTS, DIMENSION = 60, 14


def make_fusion(
    *, subspaces: int = 3, dimension: int = DIMENSION, std: float = 0.5, projection: str = "gaussian"
) -> Fusion:
    return MultiSpace(subspaces, projection)(0, dimension, OUTPUTS, std=std, seed=np.random.SeedSequence(1))


def draw(count: int, dimension: int = DIMENSION) -> np.ndarray:
    return np.random.default_rng(1).normal(size=(count, dimension))


def test_softmax_shares() -> None:
    assert softmax(np.log([1.0, 2.0, 5.0])) == pytest.approx([1 / 8, 2 / 8, 5 / 8])
    assert softmax(np.array([1000.0, 0.0])) == pytest.approx([1.0, 0.0])


def test_it_is_the_weighted_sum_of_the_subspaces() -> None:
    maps = [np.random.default_rng(number).normal(size=(2, OUTPUTS)) for number in range(2)]
    of = Fusion([lambda z, a=one: (z @ a).astype(np.float32) for one in maps], [2, 2])  # type: ignore[misc]
    z = np.array([np.log(3.0), 0.0, 1.0, -2.0, 0.5, 4.0])
    expected = 2 * (3 / 4 * z[2:4] @ maps[0] + 1 / 4 * z[4:] @ maps[1])
    assert of(z[None])[0] == pytest.approx(expected, rel=1e-5, abs=1e-5)


def test_zeros_are_the_start_and_weights_alone_move_nothing() -> None:
    of, unit = make_fusion(), np.eye(DIMENSION)
    assert not of(np.zeros((1, DIMENSION))).any()
    moved = of(unit).any(axis=1)
    assert moved.tolist() == [False] * 3 + [True] * 11


def test_equal_weights_are_a_projection_of_all_numbers_in_spread() -> None:
    candidates = draw(4000)
    candidates[:, :3] = 0.7
    assert make_fusion()(candidates).std() == pytest.approx(0.5 * np.sqrt(DIMENSION), rel=0.1)


@pytest.mark.parametrize("projection", PROJECTIONS)
def test_subspaces_have_projections_of_their_own(projection: str) -> None:
    columns = make_fusion(subspaces=2, dimension=6, projection=projection)(np.eye(6))[2:]
    assert np.linalg.matrix_rank(columns) == 4


def test_decoding_does_not_depend_on_company_bit_for_bit() -> None:
    of, candidates = make_fusion(), draw(11)
    together = [row.tobytes() for row in of(candidates)]
    assert together == [of(row[None])[0].tobytes() for row in candidates]


@pytest.mark.parametrize("subspaces", [1, 8])
def test_a_number_of_subspaces_that_the_dimension_does_not_allow_is_refused(subspaces: int) -> None:
    with pytest.raises(SettingError, match=f"at least 2 and at most half of dimension 14, got {subspaces}"):
        make_fusion(subspaces=subspaces)
