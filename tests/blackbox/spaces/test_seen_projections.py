import math
from itertools import permutations

import numpy as np
import pytest

from blackbox.errors import SettingError
from blackbox.spaces.seen_projections import (
    OF_STATES,
    SHARE,
    HiddenPCAProjection,
    VocabularyProjection,
    principal_directions,
    usual,
)

WIDTH, POSITIONS, DIMENSION, STD = 6, 5, 40, 0.3


def states(count: int = 30, *, seed: int = 1) -> np.ndarray:
    """States whose numbers differ in spread and depend on each other, shape (count, WIDTH)."""
    rng = np.random.default_rng(seed)
    return (2 + rng.normal(size=(count, WIDTH)) @ rng.normal(size=(WIDTH, WIDTH))).astype(np.float32)


def matrix(name: str, seen: np.ndarray, *, dimension: int = DIMENSION, seed: int = 1, parts: int = 1) -> np.ndarray:
    """The matrix of layer 7, shape (dimension, POSITIONS * WIDTH), read off unit vectors."""
    make = OF_STATES[name]({7: seen}, parts=parts)
    projection = make(7, dimension, POSITIONS * WIDTH, std=STD, seed=np.random.SeedSequence(seed))
    return projection(np.eye(dimension)).astype(np.float64)


@pytest.mark.parametrize("name", OF_STATES)
def test_entries_have_the_given_root_mean_square_and_mean_zero(name: str) -> None:
    entries = matrix(name, states(), dimension=400)
    assert math.sqrt((entries**2).mean()) == pytest.approx(STD, rel=1e-5)
    assert abs(entries.mean()) < 0.03 * STD * math.sqrt(WIDTH)  # 2,000 vectors, whose numbers depend on each other


def test_each_column_has_at_each_position_a_difference_of_two_states() -> None:
    seen = states(4)
    differences = [seen[a] - seen[b] for a, b in permutations(range(4), 2)]
    found = matrix("vocabulary", seen).reshape(-1, WIDTH)
    units = np.array([difference / np.linalg.norm(difference) for difference in differences])
    cosines = found @ units.T / np.linalg.norm(found, axis=1, keepdims=True)
    assert cosines.max(axis=1) == pytest.approx(1.0, abs=1e-6)
    assert set(cosines.argmax(axis=1)) == set(range(12))  # every pair, either way round
    scales = np.linalg.norm(found, axis=1) / np.linalg.norm(np.array(differences), axis=1)[cosines.argmax(axis=1)]
    assert scales == pytest.approx(scales[0], rel=1e-5)  # one scale for the whole matrix


def test_positions_are_drawn_independently_of_each_other() -> None:
    vectors = matrix("vocabulary", states()).reshape(DIMENSION, POSITIONS, WIDTH)
    assert len({vector.tobytes() for vector in vectors.reshape(-1, WIDTH)}) > 0.8 * DIMENSION * POSITIONS


def test_principal_directions_are_those_of_the_covariance_and_no_more_than_hold_the_share() -> None:
    seen = states(200)
    eigenvalues, vectors = np.linalg.eigh(np.cov(seen.astype(np.float64), rowvar=False))
    largest_first = np.argsort(eigenvalues)[::-1]
    shares = np.cumsum(eigenvalues[largest_first]) / eigenvalues.sum()
    count = next(number for number, share in enumerate(shares, start=1) if share >= SHARE)
    found = principal_directions(seen)
    assert found.shape == (count, WIDTH)
    assert 1 < count < WIDTH
    for direction, place in zip(found, largest_first, strict=False):
        expected = math.sqrt(eigenvalues[place]) * vectors[:, place]
        assert abs(direction @ expected) == pytest.approx(eigenvalues[place], rel=1e-4)
        assert np.linalg.norm(direction) == pytest.approx(math.sqrt(eigenvalues[place]), rel=1e-4)


def test_columns_of_hidden_pca_have_the_covariance_of_the_states_within_the_directions() -> None:
    seen = states(200)
    directions = principal_directions(seen).astype(np.float64)
    vectors = matrix("hidden-pca", seen, dimension=2000).reshape(-1, WIDTH)
    expected = directions.T @ directions
    expected *= WIDTH * STD**2 / np.trace(expected)
    assert vectors.T @ vectors / len(vectors) == pytest.approx(expected, abs=0.05 * STD**2 * WIDTH)
    assert np.linalg.matrix_rank(vectors, tol=1e-3) == len(directions)


@pytest.mark.parametrize("name", OF_STATES)
def test_parts_of_a_state_stand_apart_those_of_all_positions_together(name: str) -> None:
    whole, apart = (matrix(name, states(), parts=parts) for parts in (1, 2))
    halves = whole.reshape(DIMENSION, POSITIONS, 2, WIDTH // 2)
    assert np.array_equal(apart.reshape(DIMENSION, 2, POSITIONS, WIDTH // 2), halves.swapaxes(1, 2))


def test_giant_states_are_left_out() -> None:
    seen = states(50)
    with_giants = np.vstack([1000 * seen[:1], seen, 80 * seen[1:2]])
    assert np.array_equal(usual(with_giants), usual(seen))
    assert len(usual(seen)) == 50


@pytest.mark.parametrize("name", OF_STATES)
def test_the_seed_decides_it(name: str) -> None:
    assert np.array_equal(matrix(name, states(), seed=1), matrix(name, states(), seed=1))
    assert not np.array_equal(matrix(name, states(), seed=1), matrix(name, states(), seed=2))


@pytest.mark.parametrize("name", OF_STATES)
def test_a_candidate_becomes_the_same_in_any_company(name: str) -> None:
    make = OF_STATES[name]({0: states()})
    projection = make(0, 10, POSITIONS * WIDTH, std=STD, seed=np.random.SeedSequence(1))
    candidates = np.random.default_rng(1).normal(size=(7, 10))
    alone = [projection(candidate[None])[0].tobytes() for candidate in candidates]
    assert [row.tobytes() for row in projection(candidates)] == alone


@pytest.mark.parametrize("make", [VocabularyProjection, HiddenPCAProjection])
@pytest.mark.parametrize(
    "seen",
    [states(1), states(0), np.ones((3, 2), np.float32), np.full((3, 2), np.inf, np.float32)],
    ids=["one", "none", "equal", "infinite"],
)
def test_states_that_make_no_projection_are_refused(make: type, seen: np.ndarray) -> None:
    with pytest.raises(SettingError, match="layer 3 shows no two states"):
        make({3: seen})
