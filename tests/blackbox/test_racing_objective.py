import math
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import pytest

from blackbox import tune
from blackbox.backends import Demonstration, FakeBackend, Prompt, Query, Scores, TextPrompt, Usage
from blackbox.backends.errors import SpentError
from blackbox.objective import Objective
from blackbox.outcome import Outcome
from blackbox.racing import RaceResult, RaceRules
from blackbox.racing_objective import RacingObjective, ranked
from blackbox.spaces import TextsSpace
from blackbox.task import Task
from tests.blackbox.small import make_task

TEXTS = ("", "classify", "classify sentiment", "classify sentiment carefully", "classify sentiment carefully answer")
ALL = np.arange(5.0)[:, None]
RULES = RaceRules(first_rows=10, block_rows=5)


class Texts:
    """A space of one choice, the place of a text."""

    dimension, blocks, sizes = 1, (1,), (len(TEXTS),)

    def decode(self, candidates: npt.NDArray[np.float64]) -> list[Prompt]:
        return [TextPrompt(TEXTS[int(place)]) for place in candidates[:, 0]]


class Limited(FakeBackend):
    """Scores until so many rows are paid for; what was paid for once is free."""

    def __init__(self, limit: float = math.inf) -> None:
        super().__init__()
        self.limit, self.paid = limit, set[tuple[Prompt, Query]]()

    def score(self, prompts: Sequence[Prompt], queries: Sequence[Query]) -> Scores:
        asked = {(prompt, query) for prompt in prompts for query in queries}
        if len(self.paid | asked) > self.limit:
            raise SpentError("the limit is reached", limit="requests")
        self.paid |= asked
        return super().score(prompts, queries)


def make_objective(backend: FakeBackend, task: Task) -> RacingObjective:
    return RacingObjective(task, backend, Texts(), rules=RULES)  # type: ignore[arg-type]


def test_the_best_by_all_rows_has_the_lowest_loss_and_calls_are_saved() -> None:
    backend, task = Limited(), make_task(train=60)
    outcomes = make_objective(backend, task)(ALL, task.train)
    assert int(np.argmin([outcome.loss for outcome in outcomes])) == 4
    assert outcomes[4].loss == pytest.approx(backend.optimum_loss(2))
    assert sum(outcome.rows for outcome in outcomes) == len(backend.paid) < 5 * 60
    assert [outcome.usage.requests for outcome in outcomes] == [outcome.rows for outcome in outcomes]


def test_one_candidate_and_other_splits_are_scored_whole() -> None:
    backend, task = FakeBackend(), make_task(train=30, dev=30)
    racing, whole = make_objective(backend, task), Objective(task, backend, Texts())  # type: ignore[arg-type]
    assert racing(ALL[:1], task.train) == whole(ALL[:1], task.train)
    assert racing(ALL, task.dev) == whole(ALL, task.dev)


def test_a_budget_that_ends_in_a_race_leaves_what_was_paid_for_and_the_next_race_is_refused() -> None:
    task = make_task(train=60)
    racing = RacingObjective(task, backend := Limited(50), Texts(), rules=RaceRules(10, 5, risk=0.0))  # type: ignore[arg-type]
    outcomes = racing(ALL, task.train)
    assert [outcome.rows for outcome in outcomes] == [10] * 5
    assert int(np.argmin([outcome.loss for outcome in outcomes])) == 4
    assert len(backend.paid) == 50
    with pytest.raises(SpentError):
        racing(ALL, task.dev)


def test_a_race_from_answers_paid_for_ends_where_it_did() -> None:
    task = make_task(train=60)
    backend = Limited(57)
    racing = RacingObjective(task, backend, Texts(), rules=RaceRules(10, 5, risk=0.0))  # type: ignore[arg-type]
    assert racing(ALL, task.train) == racing(ALL, task.train)


def test_a_budget_that_ends_on_the_first_rows_is_told() -> None:
    task = make_task(train=60)
    with pytest.raises(SpentError):
        make_objective(Limited(49), task)(ALL, task.train)


class Shows(Texts):
    """Every text with the first rows as demonstrations, so many as its place."""

    def decode(self, candidates: npt.NDArray[np.float64]) -> list[Prompt]:
        return [
            TextPrompt(TEXTS[int(place)], tuple(Demonstration("a", "b", row=row) for row in range(int(place))))
            for place in candidates[:, 0]
        ]


def test_rows_that_a_prompt_shows_are_never_asked_in_a_race() -> None:
    backend, task = Limited(), make_task(train=60)
    outcomes = RacingObjective(task, backend, Shows(), rules=RaceRules(10, 5, risk=0.0))(ALL, task.train)  # type: ignore[arg-type]
    for number, found in enumerate(outcomes):
        prompt = Shows().decode(ALL)[number]
        met = {query for asker, query in backend.paid if asker == prompt}
        assert not met & set(task.train.queries[:number])
        assert (found.shown_rows, found.rows, found.failed_rows) == (number, len(met), 0)
        assert found.row_losses is not None
        assert sum(loss is not None for loss in found.row_losses) == len(met)
    assert int(np.argmin([found.loss for found in outcomes])) == 4


def outcome(loss: float) -> Outcome:
    return Outcome(loss, None, rows=10, failed_rows=0, usage=Usage())


def test_losses_are_in_the_order_of_the_race_and_those_set_aside_have_failed() -> None:
    result = RaceResult(2, (2, 0, 3), (0.9, 0.1, 0.0), (20, 20, 20, 10), 70, 0, 80, set_aside=())
    losses = [found.loss for found in ranked([outcome(0.1), outcome(0.2), outcome(0.3), outcome(0.7)], result)]
    assert losses == [math.nextafter(0.3, 1), math.inf, 0.3, 0.7]


def test_a_budget_that_ends_between_looks_at_the_dev_rows_keeps_those_that_were_paid_for() -> None:
    task, prompts = make_task(train=30, dev=30, test=0), [TextPrompt(text) for text in TEXTS]

    def found(limit: float) -> tuple[Prompt, str | None, float]:
        backend = Limited(limit)
        result = tune(task, backend=backend, space=TextsSpace(prompts), optimizer="enumerate", evaluations=100, seed=1)
        return result.prompt, result.summary.stop_reason, len(backend.paid)

    best, _, needed = found(math.inf)
    assert best == prompts[4]
    second_look_does_not_fit = needed - 31
    assert found(second_look_does_not_fit)[:2] == (best, "requests")
