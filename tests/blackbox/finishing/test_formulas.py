import numpy as np
import pytest

from blackbox.backends import chosen_options
from blackbox.finishing.formulas import averaged, batch_offsets, calibrated, contextual_offsets

LOG2 = np.log(2.0)


def test_members_are_averaged_as_probabilities() -> None:
    """(0.9 + 0.3) / 2 = 0.6, (0.1 + 0.7) / 2 = 0.4: no mean of logarithms would give that."""
    found = averaged(np.log([[[0.9, 0.1]], [[0.3, 0.7]]]))
    assert np.exp(found) == pytest.approx(np.array([[0.6, 0.4]]))


def test_a_member_without_an_answer_is_left_out_and_a_row_without_any_is_missing() -> None:
    of_members = np.log([[[0.9, 0.1], [0.5, 0.5]], [[0.3, 0.7], [0.5, 0.5]]])
    of_members[1, 0] = of_members[:, 1] = np.nan
    found = averaged(of_members)
    assert np.exp(found[0]) == pytest.approx([0.9, 0.1])
    assert np.isnan(found[1]).all()


def test_answers_that_are_no_label_word_are_averaged_too() -> None:
    """Nine tenths of one member's probability and nothing of the other's: 0.45 are none of the words."""
    found = averaged(np.log([[[0.05, 0.05]], [[0.6, 0.4]]]))
    assert 1 - np.exp(found).sum() == pytest.approx(0.45)
    assert chosen_options(averaged(np.log([[[0.05, 0.05]], [[0.05, 0.05]], [[0.9, 0.1]]]))).tolist() == [-1]


def test_a_label_of_probability_zero_counts_as_zero() -> None:
    found = averaged(np.array([[[0.0, -np.inf]], [[0.0, -np.inf]]]))
    assert found.tolist() == [[0.0, -np.inf]]


def test_offsets_are_added_and_the_row_is_normalised_again() -> None:
    """0.5 * 2 and 0.5 * 0.5, divided by their sum: 0.8 and 0.2."""
    found = calibrated(np.log([[0.5, 0.5]]), np.array([LOG2, -LOG2]))
    assert np.exp(found) == pytest.approx(np.array([[0.8, 0.2]]))


def test_calibration_moves_probability_between_labels_only() -> None:
    """Of 0.2 for the labels together, 0.16 and 0.04; that none of them was answered stays at 0.8."""
    found = calibrated(np.log([[0.1, 0.1]]), np.array([LOG2, -LOG2]))
    assert np.exp(found) == pytest.approx(np.array([[0.16, 0.04]]))
    assert chosen_options(found).tolist() == [-1]


def test_calibration_leaves_missing_rows_and_impossible_labels_as_they_are() -> None:
    rows = np.array([[np.nan, np.nan], [0.0, -np.inf], [-np.inf, -np.inf]])
    found = calibrated(rows, np.array([LOG2, -LOG2]))
    assert np.isnan(found[0]).all()
    assert found[1:].tolist() == [[0.0, -np.inf], [-np.inf, -np.inf]]


def test_contextual_offsets_divide_by_the_mean_probabilities_of_the_inputs() -> None:
    """Means 0.8 and 0.2; -log of them less their mean: -log 2 and +log 2. Behind an input without content p is even."""
    offsets = contextual_offsets(np.log([[0.9, 0.1], [0.7, 0.3]]))
    assert offsets == pytest.approx(np.array([-LOG2, LOG2]))
    assert np.exp(calibrated(np.log([[0.8, 0.2]]), offsets)) == pytest.approx(np.array([[0.5, 0.5]]))  # type: ignore[arg-type]


def test_batch_offsets_subtract_the_mean_log_probability_of_the_rows() -> None:
    """Of log 0.5 and log 0.02 the mean is log 0.1, of log 0.5 and log 0.98 log 0.7: apart by log 7, half to each."""
    offsets = batch_offsets(np.log([[0.5, 0.5], [0.02, 0.98]]))
    assert offsets == pytest.approx(np.array([np.log(7) / 2, -np.log(7) / 2]))


@pytest.mark.parametrize("formula", [contextual_offsets, batch_offsets])
def test_rows_without_an_answer_are_left_out_and_offsets_that_are_not_finite_are_none(formula) -> None:  # type: ignore[no-untyped-def]
    known = np.log([[0.8, 0.2]])
    assert formula(np.vstack([known, [[np.nan, np.nan]]])) == pytest.approx(formula(known))
    assert formula(np.array([[np.nan, np.nan]])) is None
    assert formula(np.empty((0, 2))) is None
    assert formula(np.array([[0.0, -np.inf]])) is None
