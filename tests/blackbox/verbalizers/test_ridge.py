"""Labels as a linear reading of hidden states."""

from dataclasses import replace

import numpy as np
import pytest

from blackbox.verbalizers.ridge import Ridge

RNG = np.random.default_rng(0)
LABELS = np.array([0, 1, 1, 0, 1, 2, 2, 0])
STATES = RNG.normal(size=(8, 5)) * [1.0, 2.0, 0.1, 5.0, 1.0] + 3.0


def by_hand(row: np.ndarray, states: np.ndarray, labels: np.ndarray, found: Ridge) -> np.ndarray:
    """softmax(scale (b + x W)) with W the least squares solution of x W = y, (width penalty) |W|^2 beside it."""
    width, whole = states.shape[1], STATES
    centre, spread = whole.mean(axis=0), whole.std(axis=0)
    x, y = (states - centre) / spread, np.eye(3)[labels] - np.bincount(LABELS) / len(LABELS)
    weights = np.linalg.solve(x.T @ x + width * found.penalty * np.eye(width), x.T @ y)
    read = np.bincount(LABELS) / len(LABELS) + (row - centre) / spread @ weights
    shares: np.ndarray = np.exp(found.scale * read)
    return shares / shares.sum()


def test_a_row_is_told_by_the_ridge_regression_of_the_training_rows() -> None:
    ridge, rows = Ridge.of(STATES, LABELS, 3), RNG.normal(size=(4, 5)) + 3.0
    expected = [by_hand(row, STATES, LABELS, ridge) for row in rows]
    assert np.exp(ridge.log_probabilities(rows)) == pytest.approx(np.array(expected))


def test_a_training_row_is_told_by_the_regression_of_the_others() -> None:
    ridge = Ridge.of(STATES, LABELS, 3)
    expected = [
        by_hand(STATES[row], np.delete(STATES, row, axis=0), np.delete(LABELS, row), ridge)
        for row in range(len(LABELS))
    ]
    found = np.exp(ridge.of_training_rows(STATES, LABELS, np.arange(8)))
    assert found == pytest.approx(np.array(expected))
    some = np.array([4, 0])
    assert np.array_equal(np.exp(ridge.of_training_rows(STATES, LABELS, some)), found[some])


def test_penalty_and_scale_are_those_under_which_left_out_rows_are_the_likeliest() -> None:
    rng, labels, rows = np.random.default_rng(5), np.arange(40) % 2, np.arange(40)
    clear = np.where(labels[:, None] == 0, 3.0, -3.0) * np.ones(6) + rng.normal(size=(40, 6))
    nothing = rng.normal(size=(40, 6))
    found = {name: Ridge.of(states, labels, 2) for name, states in (("clear", clear), ("nothing", nothing))}
    assert found["nothing"].scale == 1.0 < found["clear"].scale == 20.0

    def loss(**changed: float) -> float:
        ridge = replace(found["clear"], **changed)
        return -float(ridge.of_training_rows(clear, labels, rows)[rows, labels].mean())

    for name, others in (("penalty", (0.3, 1.0, 3.0, 10.0)), ("scale", (1.0, 5.0, 12.0))):
        assert all(loss() <= loss(**{name: other}) for other in others)


def test_a_dimension_that_never_changes_counts_for_nothing() -> None:
    constant = np.concatenate([STATES, np.full((8, 1), 7.0)], axis=1)
    ridge = Ridge.of(constant, LABELS, 3)
    assert np.isfinite(ridge.log_probabilities(constant)).all()
    assert not ridge.weights[:, -1].any()


def test_where_a_training_row_has_no_state_nothing_is_told() -> None:
    without = Ridge.of(np.where(LABELS[:, None] == 1, np.nan, STATES), LABELS, 3)
    assert np.isnan(without.of_training_rows(STATES, LABELS, np.arange(2))).all()
    assert np.isnan(without.log_probabilities(STATES)).all()
