import math

import numpy as np
import pytest

from blackbox.backends import Demonstration, Failure, FakeBackend, Prompt, Query, Scores, TextPrompt
from blackbox.outcome import score_prompts
from tests.blackbox.small import make_target_task, make_task

BEST = TextPrompt("classify sentiment carefully answer")


class Forgetful(FakeBackend):
    """Gives no answer for some queries of the first prompt."""

    def __init__(self, *silent: int) -> None:
        super().__init__()
        self._silent = silent

    def score(self, prompts: list[Prompt], queries: list[Query]) -> Scores:  # type: ignore[override]
        scores = super().score(prompts, queries)
        log_probabilities = scores.log_probabilities.copy()
        log_probabilities[0, list(self._silent)] = np.nan
        failures = tuple(Failure(0, query, "no answer") for query in self._silent)
        return Scores(log_probabilities, scores.usages, failures)


def test_each_prompt_has_its_own_outcome() -> None:
    backend, task = FakeBackend(), make_task(train=4)
    best, start = score_prompts(backend, task, [BEST, TextPrompt("")], task.train)
    assert best.loss == pytest.approx(backend.optimum_loss(2))
    assert best.measured is not None
    assert best.measured.value == 1.0
    assert start.loss > best.loss
    assert best.usage.requests == 4


def test_rows_without_an_answer_are_counted_and_left_out_of_loss_and_metric() -> None:
    task = make_task(train=4)
    outcome, other = score_prompts(Forgetful(1, 2), task, [BEST, BEST], task.train)
    assert (outcome.rows, outcome.failed_rows) == (4, 2)
    assert outcome.measured is not None
    assert outcome.measured.rows == 2
    assert outcome.loss == pytest.approx(FakeBackend().optimum_loss(2))
    assert other.failed_rows == 0


def test_targets_have_a_loss_and_no_metric() -> None:
    task = make_target_task(train=4)
    best, silent = (
        score_prompts(FakeBackend(), task, [BEST], task.train)[0],
        score_prompts(Forgetful(0, 1, 2, 3), task, [BEST], task.train)[0],
    )
    assert (best.loss, best.measured, best.rows, best.failed_rows) == (0.0, None, 4, 0)
    assert (silent.loss, silent.measured, silent.failed_rows) == (math.inf, None, 4)


def test_a_prompt_without_any_answer_has_the_loss_inf_and_no_metric() -> None:
    task = make_task(train=2)
    outcome = score_prompts(Forgetful(0, 1), task, [BEST], task.train)[0]
    assert math.isinf(outcome.loss)
    assert outcome.measured is None
    assert outcome.failed_rows == 2


def test_a_training_row_that_a_prompt_shows_is_not_asked_and_is_no_failure() -> None:
    task = make_task(train=4, dev=4)
    shows = TextPrompt(
        "classify", (Demonstration("a", "b", row=1), Demonstration("c", "d", row=3), Demonstration("e", "f"))
    )
    outcome, plain = score_prompts(FakeBackend(), task, [shows, TextPrompt("classify")], task.train)
    assert (outcome.rows, outcome.shown_rows, outcome.failed_rows) == (2, 2, 0)
    assert outcome.usage.requests == 2
    assert outcome.measured is not None
    assert outcome.measured.rows == 2
    assert outcome.row_losses is not None
    assert [loss is None for loss in outcome.row_losses] == [False, True, False, True]
    assert (plain.rows, plain.shown_rows) == (4, 0)
    on_dev = score_prompts(FakeBackend(), task, [shows], task.dev)[0]
    assert (on_dev.rows, on_dev.shown_rows) == (4, 0)


def test_a_prompt_that_shows_all_rows_has_no_loss() -> None:
    task = make_task(train=2)
    shows = TextPrompt("", tuple(Demonstration("a", "b", row=row) for row in range(2)))
    outcome = score_prompts(FakeBackend(), task, [shows], task.train)[0]
    assert (outcome.loss, outcome.rows, outcome.shown_rows, outcome.failed_rows) == (math.inf, 0, 2, 0)


def test_the_losses_of_single_rows_have_the_loss_as_their_mean() -> None:
    task = make_task(train=4)
    outcome = score_prompts(Forgetful(1), task, [TextPrompt("classify")], task.train)[0]
    assert outcome.row_losses is not None
    assert outcome.row_losses[1] is None
    assert outcome.loss == pytest.approx(np.mean([loss for loss in outcome.row_losses if loss is not None]))


def test_a_prompt_is_scored_in_its_own_form() -> None:
    task = make_task(train=4)
    own = TextPrompt("classify", template="{text} So {label}", label_words=("poor", "fine"))
    outcome, plain = score_prompts(FakeBackend(), task, [own, TextPrompt("classify")], task.train)
    queries = task.train.in_form_of(own).queries
    assert outcome.usage == FakeBackend().score([own], queries).usages[0]
    assert outcome.usage != plain.usage
