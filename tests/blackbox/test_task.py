import json

import numpy as np
import pytest

from blackbox import Task
from blackbox.backends import Query
from blackbox.errors import DataError, SettingError, UnknownNameError
from tests.blackbox.small import (
    TARGET_TEMPLATE,
    TEMPLATE,
    WORDS,
    make_rows,
    make_target_rows,
    make_target_task,
    make_task,
)


def test_rows_become_queries_and_label_numbers() -> None:
    task = make_task(train=4, dev=2, test=3)
    assert (len(task.train), len(task.dev), len(task.test)) == (4, 2, 3)
    assert task.labels == ("negative", "positive")
    assert task.train.labels.tolist() == [0, 1, 0, 1]
    assert task.train.queries[1].before == "Day 1 was great. It was "
    assert task.train.queries[1].options == ("bad", "great")


def test_labels_count_in_the_order_of_the_label_words() -> None:
    task = make_task(train=4, label_words={"positive": "great", "negative": "bad"})
    assert task.train.labels.tolist() == [1, 0, 1, 0]


def test_labels_that_are_numbers_are_read_as_text() -> None:
    task = Task([{"t": "a", "y": 0}, {"t": "b", "y": 1}], template="{t} {label}", label_words={"0": "x", "1": "y"},
                label_field="y")  # fmt: skip
    assert task.train.labels.tolist() == [0, 1]


def test_label_words_of_labels_that_are_numbers_are_read_as_text_too() -> None:
    task = Task([{"t": "a", "label": 0}, {"t": "b", "label": 1}], template="{t} {label}", label_words={0: "x", 1: "y"})
    assert task.labels == ("0", "1")
    assert task.train.labels.tolist() == [0, 1]


def test_a_label_word_that_is_no_text_is_refused() -> None:
    with pytest.raises(DataError, match="the label word of '1' must be text, got 7"):
        make_task(label_words={0: "x", 1: 7})


@pytest.mark.parametrize("split", ["train", "dev", "test"])
def test_a_row_that_is_no_mapping_is_refused_by_split_and_number(split: str) -> None:
    rows: list[object] = [*make_rows(3), "good"]
    with pytest.raises(DataError, match=f"{split} row 4 must map fields to values, got str"):
        Task(**{"train": make_rows(4), split: rows}, template=TEMPLATE, label_words=WORDS)  # type: ignore[arg-type]


def test_dev_and_test_rows_may_lack_a_label_of_the_task_and_be_empty() -> None:
    task = Task(make_rows(2), template=TEMPLATE, label_words=WORDS, dev=make_rows(1))
    assert (len(task.dev), len(task.test)) == (1, 0)


def test_it_comes_back_from_json_values() -> None:
    task = make_task(loss="hinge", margin=1.5, metric="macro-f1")
    again = Task.from_dict(task.to_dict())
    assert again.to_dict() == task.to_dict()
    assert again.train.queries == task.train.queries
    assert np.array_equal(again.test.labels, task.test.labels)


def test_the_rows_that_are_passed_are_not_changed() -> None:
    rows = [{"text": "a", "label": 1}, {"text": 2, "label": 0}]
    Task(rows, template=TEMPLATE, label_words={"0": "x", "1": "y"})
    assert rows == [{"text": "a", "label": 1}, {"text": 2, "label": 0}]


@pytest.mark.parametrize("split", ["train", "dev", "test"])
def test_a_row_without_its_field_is_refused_by_split_and_number(split: str) -> None:
    rows = [*make_rows(3), {"label": "positive"}]
    with pytest.raises(DataError, match=f"{split} row 4 has no field 'text'"):
        Task(**{"train": make_rows(4), split: rows}, template=TEMPLATE, label_words=WORDS)  # type: ignore[arg-type]


def test_a_label_that_is_not_in_the_label_words_is_refused_by_row() -> None:
    with pytest.raises(DataError, match="dev row 2 has label 'neutral', which is not in label_words: negative, pos"):
        Task(make_rows(2), template=TEMPLATE, label_words=WORDS, dev=[*make_rows(1), {"text": "x", "label": "neutral"}])


def test_a_row_without_a_label_is_refused_by_row() -> None:
    with pytest.raises(DataError, match="train row 3 has no field 'label'"):
        Task([*make_rows(2), {"text": "x"}], template=TEMPLATE, label_words=WORDS)


def test_a_label_without_training_rows_is_refused_by_name() -> None:
    with pytest.raises(DataError, match="label 'positive' has no row in train"):
        Task(make_rows(4)[::2], template=TEMPLATE, label_words=WORDS, dev=make_rows(4))


def test_no_rows_are_refused() -> None:
    with pytest.raises(DataError, match="train has no rows"):
        Task([], template=TEMPLATE, label_words=WORDS)


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ({}, "a task needs label_words or a target_field, got neither"),
        ({"positive": "great"}, "at least two labels, got 1"),
        ({"negative": "", "positive": "great"}, "the label word of 'negative' is empty"),
        ({"negative": "bad", "positive": " "}, "the label word of 'positive' is empty"),
        ({"negative": "bad", "positive": "bad"}, "label word 'bad' stands for 'negative' and 'positive'"),
    ],
)
def test_label_words_that_cannot_work_are_refused(words: dict[str, str], message: str) -> None:
    with pytest.raises(DataError, match=message):
        make_task(label_words=words)


@pytest.mark.parametrize("template", ["{text} It was.", "{label} {text} {label}"])
def test_a_template_without_exactly_one_label_is_refused(template: str) -> None:
    with pytest.raises(DataError, match="exactly one"):
        make_task(template=template)


def test_unknown_losses_and_metrics_are_refused_with_the_nearest_known_one() -> None:
    with pytest.raises(UnknownNameError, match="unknown loss 'cross_entropy'; did you mean 'cross-entropy'"):
        make_task(loss="cross_entropy")
    with pytest.raises(UnknownNameError, match="unknown metric 'acuracy'; did you mean 'accuracy'"):
        make_task(metric="acuracy")


def test_a_margin_that_is_not_positive_is_refused() -> None:
    with pytest.raises(SettingError, match="margin must be positive, got 0"):
        make_task(margin=0)


class TestTargets:
    def test_the_only_option_of_a_row_is_its_own_target(self) -> None:
        task = make_target_task(train=2, dev=1, test=3)
        assert (len(task.train), len(task.dev), len(task.test)) == (2, 1, 3)
        assert task.train.queries[1] == Query("What is 1 + 2?\n", ("The sum is 3.",))
        assert task.train.labels.tolist() == [0, 0]
        assert task.labels == ()

    def test_the_loss_is_the_mean_of_the_targets_negative_log_likelihoods(self) -> None:
        task = make_target_task()
        log_likelihoods = np.array([[[-1.5], [-0.25]], [[-3.0], [np.nan]]])
        assert task.grader.loss(log_likelihoods, np.zeros(2, int)).tolist() == [0.875, 3.0]

    def test_targets_that_are_no_text_are_taken_as_they_are_written(self) -> None:
        task = Task([{"question": "1 + 1?", "n": 2}], template=TARGET_TEMPLATE, target_field="n")
        assert task.train.queries[0].options == ("2",)

    def test_a_field_of_the_name_label_may_hold_the_target(self) -> None:
        task = Task([{"question": "1 + 1?", "label": "two"}], template=TARGET_TEMPLATE, target_field="label")
        assert task.train.queries[0] == Query("1 + 1?\n", ("two",))

    def test_it_comes_back_from_json_values(self) -> None:
        task = make_target_task()
        again = Task.from_dict(json.loads(json.dumps(task.to_dict())))
        assert again.to_dict() == task.to_dict()
        assert again.test.queries == task.test.queries

    def test_label_words_and_targets_are_refused_together(self) -> None:
        with pytest.raises(DataError, match="a task has label_words or a target_field, got both; leave one out"):
            make_target_task(label_words=WORDS)

    @pytest.mark.parametrize("split", ["train", "dev", "test"])
    @pytest.mark.parametrize(
        ("row", "message"),
        [
            ({"question": "x"}, "row 4 has no field 'target' with its target"),
            ({"question": "x", "target": None}, "row 4 has no field 'target' with its target"),
            ({"question": "x", "target": " \n"}, "row 4 has an empty target in its field 'target'"),
            ({"target": "x"}, "row 4 has no field 'question'"),
        ],
    )
    def test_a_row_without_a_target_or_a_field_is_refused_by_split_and_number(
        self, split: str, row: dict[str, object], message: str
    ) -> None:
        rows = {"train": make_target_rows(4), split: [*make_target_rows(3), row]}
        with pytest.raises(DataError, match=f"{split} {message}"):
            Task(**rows, template=TARGET_TEMPLATE, target_field="target")  # type: ignore[arg-type]

    def test_a_template_that_gives_the_target_away_is_refused(self) -> None:
        with pytest.raises(DataError, match=r"template names \{target\}, the target itself"):
            make_target_task(template="{question} {target} {label}")

    def test_a_template_without_a_place_for_the_target_is_told_which_it_is(self) -> None:
        with pytest.raises(DataError, match=r"exactly one \{label\}, got 0 .*where the label word or the target goes"):
            make_target_task(template="{question}\n{target}")

    @pytest.mark.parametrize("loss", ["hinge", "error-rate"])
    def test_losses_that_compare_label_words_are_refused(self, loss: str) -> None:
        with pytest.raises(SettingError, match=f"loss '{loss}' compares label words, and targets have none"):
            make_target_task(loss=loss)
