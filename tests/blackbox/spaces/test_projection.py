import math

import numpy as np
import pytest
from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]

from blackbox.errors import SettingError, UnknownNameError
from blackbox.spaces import PROJECTIONS
from blackbox.spaces.projection import BLOCK, hadamard, make_projection

DIMENSION, OUTPUTS, STD = 40, 3000, 0.3


def matrix(name: str, *, dimension: int = DIMENSION, outputs: int = OUTPUTS, seed: int = 1) -> np.ndarray:
    """The projection's matrix, shape (dimension, outputs), read off unit vectors."""
    projection = make_projection(name, dimension, outputs, std=STD, seed=np.random.SeedSequence(seed))
    return projection(np.eye(dimension)).astype(np.float64)


@pytest.mark.parametrize("name", PROJECTIONS)
def test_entries_have_mean_zero_and_the_given_standard_deviation(name: str) -> None:
    entries = matrix(name)
    # the entries of a Hadamard projection are +-std, dependent within a column: its columns count once each
    independent = entries.size if name != "hadamard" else OUTPUTS
    assert abs(entries.mean()) < 5 * STD / math.sqrt(independent)
    assert entries.std() == pytest.approx(STD, rel=5 / math.sqrt(entries.size))


def test_gaussian_entries_have_the_fourth_moment_of_the_normal_distribution() -> None:
    scaled = matrix("gaussian") / STD
    assert (scaled**4).mean() == pytest.approx(3.0, abs=5 * math.sqrt(96 / scaled.size))  # var z^4 = 105 - 9


def test_uniform_entries_fill_their_interval() -> None:
    scaled = matrix("uniform") / STD
    assert np.abs(scaled).max() <= math.sqrt(3) * (1 + 1e-6)
    assert (scaled**4).mean() == pytest.approx(9 / 5, abs=0.05)  # b^4 / 5 with b = sqrt 3


def test_hadamard_entries_are_plus_or_minus_the_standard_deviation() -> None:
    assert np.abs(matrix("hadamard")) == pytest.approx(np.full((DIMENSION, OUTPUTS), STD))


def test_rows_of_a_whole_hadamard_projection_are_orthogonal() -> None:
    rows = matrix("hadamard", dimension=24, outputs=64)
    assert rows @ rows.T == pytest.approx(64 * STD**2 * np.eye(24), abs=1e-4)


@pytest.mark.parametrize(("dimension", "outputs"), [(2, 1), (9, 5), (8, 8), (3, 1000)])
def test_hadamard_takes_sizes_that_are_no_powers_of_two(dimension: int, outputs: int) -> None:
    entries = matrix("hadamard", dimension=dimension, outputs=outputs)
    assert np.abs(entries) == pytest.approx(np.full((dimension, outputs), STD))


@pytest.mark.parametrize("order", [1, 2, 4, 64, 256])
def test_the_hadamard_matrix_is_sylvesters(order: int) -> None:
    linalg = pytest.importorskip("scipy.linalg")
    assert np.array_equal(hadamard(order), linalg.hadamard(order))


def test_an_identity_scales_and_projects_nothing() -> None:
    candidates = np.random.default_rng(1).normal(size=(3, 6))
    projection = make_projection("identity", 6, 6, std=STD, seed=np.random.SeedSequence(1))
    assert projection(candidates).tobytes() == (candidates.astype(np.float32) * np.float32(STD)).tobytes()
    with pytest.raises(SettingError, match="an identity projects 8 numbers onto themselves, got 6"):
        make_projection("identity", 6, 8, std=STD, seed=np.random.SeedSequence(1))


@pytest.mark.parametrize("name", PROJECTIONS)
def test_a_projection_is_linear(name: str) -> None:
    projection = make_projection(name, DIMENSION, OUTPUTS, std=STD, seed=np.random.SeedSequence(1))
    a, b = np.random.default_rng(1).normal(size=(2, 3, DIMENSION))
    assert projection(2 * a - b) == pytest.approx(2 * projection(a) - projection(b), abs=1e-4)
    assert not projection(np.zeros((1, DIMENSION))).any()


@pytest.mark.parametrize("name", PROJECTIONS)
def test_the_seed_decides_it(name: str) -> None:
    assert np.array_equal(matrix(name, seed=1), matrix(name, seed=1))
    assert not np.array_equal(matrix(name, seed=1), matrix(name, seed=2))


@pytest.mark.parametrize("name", PROJECTIONS)
def test_it_gives_float32_and_leaves_its_argument_alone(name: str) -> None:
    projection = make_projection(name, 4, 6, std=STD, seed=np.random.SeedSequence(1))
    candidates = np.ones((5, 4))
    candidates.setflags(write=False)
    assert projection(candidates).dtype == np.float32
    assert projection(candidates).shape == (5, 6)
    assert projection(candidates[:0]).shape == (0, 6)


@pytest.mark.parametrize("name", PROJECTIONS)
@pytest.mark.parametrize("outputs", [1, 2, 7, 16, 33, BLOCK - 1, BLOCK + 1, 2 * BLOCK, 8064])
@pytest.mark.parametrize("dimension", [2, 3, 31, 100, 385, 500, 1000])
def test_a_candidate_becomes_the_same_in_any_company_at_any_place_and_with_any_number_of_threads(
    name: str, outputs: int, dimension: int
) -> None:
    projection = make_projection(name, dimension, outputs, std=STD, seed=np.random.SeedSequence(1))
    candidates = np.random.default_rng(1).normal(size=(24, dimension))
    alone = np.concatenate([projection(candidate[None]) for candidate in candidates])
    for threads in (1, 2):
        with threadpool_limits(threads, user_api="blas"):
            for first in (0, 1, 5, 13):
                moved = np.roll(candidates, first, axis=0)
                assert projection(moved).tobytes() == np.roll(alone, first, axis=0).tobytes()
            assert projection(candidates[:5]).tobytes() == alone[:5].tobytes()


def test_many_outputs_are_the_product_with_the_whole_matrix() -> None:
    outputs = 2 * BLOCK + 5
    projection = make_projection("gaussian", 6, outputs, std=STD, seed=np.random.SeedSequence(1))
    drawn = np.random.default_rng(np.random.SeedSequence(1)).standard_normal((6, outputs), dtype=np.float32)
    candidates = np.random.default_rng(2).normal(size=(3, 6))
    assert projection(candidates) == pytest.approx(candidates @ (STD * drawn), abs=1e-5)


def test_an_unknown_name_is_refused_with_the_nearest_known_one() -> None:
    with pytest.raises(UnknownNameError, match="unknown projection 'hadamar'; did you mean 'hadamard'"):
        make_projection("hadamar", 2, 2, std=1.0, seed=np.random.SeedSequence(1))
