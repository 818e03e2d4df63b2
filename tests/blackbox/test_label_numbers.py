"""Rows with numbers: the expected value of label words that stand for some of them."""

from pathlib import Path

import numpy as np
import pytest

from blackbox import Task, resume, tune
from blackbox.backends import FakeBackend, TextPrompt
from blackbox.data import sample_shots
from blackbox.errors import DataError, SettingError
from blackbox.label_numbers import LabelNumbers, expected
from blackbox.losses import make_loss
from blackbox.number_metrics import pearson
from blackbox.number_scores import NumberScores, SquaredError
from blackbox.prediction import Predictor
from blackbox.saved_prompt import SavedPrompt
from tests.blackbox.small import QUICK, TEMPLATE, facts

STARS = {"1": "bad", "3": "okay", "5": "great"}
BLANK = LabelNumbers(STARS, "stars")


def rows(count: int, *, first: int = 0) -> list[dict[str, object]]:
    """Rows whose number is at most half away from that of the word in their text."""
    labels = list(STARS)
    return [
        {
            "text": f"Day {number} was {STARS[labels[number % 3]]}.",
            "stars": float(labels[number % 3]) + (number % 2 - 0.5) * 0.5,
        }
        for number in range(first, first + count)
    ]


def make_task(**settings: object) -> Task:
    given = {"template": TEMPLATE, "label_words": STARS, "number_field": "stars", "test": rows(9, first=200)}
    return Task(rows(12), dev=rows(9, first=100), **{**given, **settings})  # type: ignore[arg-type]


def test_the_expected_number_weighs_the_labels_by_their_probabilities() -> None:
    found = expected(np.log([[0.2, 0.3, 0.5], [0.5, 0.25, 0.25]]), BLANK.values)
    assert found == pytest.approx([0.2 + 0.9 + 2.5, 2.5])


def test_an_answer_that_is_no_label_word_is_in_the_middle() -> None:
    nothing = np.log(np.full((1, 3), 1e-12))
    assert expected(nothing, BLANK.values) == pytest.approx([3.0])


def test_the_loss_is_the_squared_error_of_the_expected_number() -> None:
    scores = NumberScores(
        np.log([[0.2, 0.3, 0.5], [np.nan] * 3, [0.25, 0.5, 0.25]]),
        np.array([2, 0, 1]),
        SquaredError(BLANK.values),
        None,
        np.array([4.5, 1.0, 2.0]),
        BLANK.values,
        pearson,
    )
    assert scores.losses == pytest.approx([(3.6 - 4.5) ** 2, np.nan, 1.0], nan_ok=True)
    assert scores.scores == pytest.approx([-0.9, np.nan, -1.0], nan_ok=True)
    assert scores.mean_loss == pytest.approx((0.81 + 1) / 2)
    assert (scores.measured() or scores).rows == 2  # type: ignore[union-attr]
    again = scores.take([0]).joined(scores.take([1, 2]))
    assert np.array_equal(again.losses, scores.losses, equal_nan=True)


def test_the_squared_error_of_labels_is_that_of_their_numbers() -> None:
    found = SquaredError(BLANK.values)(np.log([[[0.5, 0.25, 0.25]]]), np.array([1]))
    assert found == pytest.approx([(0.5 + 0.75 + 1.25 - 3) ** 2])


def test_a_row_stands_with_the_nearest_label_the_lower_of_two() -> None:
    found = BLANK.right_options([{"stars": value} for value in (1.4, "2.0", 4, 4.1, 99)], where="train")
    assert found.tolist() == [0, 0, 1, 2, 2]


def test_ranked_probability_takes_the_nearest_label() -> None:
    task = make_task(loss="ranked-probability")
    [(answers, _)] = task.grader.ask(FakeBackend(), [TextPrompt("classify")], task.train)
    scores = answers.log_probabilities  # type: ignore[attr-defined]
    expected_losses = make_loss("ranked-probability").of_rows(scores[None], task.train.labels)[0]
    assert answers.losses == pytest.approx(expected_losses)


@pytest.mark.parametrize("value", [None, "many", float("nan"), True, [1]])
def test_a_row_without_a_number_is_refused_by_its_place(value: object) -> None:
    bad = [*rows(2), {"text": "a", "stars": value}]
    with pytest.raises(DataError, match="dev row 3 must have a finite number in its field 'stars', got"):
        Task(rows(6), dev=bad, template=TEMPLATE, label_words=STARS, number_field="stars")


@pytest.mark.parametrize(
    ("settings", "error", "message"),
    [
        ({"label_words": {"low": "bad", "5": "great"}}, DataError, "labels must be numbers .* got 'low'"),
        ({"label_words": {"5": "bad", "5.0": "great"}}, DataError, "must be different numbers, got 5, 5.0"),
        ({"label_words": None}, DataError, "a number_field needs label_words"),
        ({"metric": "accuracy"}, SettingError, "unknown metric of numbers 'accuracy'"),
        ({"class_weights": "balanced"}, SettingError, "class_weights are of labels"),
    ],
)
def test_what_has_no_meaning_is_refused(settings: dict[str, object], error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        make_task(**settings)


def test_the_squared_error_needs_numbers() -> None:
    with pytest.raises(SettingError, match="loss 'squared-error' is of numbers: name the field that holds them"):
        Task(rows(6), template=TEMPLATE, label_words=STARS, label_field="text", loss="squared-error")


def test_a_goal_above_one_is_for_errors_only() -> None:
    make_task().grader.check_goal(2.5)
    with pytest.raises(SettingError, match="must be at most 1"):
        make_task(metric="spearman").grader.check_goal(2.5)


@pytest.mark.parametrize("metric", ["mae", "pearson"])
def test_a_run_finds_a_prompt_whose_numbers_are_nearer_and_is_resumed(metric: str, tmp_path: Path) -> None:
    task = make_task(metric=metric)
    result = tune(task, folder=tmp_path / "run", **QUICK)
    summary = result.summary
    assert summary.test_before is not None
    assert summary.test_after is not None
    assert summary.test_after.metric == metric
    assert summary.test_after.rank < summary.test_before.rank
    assert facts(resume(tmp_path / "run").history) == facts(result.history)
    assert Task.from_dict(task.to_dict()).to_dict() == task.to_dict()
    assert (tmp_path / "run" / "report.html").exists()


def test_a_saved_prompt_predicts_numbers(tmp_path: Path) -> None:
    task, backend = make_task(), FakeBackend()
    saved = SavedPrompt.of(TextPrompt("classify sentiment carefully answer"), backend=backend, task=task, scores={})
    saved.save(tmp_path)
    predictor = Predictor(backend, SavedPrompt.load(tmp_path))
    [low, high] = predictor.predict([{"text": "It was bad."}, {"text": "It was great."}])
    assert low.answer == low.number == pytest.approx(sum(float(key) * p for key, p in low.probabilities.items()))
    assert low.number is not None
    assert high.number is not None
    assert low.number < 2
    assert high.number > 4
    figure = predictor.evaluate(rows(9))
    assert figure is not None
    assert figure.metric == "mae"


def test_shots_are_any_rows() -> None:
    samples = sample_shots(rows(30), shots=9, seed=1, label_field=BLANK.sampled_by)
    assert [len(sample) for sample in samples] == [9, 9]
