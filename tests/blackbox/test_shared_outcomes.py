"""Candidates with the same prompt share its outcome, and those without a prompt have failed."""

import math
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

from blackbox.backends import Failure, FakeBackend, Prompt, Query, Scores, TextPrompt, Usage
from blackbox.elites import ElitesObjective
from blackbox.evaluation import Evaluation, candidate_digest
from blackbox.objective import Objective
from blackbox.outcome import NO_PROMPT, Outcome, score_prompts
from blackbox.racing_objective import RacingObjective
from tests.blackbox.small import make_task

TASK = make_task(train=8)
A, B, C = TextPrompt("classify"), TextPrompt("answer carefully"), TextPrompt("say")


class Table:
    """A written space whose candidates have the prompts of a table; None is no prompt."""

    dimension, blocks, sizes, source = 1, (1,), None, "a table"
    vectors: Any = None

    def __init__(self, *prompts: TextPrompt | None) -> None:
        self.prompts = prompts
        self._decoded: dict[str, TextPrompt | None] = {}

    def decode(self, candidates: npt.NDArray[np.float64]) -> list[TextPrompt | None]:
        found = [self.prompts[int(candidate[0])] for candidate in candidates]
        self._decoded |= dict(zip(map(candidate_digest, candidates), found, strict=True))
        return found

    def written_for(self, candidate: str) -> TextPrompt | None:
        return self._decoded.get(candidate)

    def state_dict(self) -> dict[str, Any]:
        return {}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        pass


class Counting(FakeBackend):
    """Counts the pairs of prompt and row that it is asked for; the first `silent` queries of all have no answer."""

    def __init__(self, silent: int = 0) -> None:
        super().__init__()
        self.asked: list[tuple[Prompt, str]] = []
        self._silent = silent

    def score(self, prompts: Sequence[Prompt], queries: Sequence[Query]) -> Scores:
        self.asked += [(prompt, query.before) for prompt in prompts for query in queries]
        scores = super().score(prompts, queries)
        log_probabilities = scores.log_probabilities.copy()
        log_probabilities[0, : self._silent] = np.nan
        failures = tuple(Failure(0, query, "silent") for query in range(self._silent))
        self._silent = 0
        return Scores(log_probabilities, scores.usages, failures)


def numbered(count: int) -> npt.NDArray[np.float64]:
    return np.arange(float(count))[:, None]


def told(objective: Objective, outcomes: list[Outcome], split: str = "train") -> None:
    """As a search writes the outcomes of candidates 0, 1, ... down."""
    digests = map(candidate_digest, numbered(len(outcomes)))
    objective.learn(
        [
            Evaluation(number=n, split=split, generation=1, block=None, candidate=digest, elapsed=0.0, **vars(outcome))
            for n, (digest, outcome) in enumerate(zip(digests, outcomes, strict=True))
        ]
    )


def make(kind: type[Objective], backend: FakeBackend, space: Table) -> Objective:
    parts: dict[str, Any] = {"exact": FakeBackend(), "elites": 1} if kind is ElitesObjective else {}
    return kind(TASK, backend, space, **parts)


@pytest.mark.parametrize("kind", [Objective, RacingObjective, ElitesObjective])
def test_a_candidate_without_a_prompt_has_failed_and_nothing_is_spent_on_it(kind: type[Objective]) -> None:
    backend = Counting()
    objective = make(kind, backend, Table(A, None, B, None))
    outcomes = objective(numbered(4), TASK.train)
    assert outcomes[1] == outcomes[3] == NO_PROMPT
    assert (NO_PROMPT.loss, NO_PROMPT.rows, NO_PROMPT.usage) == (math.inf, 0, Usage())
    assert all(math.isfinite(outcomes[number].loss) for number in (0, 2))
    assert {prompt for prompt, _ in backend.asked} == {A, B}
    backend.asked.clear()
    assert make(kind, backend, Table(None, None))(numbered(2), TASK.train) == [NO_PROMPT] * 2
    assert backend.asked == []


@pytest.mark.parametrize("kind", [Objective, RacingObjective, ElitesObjective])
def test_equal_prompts_of_a_call_are_scored_once_and_the_second_costs_nothing(kind: type[Objective]) -> None:
    backend = Counting()
    outcomes = make(kind, backend, Table(A, B, A, C, A))(numbered(5), TASK.train)
    assert len(set(backend.asked)) == len(backend.asked)
    assert outcomes[2] == outcomes[4] == replace(outcomes[0], usage=Usage())
    assert outcomes[0].usage.requests >= 8
    assert len({outcomes[number].loss for number in (0, 1, 3)}) == 3


@pytest.mark.parametrize("kind", [Objective, RacingObjective])
def test_what_the_journal_tells_of_a_prompt_is_not_asked_again(kind: type[Objective]) -> None:
    backend = Counting()
    objective = make(kind, backend, Table(A, B, None, B, C))
    first = objective(numbered(3), TASK.train)
    told(objective, first)
    backend.asked.clear()
    again = objective(np.array([[3.0], [4.0], [0.0]]), TASK.train)
    assert {prompt for prompt, _ in backend.asked} == {C}
    assert [again[0], again[2]] == [replace(first[1], usage=Usage()), replace(first[0], usage=Usage())]
    assert again[1] == score_prompts(FakeBackend(), TASK, [C], TASK.train)[0]


def test_the_rows_of_another_split_are_not_known() -> None:
    backend = Counting()
    objective = make(Objective, backend, Table(A))
    told(objective, objective(numbered(1), TASK.train))
    backend.asked.clear()
    assert objective(numbered(1), TASK.dev)[0].usage.requests == len(TASK.dev)


def test_rows_without_an_answer_are_asked_again() -> None:
    backend = Counting(silent=2)
    objective = make(Objective, backend, Table(A, A))
    first = objective(numbered(1), TASK.train)
    assert first[0].failed_rows == 2
    told(objective, first)
    [again] = objective(np.array([[1.0]]), TASK.train)
    assert (again.failed_rows, again.usage.requests) == (0, 8)
