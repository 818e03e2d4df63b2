import math

import numpy as np
import pytest

from blackbox.errors import SettingError
from blackbox.spaces.bank_projection import BankProjection, orthonormal

DIMENSION, OUTPUTS, STD = 12, 60, 0.3


def displacements(count: int, *, seed: int = 1) -> np.ndarray:
    return np.random.default_rng(seed).normal(size=(count, OUTPUTS)).astype(np.float32)


def matrix(found: np.ndarray, *, layer: int = 3, seed: int = 1) -> np.ndarray:
    """The matrix of a layer, shape (DIMENSION, OUTPUTS), of displacements in layer 3."""
    make = BankProjection({3: found})
    return make(layer, DIMENSION, OUTPUTS, std=STD, seed=np.random.SeedSequence(seed))(np.eye(DIMENSION))


def test_orthonormal_directions_span_the_displacements_the_principal_one_first() -> None:
    found = displacements(4) * np.array([[1.0], [10.0], [3.0], [0.1]], dtype=np.float32)
    directions = orthonormal(found)
    assert directions @ directions.T == pytest.approx(np.eye(4), abs=1e-5)
    assert found @ directions.T @ directions == pytest.approx(found, abs=1e-4)
    assert abs(directions[0] @ found[1]) / np.linalg.norm(found[1]) > 0.9


def test_dependent_displacements_have_fewer_directions_and_none_have_none() -> None:
    assert len(orthonormal(np.vstack([displacements(2), 2 * displacements(2)]))) == 2
    assert len(orthonormal(np.zeros((3, OUTPUTS), dtype=np.float32))) == 0


def test_the_first_columns_lie_in_the_displacements_and_the_others_are_gaussian() -> None:
    found = displacements(5)
    columns = matrix(found)
    directions = orthonormal(found)
    first, others = columns[:5], columns[5:]
    assert first == pytest.approx(directions * STD * math.sqrt(OUTPUTS), rel=1e-5, abs=1e-6)
    assert np.array_equal(others, matrix(found, layer=2)[5:])  # a layer that has no displacements
    assert others.std() == pytest.approx(STD, rel=5 / math.sqrt(2 * others.size))


def test_more_displacements_than_numbers_are_cut_to_the_principal_ones() -> None:
    found = displacements(DIMENSION + 5)
    assert matrix(found) == pytest.approx(orthonormal(found)[:DIMENSION] * STD * math.sqrt(OUTPUTS), abs=1e-5)


def test_the_seed_decides_the_rest() -> None:
    one, same, other = (matrix(displacements(2), seed=seed) for seed in (1, 1, 2))
    assert np.array_equal(one, same)
    assert np.array_equal(one[:2], other[:2])
    assert not np.array_equal(one[2:], other[2:])


def test_directions_of_another_length_are_refused() -> None:
    make = BankProjection({3: displacements(2)})
    with pytest.raises(SettingError, match="directions of 60 numbers for layer 3, and 59 are searched"):
        make(3, DIMENSION, 59, std=STD, seed=np.random.SeedSequence(1))
