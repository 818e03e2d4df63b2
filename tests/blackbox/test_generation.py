"""Runs of a task whose targets are written, on FakeBackend, which writes better behind better prompts."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from blackbox import Result, SavedPrompt, Task, resume, tune
from blackbox.backends import (
    Capability,
    FakeBackend,
    Generations,
    Prompt,
    Query,
    TextPrompt,
    UnsupportedPromptError,
    Writing,
)
from blackbox.errors import RunError, SettingError
from blackbox.outcome import score_prompts
from tests.blackbox.runs import outcome
from tests.blackbox.small import QUICK, facts, make_target_rows, make_target_task

pytestmark = pytest.mark.usefixtures("without_pictures")
SETTINGS: dict[str, Any] = {**QUICK, "evaluations": 120}
BEST = TextPrompt("classify sentiment carefully answer")
TEXTS = ["", "classify", "classify sentiment", "classify sentiment carefully", BEST.text]


def make_task(**settings: Any) -> Task:
    return make_target_task(**{"train": 30, "metric": "exact-match", "answer_tokens": 40, **settings})


@pytest.fixture(scope="module")
def result() -> Result:
    return tune(make_task(), **SETTINGS)


def test_a_search_finds_a_prompt_behind_which_the_model_writes_the_targets(result: Result) -> None:
    summary = result.summary
    assert summary.train_loss is not None
    assert summary.train_loss < result.history[0].loss
    assert summary.test_before is not None
    assert summary.test_after is not None
    assert summary.test_after.metric == "exact-match"
    assert summary.test_after.value > summary.test_before.value


def test_the_loss_is_what_the_metric_lacks_to_one(result: Result) -> None:
    for found in result.history:
        assert found.measured is not None
        assert found.loss == pytest.approx(1 - found.measured.value)


def test_its_prompt_writes_and_is_evaluated_by_the_same_metric(result: Result) -> None:
    rows = make_target_rows(10, first=200)
    figure = result.predictor.evaluate(rows)
    assert figure == result.summary.test_after
    assert all(prediction.text is not None for prediction in result.predict(rows))


def test_the_best_of_given_texts_wins_a_race_of_written_answers() -> None:
    found = tune(make_task(train=60), backend="fake", space="texts", prompts=TEXTS, evaluations=40)
    assert found.prompt == BEST
    assert found.summary.saved > 0


def test_a_run_that_was_cut_off_ends_as_the_unbroken_run(tmp_path: Path) -> None:
    whole = tune(make_task(), **SETTINGS, folder=tmp_path / "run")
    before = outcome(tmp_path / "run")
    journal = tmp_path / "run" / "evaluations.jsonl"
    journal.write_bytes(journal.read_bytes()[:5000])
    (tmp_path / "run" / "checkpoint.json").unlink()
    assert facts(resume(tmp_path / "run").history) == facts(whole.history)
    assert outcome(tmp_path / "run") == before


def test_lists_of_targets_come_back_from_json_values() -> None:
    rows = [{"question": f"{n}?", "target": [str(n), f"number {n}"]} for n in range(4)]
    task = Task(rows, template="{question} {label}", target_field="target", metric="exact-match")
    again = Task.from_dict(json.loads(json.dumps(task.to_dict())))
    assert again.train.accepted == task.train.accepted == tuple((str(n), f"number {n}") for n in range(4))
    assert again.train.queries == task.train.queries
    assert again.to_dict() == task.to_dict()


def test_the_likelihood_of_a_list_is_that_of_its_first_target() -> None:
    task = Task([{"question": "1?", "target": ["one", "1"]}], template="{question} {label}", target_field="target")
    assert task.train.queries[0].options == ("one",)


class Forgetful(FakeBackend):
    """Gives no answer to the first row."""

    def generate(  # type: ignore[override]
        self, prompts: Sequence[Prompt], queries: Sequence[Query], writing: Writing
    ) -> Generations:
        made = super().generate(prompts, queries, writing)
        return Generations(tuple((None, *line[1:]) for line in made.written), made.usages)


def test_a_row_without_an_answer_is_missing_and_not_wrong() -> None:
    task = make_task(train=5)
    outcome = score_prompts(Forgetful(), task, [BEST], task.train)[0]
    assert (outcome.loss, outcome.rows, outcome.failed_rows) == (0.0, 5, 1)
    assert outcome.measured is not None
    assert (outcome.measured.value, outcome.measured.rows) == (1.0, 4)
    assert outcome.row_losses == (None, 0.0, 0.0, 0.0, 0.0)


def test_a_text_that_was_cut_is_compared_as_it_stands() -> None:
    task = make_task(train=5, answer_tokens=3)
    assert score_prompts(FakeBackend(), task, [BEST], task.train)[0].loss == 1.0


def test_a_backend_that_does_not_write_is_refused_before_anything_is_spent() -> None:
    class Mute(FakeBackend):
        capabilities = FakeBackend().capabilities - {Capability.GENERATE}

    with pytest.raises(UnsupportedPromptError, match="has no text that the model writes"):
        tune(make_task(), **{**SETTINGS, "backend": Mute()})


def ends_alike(text: str, targets: Sequence[str]) -> float:
    """A metric of the user's."""
    return float(any(text[-3:] == target[-3:] for target in targets))


def test_a_run_with_a_function_as_metric_is_resumed_with_it_only(tmp_path: Path) -> None:
    task = make_task(metric=ends_alike)
    whole = tune(task, **SETTINGS, folder=tmp_path / "run")
    assert whole.summary.dev is not None
    assert whole.summary.dev.metric == "ends_alike"
    assert whole.predictor.evaluate(make_target_rows(3)) is not None
    journal = tmp_path / "run" / "evaluations.jsonl"
    journal.write_bytes(journal.read_bytes()[:5000])
    (tmp_path / "run" / "checkpoint.json").unlink()
    with pytest.raises(RunError, match="was started with a metric object; give it to resume"):
        resume(tmp_path / "run")
    assert facts(resume(tmp_path / "run", metric=ends_alike).history) == facts(whole.history)


def test_how_much_is_written_belongs_to_the_task() -> None:
    with pytest.raises(SettingError, match="setting 'answer_tokens' belongs to the task"):
        tune(make_task(), **SETTINGS, answer_tokens=9)


def test_a_saved_prompt_knows_how_it_is_judged(tmp_path: Path) -> None:
    own = TextPrompt("x", template="Q: {question} A: {label}")
    SavedPrompt.of(own, backend=FakeBackend(), task=make_task(), scores={}).save(tmp_path)
    loaded = SavedPrompt.load(tmp_path)
    assert (loaded.metric, loaded.answer_tokens, loaded.prompt) == ("exact-match", 40, own)


def test_a_search_by_likelihood_is_judged_by_what_the_model_writes(tmp_path: Path) -> None:
    task = make_task(loss="cross-entropy")
    result = tune(task, **SETTINGS, folder=tmp_path / "run")
    summary, history = result.summary, result.history
    assert summary.test_before is not None
    assert summary.test_after is not None
    assert summary.test_loss_before is not None
    assert summary.test_loss_after is not None
    assert summary.test_after.metric == "exact-match"
    assert summary.test_after.value > summary.test_before.value
    assert summary.test_loss_after < summary.test_loss_before
    assert {one.measured is None for one in history if one.split == "train"} == {True}
    looks = [one for one in history if one.split == "dev"]
    assert summary.dev is not None
    assert summary.dev.value == max(one.measured.value for one in looks if one.measured)
    by_likelihood = tune(make_target_task(train=30), **SETTINGS).history
    assert [one.loss for one in history if one.split == "train"][:20] == [
        one.loss for one in by_likelihood if one.split == "train"
    ][:20]
    assert result.predictor.evaluate(make_target_rows(10, first=200)) == summary.test_after
    assert resume(tmp_path / "run").summary == summary


def test_a_search_by_likelihood_that_was_cut_off_ends_as_the_unbroken_run(tmp_path: Path) -> None:
    whole = tune(make_task(loss="cross-entropy"), **SETTINGS, folder=tmp_path / "run")
    before = outcome(tmp_path / "run")
    journal = tmp_path / "run" / "evaluations.jsonl"
    journal.write_bytes(journal.read_bytes()[:5000])
    (tmp_path / "run" / "checkpoint.json").unlink()
    assert facts(resume(tmp_path / "run").history) == facts(whole.history)
    assert outcome(tmp_path / "run") == before


def test_texts_race_by_the_likelihood_of_the_targets() -> None:
    task = make_task(train=60, loss="cross-entropy")
    found = tune(task, backend="fake", space="texts", prompts=TEXTS, evaluations=40)
    assert found.prompt == BEST
    assert found.summary.saved > 0
    assert found.summary.dev is not None


def test_a_search_by_likelihood_with_a_metric_needs_a_model_that_does_both() -> None:
    class Mute(FakeBackend):
        name = "mute"
        capabilities = FakeBackend().capabilities - {Capability.GENERATE}

    class Chat(FakeBackend):
        name = "chat"
        capabilities = FakeBackend().capabilities - {Capability.TARGETS}

    for backend, lacks in ((Mute(), "text that the model writes"), (Chat(), "likelihoods of whole targets")):
        with pytest.raises(UnsupportedPromptError, match=f"'{backend.name}' has no {lacks}"):
            tune(make_task(loss="cross-entropy"), **{**SETTINGS, "backend": backend})


def test_a_share_to_be_reached_needs_dev_rows_where_nothing_is_written_to_training_rows() -> None:
    with pytest.raises(SettingError, match="setting 'target': needs dev rows"):
        tune(make_task(loss="cross-entropy", dev=0), **SETTINGS, target=0.5)
    reached = tune(make_task(loss="cross-entropy"), **SETTINGS, target=0.01)
    assert reached.summary.stop_reason == "target"
