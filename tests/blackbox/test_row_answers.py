import math

import numpy as np
import pytest

from blackbox.losses import CrossEntropy
from blackbox.metrics import Accuracy
from blackbox.row_answers import LabelScores

ANSWERS = LabelScores(
    np.log([[0.9, 0.1], [0.2, 0.8], [np.nan, np.nan], [0.6, 0.4], [0.01, 0.01]]),
    np.array([0, 1, 1, 1, 0]),
    CrossEntropy(),
    Accuracy(),
)
TARGETS = LabelScores(np.array([[-1.5], [np.nan], [0.0]]), np.zeros(3, int), CrossEntropy(), None)


def test_the_rows_have_the_loss_of_their_right_option() -> None:
    assert ANSWERS.losses == pytest.approx(-np.log([0.9, 0.8, np.nan, 0.4, 0.01]), nan_ok=True)
    assert TARGETS.losses == pytest.approx([1.5, np.nan, 0.0], nan_ok=True)


def test_a_row_scores_where_the_chosen_option_is_right_and_without_a_metric_by_its_loss() -> None:
    assert ANSWERS.scores == pytest.approx([1, 1, np.nan, 0, 0], nan_ok=True)
    assert TARGETS.scores == pytest.approx([-1.5, np.nan, 0.0], nan_ok=True)


def test_the_metric_is_of_the_answered_rows_and_targets_have_none() -> None:
    measured = ANSWERS.measured()
    assert measured is not None
    assert (measured.value, measured.rows) == (0.5, 4)
    assert ANSWERS.take([2]).measured() is None
    assert TARGETS.measured() is None


def test_an_answer_that_is_no_option_is_unreadable_and_a_target_is_read_always() -> None:
    assert (ANSWERS.unreadable, ANSWERS.answered.tolist()) == (1, [True, True, False, True, True])
    assert TARGETS.unreadable == 0


def test_parts_join_to_the_whole() -> None:
    again = ANSWERS.take([0, 1]).joined(ANSWERS.take([2, 3, 4]))
    assert np.array_equal(again.log_probabilities, ANSWERS.log_probabilities, equal_nan=True)
    assert again.right.tolist() == ANSWERS.right.tolist()
    assert math.isnan(again.losses[2])
