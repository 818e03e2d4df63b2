"""A readout that is tried after the search: kept where it is better, saved, resumed, counted."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from blackbox import Predictor, SavedPrompt, prune, resume, tune
from blackbox.backends import BlankStates, FakeBackend, Prompt, Query, Scores
from blackbox.backends.errors import UnsupportedPromptError
from blackbox.errors import SettingError
from blackbox.report.finishing import attempts_in_words
from blackbox.verbalizers.ridge import Ridge
from tests.blackbox.small import QUICK, facts, make_rows, make_target_task, make_task

pytestmark = pytest.mark.usefixtures("without_pictures")

READ: dict[str, Any] = {**QUICK, "readout": "ridge"}


class Mute(FakeBackend):
    """Its label words tell nothing, its hidden states do."""

    def __init__(self, breaks_at: int = 0) -> None:
        super().__init__()
        self.calls, self._breaks_at = 0, breaks_at

    def score(self, prompts: Sequence[Prompt], queries: Sequence[Query]) -> Scores:
        self._called()
        scores = super().score(prompts, queries)
        return Scores(np.full_like(scores.log_probabilities, -np.log(2)), scores.usages)

    def blank_states(self, *args: Any) -> BlankStates:
        self._called()
        return super().blank_states(*args)

    def _called(self) -> None:
        self.calls += 1
        if self.calls == self._breaks_at:
            raise RuntimeError("the model is gone")


class Sure(FakeBackend):
    """Its label words are always right, its hidden states tell nothing."""

    def score(self, prompts: Sequence[Prompt], queries: Sequence[Query]) -> Scores:
        scores = super().score(prompts, queries)
        logits = np.zeros_like(scores.log_probabilities)
        for row, query in enumerate(queries):
            logits[:, row, self.right_option(query)] = 3.0
        return Scores(logits - np.logaddexp.reduce(logits, axis=-1, keepdims=True), scores.usages)

    def blank_states(self, *args: Any) -> BlankStates:
        states = super().blank_states(*args)
        return BlankStates(np.ones_like(states.vectors), states.usages)


def test_it_is_kept_where_it_is_better_than_the_label_words(tmp_path: Path) -> None:
    task = make_task()
    result = tune(task, **{**READ, "backend": Mute()})
    assert isinstance(result.saved.readout, Ridge)
    assert result.summary.figure_after
    assert result.summary.figure_after.value > 0.5
    assert result.predictor.evaluate(task.test.rows) == result.summary.figure_after
    assert [(one.what, one.kept) for one in attempts_in_words(result.history)] == [
        ("the selected prompt", False),
        ("the selected prompt with a ridge readout", True),
    ]
    result.saved.save(tmp_path)
    rows = make_rows(6, first=300)
    assert Predictor(Mute(), SavedPrompt.load(tmp_path)).predict(rows) == result.predict(rows)


def test_it_is_not_kept_where_the_label_words_are_better() -> None:
    result = tune(make_task(), **{**READ, "backend": Sure()})
    assert result.saved.readout is None
    assert [one.kept for one in attempts_in_words(result.history)] == [True, False]


def test_it_counts_the_dev_rows_and_the_training_rows_that_it_is_fitted_on() -> None:
    plain, read = (tune(make_task(), **{**QUICK, **more}) for more in ({}, {"readout": "ridge"}))
    last = next(one for one in read.history if one.tried)
    train, dev = len(make_task().train), len(make_task().dev)
    assert (last.split, last.rows, last.usage.requests) == ("dev", dev, train + dev)
    assert read.summary.evaluations <= QUICK["evaluations"]
    assert plain.summary.row_prompt_tokens == read.summary.row_prompt_tokens


@pytest.mark.parametrize("from_the_end", [1, 2, 3])
def test_a_run_that_failed_at_any_call_ends_as_the_unbroken_run(from_the_end: int, tmp_path: Path) -> None:
    backend = Mute()
    whole = tune(make_task(), **{**READ, "backend": backend}, folder=tmp_path / "whole")
    with pytest.raises(RuntimeError, match="the model is gone"):
        tune(make_task(), **{**READ, "backend": Mute(backend.calls + 1 - from_the_end)}, folder=tmp_path / "run")
    result = resume(tmp_path / "run", backend=Mute())
    assert facts(result.history) == facts(whole.history)
    found, expected = vars(result.saved.readout), vars(whole.saved.readout)
    assert all(np.array_equal(found[name], part) for name, part in expected.items())


def test_what_it_told_is_pruned_by_it(tmp_path: Path) -> None:
    tune(make_task(), **{**READ, "prompt": "classify it", "backend": Mute()}, folder=tmp_path / "run")
    found = prune(tmp_path / "run", backend=Mute())
    assert isinstance(found.saved.readout, Ridge)


def test_what_has_no_readout_is_refused_before_anything_is_spent() -> None:
    with pytest.raises(SettingError, match="readouts tell labels"):
        tune(make_target_task(), **READ)
    with pytest.raises(SettingError, match="better on dev rows, and there are none"):
        tune(make_task(dev=0), **READ)

    class Closed(FakeBackend):
        @property
        def capabilities(self) -> Any:
            return super().capabilities - {"hidden states at the blank"}

        def score(self, *args: Any) -> Scores:
            raise AssertionError("it was asked")

    with pytest.raises(UnsupportedPromptError, match="no hidden states at the blank"):
        tune(make_task(), **{**READ, "backend": Closed()})
