import numpy as np
import pytest

from blackbox.backends import Capability
from blackbox.blank import Blank, LabelWords, Targets, make_blank
from blackbox.errors import DataError, RunError, SettingError
from blackbox.metrics import Accuracy

WORDS = LabelWords({"negative": "bad", "positive": "great"}, "y")
TARGETS = Targets("answer")


@pytest.mark.parametrize("blank", [WORDS, TARGETS])
def test_it_comes_back_from_its_terms(blank: Blank) -> None:
    assert make_blank(**blank.terms) == blank  # type: ignore[arg-type]


def test_labels_need_label_scores_and_targets_likelihoods() -> None:
    assert (WORDS.needs, TARGETS.needs) == (Capability.LABEL_SCORES, Capability.TARGETS)


def test_labels_that_are_no_text_are_read_as_text() -> None:
    assert make_blank({0: "bad", True: "great"}) == LabelWords({"0": "bad", "True": "great"}, "label")


@pytest.mark.parametrize("words", [None, {}])
def test_neither_words_nor_targets_are_refused(words: dict[str, str] | None) -> None:
    with pytest.raises(DataError, match="a task needs label_words or a target_field, got neither"):
        make_blank(words)


def test_the_right_options_are_the_labels_places_or_the_only_ones() -> None:
    assert WORDS.right_options([{"y": "positive"}, {"y": "negative"}], where="rows").tolist() == [1, 0]
    assert TARGETS.right_options([{"answer": "a"}, {"answer": "b"}], where="rows").tolist() == [0, 0]
    for blank in (WORDS, TARGETS):
        assert blank.right_options([], where="rows").shape == (0,)


def test_the_options_of_a_row_with_label_words_do_not_depend_on_its_label() -> None:
    assert WORDS.options({"y": "nonsense"}, where="row 1") == WORDS.options({}, where="row 1") == ("bad", "great")


def test_the_metric_is_of_the_answered_rows_and_targets_have_none() -> None:
    log_probabilities = np.log([[0.9, 0.1], [0.2, 0.8], [np.nan, np.nan], [0.6, 0.4]])
    measured = WORDS.measure(Accuracy(), log_probabilities, np.array([0, 1, 1, 1]))
    assert measured is not None
    assert (measured.value, measured.rows) == (pytest.approx(2 / 3), 3)
    assert WORDS.measure(Accuracy(), np.full((2, 2), np.nan), np.array([0, 1])) is None
    assert TARGETS.measure(Accuracy(), log_probabilities[:, :1], np.zeros(4, int)) is None


def test_a_share_above_one_cannot_be_reached_and_a_loss_above_one_can() -> None:
    for goal in (None, 0.5, 1.0):
        WORDS.check_goal(goal)
        TARGETS.check_goal(goal)
    TARGETS.check_goal(250.0)
    with pytest.raises(SettingError, match="must be at most 1"):
        WORDS.check_goal(1.01)


def test_labels_are_predicted_and_targets_are_not_yet() -> None:
    WORDS.check_predicts()
    with pytest.raises(RunError, match="written by generating"):
        TARGETS.check_predicts()
