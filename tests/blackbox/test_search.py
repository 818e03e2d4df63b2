import json
import logging
import time
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

from blackbox.backends import FakeBackend, Prompt, Query, Scores, TextPrompt
from blackbox.backends.prompts import vectors_of
from blackbox.config import make_config
from blackbox.errors import SettingError
from blackbox.journal import Journal
from blackbox.parts import make_parts
from blackbox.run import make_search
from blackbox.search import Search
from blackbox.stop_rules import StopRules
from blackbox.tune import tune
from tests.blackbox.small import QUICK, facts, make_task


class Moody(FakeBackend):
    """Has no answer for every second prompt of a call, or for any."""

    def __init__(self, *, always: bool = False) -> None:
        super().__init__()
        self._step = 1 if always else 2

    def score(self, prompts: Sequence[Prompt], queries: Sequence[Query]) -> Scores:
        scores = super().score(prompts, queries)
        log_probabilities = scores.log_probabilities.copy()
        log_probabilities[self._step - 1 :: self._step] = np.nan
        return Scores(log_probabilities, scores.usages)


def make(journal: Journal) -> Search:
    return make_search(make_parts(make_config(QUICK), make_task()), journal)


def test_a_state_goes_on_as_the_search_that_it_was_taken_from() -> None:
    journal, states = Journal(), []
    parts = make_parts(make_config(QUICK), make_task())
    first = make_search(parts, journal)
    first._save = lambda search: states.append(json.dumps(search.state_dict()))
    first.run()
    for state in states[::4]:
        second = make(journal)
        second.load_state_dict(json.loads(state))
        assert second.run() == "evaluations"
        assert facts(second.history) == facts(first.history)


def test_a_state_that_is_ahead_of_its_journal_is_passed_over_with_a_warning(caplog: pytest.LogCaptureFixture) -> None:
    journal = Journal()
    whole = make(journal)
    whole.run()
    shorter = Journal()
    shorter.append(journal.evaluations[:9])
    search = make(shorter)
    with caplog.at_level(logging.WARNING):
        search.load_state_dict(json.loads(json.dumps(whole.state_dict())))
    assert "the journal ends before the checkpoint" in caplog.text
    search.run()
    assert facts(search.history) == facts(whole.history)


def test_the_history_is_what_this_search_has_come_to_not_all_that_the_journal_holds() -> None:
    journal = Journal()
    make(journal).run()
    assert make(journal).history == ()


def test_candidates_without_an_answer_rank_last_and_the_search_goes_on() -> None:
    result = tune(make_task(), **{**QUICK, "backend": Moody(), "evaluations": 200})
    failed = [found for found in result.history if np.isinf(found.loss)]
    assert failed
    assert all(found.measured is None and found.failed_rows == 8 for found in failed)
    assert result.summary.train_loss is not None
    assert result.summary.train_loss < result.history[0].loss


def test_a_model_that_never_answers_leaves_figures_empty_and_json_valid(tmp_path: Path) -> None:
    result = tune(make_task(), **{**QUICK, "backend": Moody(always=True), "folder": tmp_path / "run"})
    assert (result.summary.train_loss, result.summary.dev, result.summary.test_after) == (None, None, None)

    def refuse(constant: str) -> None:
        raise AssertionError(f"{constant} is no JSON")

    for name in ("summary.json", "prompt/prompt.json"):
        json.loads((tmp_path / "run" / name).read_text(), parse_constant=refuse)


@pytest.mark.parametrize(
    ("rules", "message"),
    [
        ({"target": 0.0}, "target must be positive and finite, got 0.0"),
        ({"target": float("nan")}, "target must be positive"),
        ({"target": float("inf")}, "target must be positive"),
        ({"patience": 0}, "patience must be at least 1, got 0"),
        ({"slice_size": 0}, "slice_size must be at least 1, got 0"),
    ],
)
def test_rules_out_of_their_range_are_refused(rules: dict[str, float], message: str) -> None:
    with pytest.raises(SettingError, match=message):
        StopRules(**rules)  # type: ignore[arg-type]


class Evasive(FakeBackend):
    """Answers one row only, and that one right, where a prompt's vectors are large."""

    def score(self, prompts: Sequence[Prompt], queries: Sequence[Query]) -> Scores:
        scores = super().score(prompts, queries)
        log_probabilities = scores.log_probabilities.copy()
        for number, prompt in enumerate(prompts):
            if not isinstance(prompt, TextPrompt) and max(abs(v).max() for v in vectors_of(prompt).values()) > 1:
                log_probabilities[number, 1:] = np.nan
                log_probabilities[number, 0] = np.log(1e-9)
                log_probabilities[number, 0, self.right_option(queries[0])] = 0.0
        return Scores(log_probabilities, scores.usages)


def test_a_prompt_is_not_selected_for_the_rows_that_it_leaves_unanswered() -> None:
    result = tune(make_task(), **{**QUICK, "backend": Evasive(), "evaluations": 200, "alpha": 2.0})
    assert any(found.failed_rows for found in result.history if found.split == "train")
    assert result.summary.dev is not None
    assert result.summary.dev.rows == 8
    assert result.summary.train_loss == min(e.loss for e in result.history if e.split == "train" and not e.failed_rows)


class Slow(FakeBackend):
    """Takes 5 ms a prompt."""

    def score(self, prompts: Sequence[Prompt], queries: Sequence[Query]) -> Scores:
        time.sleep(0.005 * len(prompts))
        return super().score(prompts, queries)


def test_a_search_that_ran_out_of_time_ends_the_same_way_when_it_is_replayed() -> None:
    journal = Journal()

    def search() -> Search:
        config = make_config({**QUICK, "evaluations": 10_000, "seconds": 0.6})
        return make_search(make_parts(config, make_task(), backend=Slow()), journal)

    first = search()
    assert first.run() == "seconds"
    second = search()
    assert second.run() == "seconds"
    assert facts(second.history) == facts(first.history)
    assert len(journal) == len(first.history)
