import math

import numpy as np
import pytest

from blackbox.backends import Written
from blackbox.losses import CrossEntropy
from blackbox.metrics import Accuracy, wilson_interval
from blackbox.paired import t_interval
from blackbox.row_answers import LabelScores, WrittenTexts
from blackbox.text_metrics import make_text_metric

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


def texts(metric: str, *written: str | None) -> WrittenTexts:
    answers = tuple(None if text is None else Written(text, cut=True) for text in written)
    return WrittenTexts(answers, (("red", "dark red"),) * len(written), make_text_metric(metric))


def test_the_loss_of_a_text_is_what_it_lacks_to_one_and_a_missing_one_has_none() -> None:
    answers = texts("exact-match", "Red.", "blue", None, "the dark red")
    assert answers.scores == pytest.approx([1, 0, np.nan, 1], nan_ok=True)
    assert answers.losses == pytest.approx([0, 1, np.nan, 0], nan_ok=True)
    assert (answers.answered.tolist(), answers.unreadable) == ([True, True, False, True], 0)


def test_right_or_wrong_texts_have_wilson_s_interval_and_others_student_s_within_0_and_1() -> None:
    measured = texts("exact-match", "Red.", "blue", None, "the dark red").measured()
    assert measured is not None
    assert (measured.metric, measured.value, measured.rows) == ("exact-match", pytest.approx(2 / 3), 3)
    assert (measured.low, measured.high) == wilson_interval(2 / 3, 3)
    graded = texts("token-f1", "red", "red sky", "blue").measured()
    assert graded is not None
    low, high = t_interval(np.array([1.0, 2 / 3, 0.0]))
    assert low < 0
    assert high > 1
    assert (graded.value, graded.low, graded.high) == (pytest.approx(5 / 9), 0.0, 1.0)
    one = texts("token-f1", "red sky").measured()
    assert one is not None
    assert (one.low, one.high) == (0.0, 1.0)
    assert texts("exact-match", None).measured() is None


def test_texts_join_to_the_whole() -> None:
    whole = texts("exact-match", "red", None, "blue")
    again = whole.take([2, 0]).joined(whole.take([1])).take([1, 2, 0])
    assert again.written == whole.written
    assert again.losses == pytest.approx([0, np.nan, 1], nan_ok=True)
