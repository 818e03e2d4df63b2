"""Several templates: what the search goes by, what is averaged after it, what is told of them, and resuming."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from blackbox import Predictor, Result, SavedPrompt, Task, resume, tune
from blackbox.backends import FakeBackend, Prompt, Query, Scores, SoftPrompt, TextPrompt
from blackbox.config import make_config
from blackbox.environment import data_hash
from blackbox.errors import DataError, RunError, SettingError
from blackbox.evaluation import Evaluation
from blackbox.export import exported
from blackbox.files import read_json
from blackbox.finishing.outcome import over_templates
from blackbox.report.finished import finished_in_words
from blackbox.report.finishing import attempts_in_words
from tests.blackbox.small import QUICK, TEMPLATE, facts, make_rows, make_target_task, make_task

pytestmark = pytest.mark.usefixtures("without_pictures")

OTHERS = ["{text} All in all {label}.", "{text} In short: {label}"]
ALL = (TEMPLATE, *OTHERS)
TEXTS: dict[str, Any] = {"space": "texts", "prompts": ["classify", "answer"], "population": 2, "evaluations": 40,
                         "optimizer": "random-search", "seed": 1}  # fmt: skip


class Worded(FakeBackend):
    """In each of the three templates it is sure, and wrong on every third day, another one in each."""

    def __init__(self, breaks_at: int = 0) -> None:
        super().__init__()
        self.calls, self._breaks_at = 0, breaks_at

    def score(self, prompts: Sequence[Prompt], queries: Sequence[Query]) -> Scores:
        self.calls += 1
        if self.calls == self._breaks_at:
            raise RuntimeError("the model is gone")
        scores = super().score(prompts, queries)
        logits = np.zeros_like(scores.log_probabilities)
        for row, query in enumerate(queries):
            place = ["It was", "All in all", "In short"].index(next(w for w in _STARTS if w in query.before))
            day = int("".join(filter(str.isdigit, query.before)))
            logits[:, row, self.right_option(query)] = -1.0 if (day // 2) % 3 == place else 3.0 + place
        return Scores(logits - np.logaddexp.reduce(logits, axis=-1, keepdims=True), scores.usages)


_STARTS = ("It was", "All in all", "In short")


def run(backend: FakeBackend, *, robust: bool = False, **changes: Any) -> Result:
    task = make_task(train=12, dev=12, test=12, templates=OTHERS, robust=robust)
    return tune(task, backend=backend, **{**TEXTS, **changes})


def tried(result: Result, split: str) -> list[Evaluation]:
    return [found for found in result.history if found.tried and found.split == split]


def test_training_rows_take_turns_and_the_others_stand_in_the_first_template() -> None:
    task = make_task(train=6, templates=OTHERS, robust=True)
    ends = [next(word for word in _STARTS if word in query.before) for query in task.train.queries]
    assert ends == ["It was", "All in all", "All in all", "In short", "In short", "It was"]
    assert all("It was" in query.before for split in (task.dev, task.test) for query in split.queries)
    plain = make_task(train=6, templates=OTHERS)
    assert all("It was" in query.before for query in plain.train.queries)


def test_a_prompt_with_a_template_of_its_own_is_asked_in_that_one_and_one_with_words_in_all() -> None:
    train = make_task(train=6, templates=OTHERS, robust=True).train
    own = train.in_form_of(TextPrompt("", template="{text} {label}"))
    assert all(query.before.endswith("was bad. ") or query.before.endswith("was great. ") for query in own.queries)
    words = train.in_form_of(TextPrompt("", label_words=("a", "b")))
    assert [query.before for query in words.queries] == [query.before for query in train.queries]
    assert words.queries[0].options == ("a", "b")


def test_a_task_with_templates_is_written_and_read_and_one_without_is_written_as_before() -> None:
    task = make_task(templates=OTHERS, robust=True)
    again = Task.from_dict(task.to_dict())
    assert again.train.queries == task.train.queries
    assert data_hash(again) == data_hash(task) != data_hash(make_task())
    assert not {"templates", "robust"} & make_task().to_dict().keys()


def test_an_average_over_templates_that_is_better_on_dev_is_handed_out() -> None:
    """In each template two thirds of the rows are right, and where one errs the two others are surer."""
    result = run(Worded())
    [found] = tried(result, "dev")
    assert found.tried
    assert found.tried.templates == ALL
    assert found.tried.of_templates == pytest.approx((2 / 3, 2 / 3, 2 / 3))
    assert found.measured
    assert found.measured.value == 1.0
    assert result.saved.finished.templates == ALL
    assert result.summary.dev == found.measured
    assert result.summary.dev_over_templates == pytest.approx(2 / 3)
    [tested] = tried(result, "test")
    assert result.summary.test_after == tested.measured
    assert result.summary.test_over_templates == pytest.approx(2 / 3)
    rows = make_rows(12, first=200)
    assert [one.label for one in result.predict(rows)] == [row["label"] for row in rows]
    assert result.predictor.evaluate(rows) == tested.figure
    assert "averaged over 3 templates (alone 0.667, 0.667, 0.667)" in attempts_in_words(result.history)[-1].what


def test_an_average_over_templates_costs_a_row_in_each() -> None:
    plain = tune(make_task(train=12, dev=12, test=12), backend=Worded(), **TEXTS)
    result = run(Worded())
    assert result.summary.row_prompt_tokens > 2.9 * (plain.summary.row_prompt_tokens or 0)  # type: ignore[operator]
    assert result.summary.evaluations <= TEXTS["evaluations"]
    assert max(one.number for one in result.history if not one.tried) < min(one.number for one in tried(result, "dev"))


def test_an_average_that_is_no_better_is_told_and_not_kept() -> None:
    result = run(FakeBackend())
    assert not result.saved.finished
    assert over_templates(result.history, "test")
    assert result.summary.test_after == next(f for f in result.history if f.split == "test" and not f.tried).measured
    assert result.summary.test_over_templates is not None


def test_a_robust_search_scores_each_candidate_on_rows_in_all_templates() -> None:
    """Of day n the n-th template of its label is wrong or not: the loss is the mean over rows, each in its own."""
    task = make_task(train=12, dev=12, test=12, templates=OTHERS, robust=True)
    result = tune(task, backend=Worded(), **TEXTS)
    right = []
    for query in task.train.queries:
        [[scores]] = Worded().score([TextPrompt("")], [query]).log_probabilities
        right.append(-scores[FakeBackend().right_option(query)])
    assert result.history[0].loss == pytest.approx(np.mean(right))
    assert len(set(np.round(right, 6))) > 2


@pytest.mark.parametrize("at", [1, 3, 5, 6, 7, 8, 9])
@pytest.mark.parametrize("robust", [True, False])
def test_a_run_that_failed_at_any_call_ends_as_the_unbroken_run(at: int, robust: bool, tmp_path: Path) -> None:
    whole = run(Worded(), robust=robust, calibration="batch", folder=tmp_path / "whole")
    with pytest.raises(RuntimeError):
        run(Worded(breaks_at=at), robust=robust, calibration="batch", folder=tmp_path / "run")
    result = resume(tmp_path / "run", backend=Worded())
    assert facts(result.history) == facts(whole.history)
    assert [one.tried for one in result.history] == [one.tried for one in whole.history]
    assert vars(result.summary) | {"seconds": 0} == vars(whole.summary) | {"seconds": 0}
    assert result.saved.finished == whole.saved.finished


def test_vectors_are_averaged_over_templates_too_and_saved_with_them(tmp_path: Path) -> None:
    soft = SoftPrompt((97,), np.zeros((1, 8), dtype=np.float32))
    soft_run = {**QUICK, "backend": Worded(), "space": "soft", "optimizer": "cma-es", "evaluations": 20}
    result = tune(make_task(train=12, dev=12, test=12, templates=OTHERS), **soft_run)
    assert result.saved.finished.templates == ALL
    saved = SavedPrompt.of(soft, backend=Worded(), task=make_task(), scores={}, finished=result.saved.finished)
    saved.save(tmp_path)
    assert read_json(tmp_path / "prompt.json")["format"] == 3
    again = SavedPrompt.load(tmp_path)
    assert again.finished == saved.finished
    rows = make_rows(12)
    assert [one.label for one in Predictor(Worded(), again).predict(rows)] == [row["label"] for row in rows]
    assert finished_in_words(again)[0] == f"averaged over the template: {TEMPLATE!r}"


def test_an_average_over_templates_is_no_single_text() -> None:
    saved = run(Worded()).saved
    with pytest.raises(RunError, match="an average of 3"):
        exported(saved, "text")
    assert OTHERS[0] in exported(saved, "json")


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"robust": True}, "needs `templates` beside the first one"),
        ({"templates": [TEMPLATE]}, "each template once"),
        ({"templates": [OTHERS[0], OTHERS[0]]}, "each template once"),
        ({"templates": OTHERS[0]}, "must be a list"),
    ],
)
def test_templates_that_make_no_sense_are_refused(settings: dict[str, Any], message: str) -> None:
    with pytest.raises(SettingError, match=message):
        make_task(**settings)


def test_a_template_with_a_field_that_rows_lack_is_refused() -> None:
    with pytest.raises(DataError, match="has no field 'title'"):
        make_task(templates=["{title} {label}"])
    with pytest.raises(DataError, match="fields behind"):
        make_task(templates=["It was {label}: {text}"])


def test_templates_that_could_not_be_used_are_refused_before_anything_is_spent() -> None:
    with pytest.raises(SettingError, match="better on dev, and there is none"):
        tune(make_task(dev=0, templates=OTHERS), backend=Worded(), **TEXTS)
    with pytest.raises(SettingError, match="set robust = true"):
        tune(make_target_task(templates=["{question} {label}"]), backend=FakeBackend(), **TEXTS)
    with pytest.raises(SettingError, match="bring templates of their own"):
        tune(make_task(templates=OTHERS), backend=Worded(), space="choices", evaluations=60)


def test_targets_in_several_templates_are_searched_robustly() -> None:
    task = make_target_task(templates=["{question} Say: {label}"], robust=True)
    assert {query.before.endswith("Say: ") for query in task.train.queries} == {True, False}
    assert not tried(tune(task, **QUICK), "dev")


def test_the_command_line_takes_templates_as_a_json_list() -> None:
    assert make_config({"templates": '["{text} {label}"]'}).templates == ["{text} {label}"]
    with pytest.raises(SettingError, match="must be a JSON list of texts"):
        make_config({"templates": "{text} {label}"})
