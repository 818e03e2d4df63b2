"""Class weights against scikit-learn's, and what they do to a task, a race and a run."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from blackbox import Task, resume, tune
from blackbox.backends import FakeBackend, TextPrompt
from blackbox.class_weights import class_weights
from blackbox.config import make_config
from blackbox.errors import SettingError
from blackbox.losses import CrossEntropy, Weighted
from blackbox.objective import Objective
from blackbox.outcome import score_prompts
from blackbox.racing_objective import RacingObjective
from blackbox.spaces import TextsSpace
from tests.blackbox.small import QUICK, TEMPLATE, WORDS, facts, make_target_task, make_task

RARE = {"negative": 3, "positive": 9}


def uneven_task(**settings: object) -> Task:
    """Three negative training rows and nine positive ones, of which no prompt is sure."""
    rows = [
        {"text": f"Day {number} of {label} things.", "label": label}
        for label, count in RARE.items()
        for number in range(count)
    ]
    return Task(rows, template=TEMPLATE, label_words=WORDS, dev=rows[::2], **settings)  # type: ignore[arg-type]


def test_balanced_weights_are_those_of_scikit_learn() -> None:
    sklearn = pytest.importorskip("sklearn.utils.class_weight")
    labels = [0] * 3 + [1] * 9 + [2]
    expected = sklearn.compute_class_weight("balanced", classes=np.arange(3), y=labels)
    assert class_weights("balanced", ("a", "b", "c"), (3, 9, 1)) == pytest.approx(expected)


@pytest.mark.parametrize("given", ["balanced", {"negative": 2, "positive": 0.5}])
def test_the_weights_of_the_training_rows_have_the_mean_one(given: str | dict[str, float]) -> None:
    weights = class_weights(given, tuple(RARE), tuple(RARE.values()))
    assert np.average(weights, weights=list(RARE.values())) == pytest.approx(1)


def test_given_weights_keep_their_ratio() -> None:
    light, heavy = class_weights({"negative": 5, "positive": 1}, tuple(RARE), tuple(RARE.values()))
    assert light / heavy == pytest.approx(5)


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ("even", "class_weights must be 'balanced' or map labels to weights, got 'even'"),
        ({"negative": 1}, "class_weights has no weight for label 'positive'"),
        ({"negative": 1, "positive": 0}, "the class weight of 'positive' must be positive and finite, got 0"),
        ({"negative": 1, "positive": "x"}, "the class weight of 'positive' must be positive and finite, got 'x'"),
        ({"negative": 1, "positive": 1, "odd": 1}, "class_weights has label 'odd', which is not in label_words"),
    ],
)
def test_weights_that_cannot_be_are_refused(given: Any, message: str) -> None:
    with pytest.raises(SettingError, match=message):
        make_task(class_weights=given)


def test_weights_of_targets_are_refused() -> None:
    with pytest.raises(SettingError, match="class_weights are of labels, and the rows have targets or numbers"):
        make_target_task(class_weights="balanced")


def test_the_mean_is_weighted_and_leaves_rows_without_an_answer_out() -> None:
    log_probabilities = np.log([[[0.5, 0.5], [0.2, 0.8], [np.nan, np.nan]]])
    loss = Weighted(CrossEntropy(), (3.0, 1.0))
    expected = np.average([-np.log(0.5), -np.log(0.8)], weights=[3, 1])
    assert loss(log_probabilities, np.array([0, 1, 0])) == pytest.approx([expected])
    assert np.isinf(loss(np.full((1, 2, 2), np.nan), np.array([0, 1]))).all()


def test_a_balanced_loss_is_the_mean_of_the_labels_own_means() -> None:
    plain, balanced = uneven_task(), uneven_task(class_weights="balanced")
    backend, prompt = FakeBackend(), TextPrompt("classify")
    [of_rows] = score_prompts(backend, plain, [prompt], plain.train)
    assert of_rows.row_losses is not None
    losses = np.array(of_rows.row_losses, dtype=float)
    means = [losses[plain.train.labels == label].mean() for label in (0, 1)]
    [outcome] = score_prompts(backend, balanced, [prompt], balanced.train)
    assert outcome.loss == pytest.approx(np.mean(means))
    assert outcome.loss != pytest.approx(of_rows.loss)


def test_a_race_goes_by_the_weighted_rows() -> None:
    task = uneven_task(class_weights="balanced")
    space = TextsSpace([TextPrompt("classify"), TextPrompt("classify sentiment"), TextPrompt("nothing")])
    candidates = np.arange(3.0)[:, None]
    backend = FakeBackend()
    whole = Objective(task, backend, space)(candidates, task.train)
    raced = RacingObjective(task, backend, space, seed=3)(candidates, task.train)
    assert np.argsort([one.loss for one in raced]).tolist() == np.argsort([one.loss for one in whole]).tolist()
    for one, other in zip(raced, whole, strict=True):
        met = [place for place, loss in enumerate(one.row_losses or ()) if loss is not None]
        assert [(one.row_losses or ())[place] for place in met] == [(other.row_losses or ())[place] for place in met]


def test_a_run_with_weights_is_resumed_as_it_was(tmp_path: Path) -> None:
    task = uneven_task(class_weights={"negative": 4, "positive": 1})
    whole = tune(task, folder=tmp_path / "run", **QUICK)
    again = resume(tmp_path / "run")
    assert facts(again.history) == facts(whole.history)
    restored = Task.from_dict(task.to_dict())
    assert restored.to_dict() == task.to_dict()
    [of_restored] = score_prompts(FakeBackend(), restored, [TextPrompt("classify")], restored.train)
    [of_task] = score_prompts(FakeBackend(), task, [TextPrompt("classify")], task.train)
    assert of_restored.row_losses == of_task.row_losses


def test_a_task_without_weights_has_none_in_what_is_kept() -> None:
    assert "class_weights" not in make_task().to_dict()


@pytest.mark.parametrize(
    ("given", "read"),
    [("balanced", "balanced"), ("negative=1,positive=3", {"negative": 1.0, "positive": 3.0}), ({0: 2}, {"0": 2.0})],
)
def test_settings_take_a_word_pairs_or_a_table(given: object, read: object) -> None:
    assert make_config({"class_weights": given}).class_weights == read


@pytest.mark.parametrize("given", ["even", "negative=-1", 3])
def test_settings_refuse_other_weights(given: object) -> None:
    with pytest.raises(SettingError, match="class_weights"):
        make_config({"class_weights": given})
