import math

import numpy as np
import pytest

from blackbox.backends import FakeBackend, TextPrompt
from blackbox.errors import SettingError
from blackbox.mutual_information import informations, mutual_information
from tests.blackbox.small import make_target_task, make_task


def test_it_is_that_of_a_table_of_joint_probabilities() -> None:
    """I(X; Y) = sum p(x, y) log(p(x, y) / (p(x) p(y))), with rows that are equally likely."""
    p = np.array([[0.9, 0.05, 0.05], [0.2, 0.5, 0.3], [0.1, 0.1, 0.8], [1 / 3, 1 / 3, 1 / 3]])
    joint = p / 4
    expected = (joint * np.log(joint / (0.25 * joint.sum(axis=0)))).sum()
    assert mutual_information(np.log(p)) == pytest.approx(expected, rel=1e-12)


def test_answers_that_are_sure_and_differ_tell_all_and_equal_ones_nothing() -> None:
    with np.errstate(divide="ignore"):
        sure = np.log(np.eye(4))
    assert mutual_information(sure) == pytest.approx(math.log(4))
    assert mutual_information(sure[[2, 2, 2]]) == pytest.approx(0.0, abs=1e-12)
    assert mutual_information(np.log(np.full((5, 3), 1 / 3))) == pytest.approx(0.0, abs=1e-12)


def test_what_is_missing_from_one_does_not_count() -> None:
    p = np.array([[0.6, 0.4], [0.1, 0.9]])
    assert mutual_information(np.log(p * [[0.5], [0.01]])) == pytest.approx(mutual_information(np.log(p)))


def test_rows_without_an_answer_do_not_count() -> None:
    p = np.log(np.array([[0.6, 0.4], [0.1, 0.9]]))
    assert mutual_information(np.vstack([p, [[np.nan, -1.0]]])) == mutual_information(p)
    assert mutual_information(np.full((2, 2), np.nan)) == -math.inf


def test_prompts_of_the_fake_backend_tell_more_the_surer_they_are_in_calls_of_any_size() -> None:
    """Without helpful words it is sure of the wrong option, with two it is not sure: no label says which is right."""
    prompts = [TextPrompt(text) for text in ("", "classify sentiment", "classify sentiment carefully answer")]
    found = [value for value, _ in informations(FakeBackend(), make_task(), prompts, together=2)]
    assert found[1] < found[0] < found[2] < math.log(2)
    assert found == [value for value, _ in informations(FakeBackend(), make_task(), prompts, together=3)]


def test_a_task_with_targets_is_refused() -> None:
    with pytest.raises(SettingError, match="rows and label words"):
        informations(FakeBackend(), make_target_task(), [TextPrompt("")], together=1)
