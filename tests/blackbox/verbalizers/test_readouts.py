"""Runs whose labels are told by a readout: search, resume, saving and use."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from blackbox import Predictor, SavedPrompt, resume, tune
from blackbox.backends import (
    BlankStates,
    Capability,
    Demonstration,
    FakeBackend,
    Prompt,
    Query,
    Scores,
    TextPrompt,
    Usage,
)
from blackbox.backends.errors import UnsupportedPromptError
from blackbox.environment import data_hash
from blackbox.errors import MismatchError, RunError, SettingError
from blackbox.export import exported
from blackbox.files import read_json
from blackbox.outcome import score_prompts
from blackbox.report.finished import finished_in_words
from blackbox.selection import dev_rank, outdoes
from blackbox.verbalizers.grader import ReadoutGrader
from blackbox.verbalizers.named_readouts import READOUTS
from tests.blackbox.small import QUICK, facts, make_rows, make_target_task, make_task

pytestmark = pytest.mark.usefixtures("without_pictures")
FIRST = make_task().train.queries[:2]


@pytest.fixture(params=READOUTS)
def verbalizer(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def settings(verbalizer: str) -> dict[str, Any]:
    return {**QUICK, "verbalizer": verbalizer}


class Breaking(FakeBackend):
    def __init__(self, at: int) -> None:
        super().__init__()
        self._left = at

    def score(self, prompts: Sequence[Prompt], queries: Sequence[Query]) -> Scores:
        self._called()
        return super().score(prompts, queries)

    def blank_states(self, *args: Any) -> BlankStates:
        self._called()
        return super().blank_states(*args)

    def _called(self) -> None:
        self._left -= 1
        if not self._left:
            raise RuntimeError("the model is gone")


def read(verbalizer: str, prompt: Prompt, queries: Sequence[Query]) -> np.ndarray:
    """What a readout is told of each row, shape (n_rows, width)."""
    if READOUTS[verbalizer].reads is Capability.STATES:
        return FakeBackend().blank_states([prompt], queries).vectors[0]
    return FakeBackend().score([prompt], queries).log_probabilities[0]


def test_a_search_goes_by_a_readout_and_finds_a_better_prompt(settings: dict[str, Any]) -> None:
    result = tune(make_task(), **settings)
    assert result.summary.train_loss is not None
    assert result.summary.train_loss < result.history[0].loss
    rows = make_rows(10, first=200)
    assert result.predictor.evaluate(rows) == result.summary.figure_after
    assert [one.label for one in result.predict(rows)].count("negative") > 2
    assert sum(result.predict(rows)[0].probabilities.values()) == pytest.approx(1)


def test_the_loss_of_a_prompt_is_that_of_its_own_states_and_readout(verbalizer: str) -> None:
    task, backend, prompt = make_task().changed(verbalizer=verbalizer), FakeBackend(), TextPrompt("classify")
    assert isinstance(task.grader, ReadoutGrader)
    train, dev = (read(verbalizer, prompt, split.queries) for split in (task.train, task.dev))
    readout = READOUTS[verbalizer].of(train, task.train.labels, 2)
    [(on_dev, _)] = task.grader.ask(backend, [prompt], task.dev)
    assert np.array_equal(on_dev.log_probabilities, readout.log_probabilities(dev))  # type: ignore[attr-defined]
    expected = readout.of_training_rows(train, task.train.labels, np.arange(8))
    [(on_train, _)] = task.grader.ask(backend, [prompt], task.train)
    assert np.array_equal(on_train.log_probabilities, expected)  # type: ignore[attr-defined]
    for some in (task.train.take([5, 2]), task.train.sample([5, 2])):
        [(on_some, _)] = task.grader.ask(backend, [prompt], some)
        assert np.array_equal(on_some.log_probabilities, expected[[5, 2]])  # type: ignore[attr-defined]


def test_what_is_handed_out_and_the_test_rows_go_by_a_fit_on_the_dev_rows_too(verbalizer: str) -> None:
    task, backend, prompt = make_task().changed(verbalizer=verbalizer), FakeBackend(), TextPrompt("classify")
    assert isinstance(task.grader, ReadoutGrader)
    known = read(verbalizer, prompt, (*task.train.queries, *task.dev.queries))
    readout = READOUTS[verbalizer].of(known, np.concatenate([task.train.labels, task.dev.labels]), 2)
    expected = readout.log_probabilities(read(verbalizer, prompt, task.test.queries))
    [(on_test, _)] = task.grader.ask(backend, [prompt], task.test)
    assert np.array_equal(on_test.log_probabilities, expected)  # type: ignore[attr-defined]
    found = task.grader.readout(backend, prompt)
    assert all(np.array_equal(vars(found)[name], part) for name, part in vars(readout).items())


def test_rows_that_a_prompt_shows_with_their_answers_have_no_part_in_its_fit(verbalizer: str) -> None:
    task, backend = make_task().changed(verbalizer=verbalizer), FakeBackend()
    assert isinstance(task.grader, ReadoutGrader)
    shown = [Demonstration(query.before, query.options[0], query.after, row=row) for row, query in enumerate(FIRST)]
    prompt = TextPrompt("classify", tuple(shown))
    others = [row for row in range(len(task.train)) if row >= len(FIRST)]
    known = read(verbalizer, prompt, task.train.queries)[others]
    readout = READOUTS[verbalizer].of(known, task.train.labels[others], 2)
    [(on_dev, _)] = task.grader.ask(backend, [prompt], task.dev)
    expected = readout.log_probabilities(read(verbalizer, prompt, task.dev.queries))
    assert np.array_equal(on_dev.log_probabilities, expected)  # type: ignore[attr-defined]
    [outcome] = score_prompts(backend, task, [prompt], task.train)
    of_rows = readout.of_training_rows(known, task.train.labels[others], np.arange(len(others)))
    right = of_rows[np.arange(len(others)), task.train.labels[others]]
    assert outcome.loss == pytest.approx(-right.mean())
    every = TextPrompt("classify", tuple(replace(shown[0], row=row) for row in range(len(task.train))))
    [(on_dev, _)] = task.grader.ask(backend, [every], task.dev)
    assert np.isfinite(on_dev.losses).all()


def test_prompts_are_scored_alike_in_any_company(verbalizer: str) -> None:
    task, backend = make_task().changed(verbalizer=verbalizer), FakeBackend()
    prompts = [TextPrompt(text) for text in ("a", "classify", "answer carefully")]
    together = task.grader.ask(backend, prompts, task.dev)
    alone = [task.grader.ask(backend, [prompt], task.dev)[0] for prompt in prompts]
    for (one, _), (other, _) in zip(together, alone, strict=True):
        assert np.array_equal(one.losses, other.losses)


@pytest.mark.parametrize("at", [1, 2, 4, 9])
def test_a_run_that_failed_at_any_call_ends_as_the_unbroken_run(
    at: int, verbalizer: str, settings: dict[str, Any], tmp_path: Path
) -> None:
    whole = tune(make_task(), **settings, folder=tmp_path / "whole")
    with pytest.raises(RuntimeError, match="the model is gone"):
        tune(make_task(), **{**settings, "backend": Breaking(at)}, folder=tmp_path / "run")
    result = resume(tmp_path / "run", backend=FakeBackend())
    assert facts(result.history) == facts(whole.history)
    assert vars(result.summary) | {"seconds": 0} == vars(whole.summary) | {"seconds": 0}
    assert result.saved.finished == whole.saved.finished
    assert (result.saved.readout is None) is (whole.saved.readout is None) is (verbalizer == "calibrated")
    expected = vars(whole.saved.readout) if whole.saved.readout else {}
    assert all(np.array_equal(vars(result.saved.readout)[name], part) for name, part in expected.items())


def test_the_tasks_rows_stay_the_same_to_whom_compares_runs(settings: dict[str, Any], tmp_path: Path) -> None:
    tune(make_task(), **settings, folder=tmp_path / "run")
    assert read_json(tmp_path / "run" / "environment.json")["data_hash"] == data_hash(make_task())


@pytest.mark.parametrize("verbalizer", ["representative", "ridge"], indirect=True)
def test_a_saved_prompt_comes_back_with_its_readout(verbalizer: str, settings: dict[str, Any], tmp_path: Path) -> None:
    result = tune(make_task(), **settings)
    result.saved.save(tmp_path)
    assert read_json(tmp_path / "prompt.json")["format"] == 3
    again = SavedPrompt.load(tmp_path)
    rows = make_rows(6, first=300)
    assert Predictor(FakeBackend(), again).predict(rows) == result.predict(rows)
    assert f"hidden states at the blank: verbalizer {verbalizer!r}" in finished_in_words(again)[0]
    text = SavedPrompt(**{**vars(again), "prompt": TextPrompt("x")})
    text.save(tmp_path)
    assert len(list(tmp_path.glob("prompt-*.safetensors"))) == 1
    with pytest.raises(RunError, match="hidden states"):
        exported(text, "text")
    with pytest.raises(MismatchError):
        text.check(FakeBackend(margin=2.0))


@pytest.mark.parametrize("verbalizer", ["calibrated"], indirect=True)
def test_calibrated_label_words_are_saved_as_the_offsets_of_any_prompt(
    settings: dict[str, Any], tmp_path: Path
) -> None:
    result = tune(make_task(), **settings)
    assert result.saved.readout is None
    assert result.saved.finished.offsets
    result.saved.save(tmp_path)
    again = SavedPrompt.load(tmp_path)
    assert again.finished == result.saved.finished
    assert "calibrated, nats: " in finished_in_words(again)[0]


def test_another_readout_may_be_tried_after_the_search(verbalizer: str) -> None:
    other = "ridge" if verbalizer != "ridge" else "representative"
    result = tune(make_task(), **QUICK, verbalizer=verbalizer, readout=other)
    *looks, tried = [one for one in result.history if one.split == "dev"]
    kept = result.history[-1].tried
    assert (kept is not None) is outdoes(tried, min(looks, key=dev_rank))
    rows = make_task().test.rows
    assert result.predictor.evaluate(rows) == result.summary.figure_after


def test_what_has_no_readout_is_refused(settings: dict[str, Any]) -> None:
    with pytest.raises(SettingError, match="readouts tell labels"):
        tune(make_target_task(), **settings)
    with pytest.raises(SettingError, match="leave ensemble, calibration and templates out"):
        tune(make_task(), **settings, calibration="batch")
    with pytest.raises(SettingError, match="'readout': the search goes by .* already"):
        tune(make_task(), **settings, readout=settings["verbalizer"])
    with pytest.raises(SettingError, match="must be 'given' or one of 'calibrated', 'representative', 'ridge'"):
        make_task(verbalizer="search")


@pytest.mark.parametrize("verbalizer", ["representative", "ridge"], indirect=True)
def test_a_backend_that_shows_no_states_is_named(settings: dict[str, Any]) -> None:
    class Closed(FakeBackend):
        @property
        def capabilities(self) -> Any:
            return super().capabilities - {"hidden states at the blank"}

    with pytest.raises(UnsupportedPromptError, match="no hidden states at the blank; those need 'fake' or 'local'"):
        tune(make_task(), **{**settings, "backend": Closed()})


@pytest.mark.parametrize("setting", ["verbalizer", "readout"])
def test_behind_a_model_whose_calls_cost_money_it_is_refused_before_the_first(setting: str) -> None:
    """What is handed out is fitted at the end, when a limit of calls may be used up."""

    class Metered(FakeBackend):
        spent, record = Usage(), dict[str, object]()

        def close(self) -> None:
            """It has nothing to let go of."""

        def score(self, prompts: Sequence[Prompt], queries: Sequence[Query]) -> Scores:
            raise AssertionError("a call was made")

    with pytest.raises(SettingError, match=f"setting '{setting}': 'calibrated' is fitted once more"):
        tune(make_task(), **{**QUICK, "backend": Metered(), setting: "calibrated"})
