"""Labels as calibrated label words."""

import numpy as np
import pytest
from scipy.optimize import minimize

from blackbox.verbalizers.offsets import Offsets

RNG = np.random.default_rng(0)
LABELS = RNG.integers(3, size=20)
SCORES = np.log(RNG.dirichlet([0.3, 1.0, 2.0], size=20))
ROWS = np.arange(20)
PREFERRED = np.array([8.0, 0.0, -3.0])


def shares_of(scores: np.ndarray, offsets: np.ndarray) -> np.ndarray:
    shifted = np.exp(scores + offsets)
    found: np.ndarray = shifted / shifted.sum(axis=1, keepdims=True)
    return found


def by_hand(scores: np.ndarray, labels: np.ndarray) -> np.ndarray:
    def loss(offsets: np.ndarray) -> float:
        shares = shares_of(scores, offsets)[np.arange(len(labels)), labels]
        return float(-np.log(shares).sum() + 0.005 * offsets @ offsets)

    found: np.ndarray = minimize(loss, np.zeros(3), tol=1e-12).x
    return found - found.mean()


def test_offsets_are_those_under_which_the_training_rows_are_the_likeliest() -> None:
    found = Offsets.of(SCORES, LABELS, 3)
    assert found.offsets == pytest.approx(by_hand(SCORES, LABELS), abs=1e-4)
    assert np.exp(found.log_probabilities(SCORES)) == pytest.approx(shares_of(SCORES, found.offsets))


def test_a_prompt_that_only_prefers_a_word_is_none_the_worse_for_it() -> None:
    """The search goes by what is left when the border between the labels is right."""
    plain, shifted = (Offsets.of(scores, LABELS, 3) for scores in (SCORES, SCORES + PREFERRED))
    expected = plain.of_training_rows(SCORES, LABELS, ROWS)
    found = shifted.of_training_rows(SCORES + PREFERRED, LABELS, ROWS)
    assert np.exp(found) / np.exp(found).sum(axis=1, keepdims=True) == pytest.approx(np.exp(expected), abs=0.02)


def test_a_training_row_is_told_nearly_as_by_a_fit_on_the_others() -> None:
    readout = Offsets.of(SCORES, LABELS, 3)
    found = np.exp(readout.of_training_rows(SCORES, LABELS, ROWS))
    others = [by_hand(np.delete(SCORES, row, axis=0), np.delete(LABELS, row)) for row in ROWS]
    exact = np.array([shares_of(SCORES[[row]], offsets)[0] for row, offsets in zip(ROWS, others, strict=True)])
    with_itself = np.exp(readout.log_probabilities(SCORES))
    assert np.abs(found - exact).max() < 0.03
    assert np.abs(found - exact).mean() < np.abs(with_itself - exact).mean() / 5
    some = np.array([4, 0])
    assert np.array_equal(np.exp(readout.of_training_rows(SCORES, LABELS, some)), found[some])


def test_labels_that_are_told_without_error_keep_finite_offsets() -> None:
    labels = np.arange(8) % 2
    scores = np.where(np.eye(2)[labels] > 0, -1e-9, -40.0) + np.array([0.0, -30.0])
    offsets = Offsets.of(scores, labels, 2).offsets
    assert np.isfinite(offsets).all()
    assert (Offsets(offsets).log_probabilities(scores).argmax(axis=1) == labels).all()


def test_rows_in_which_a_label_has_no_probability_have_no_part_in_the_fit() -> None:
    """An endpoint that tells the likeliest tokens only leaves some labels without one."""
    scores = np.concatenate([SCORES, [[-np.inf, -1.0, -0.5], [np.nan] * 3, [-np.inf] * 3]])
    labels = np.concatenate([LABELS, [0, 1, 2]])
    found, expected = Offsets.of(scores, labels, 3), Offsets.of(SCORES, LABELS, 3)
    assert np.array_equal(found.offsets, expected.offsets)
    told = found.of_training_rows(scores, labels, np.arange(23))
    assert np.array_equal(told[:20], expected.of_training_rows(SCORES, LABELS, ROWS))
    assert np.isneginf(told[20, 0])
    assert np.isfinite(told[20, 1:]).all()
    assert np.isnan(told[21]).all()
    assert np.isneginf(told[22]).all()
    assert not Offsets.of(np.full((3, 3), np.nan), LABELS[:3], 3).offsets.any()
