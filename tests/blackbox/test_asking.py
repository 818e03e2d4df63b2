from collections.abc import Sequence

import numpy as np

from blackbox.asking import Asked, ask
from blackbox.backends import FakeBackend, Prompt, Query, Scores, TextPrompt, Usage
from blackbox.losses import CrossEntropy
from blackbox.metrics import Accuracy
from blackbox.row_answers import LabelScores
from tests.blackbox.small import make_task

A, B = TextPrompt("classify"), TextPrompt("carefully")
OWN = TextPrompt("classify", template="{text} So {label}")


class Counting(FakeBackend):
    """Keeps its calls."""

    def __init__(self) -> None:
        super().__init__()
        self.calls: list[tuple[tuple[Prompt, ...], tuple[Query, ...]]] = []

    def score(self, prompts: Sequence[Prompt], queries: Sequence[Query]) -> Scores:
        self.calls.append((tuple(prompts), tuple(queries)))
        return super().score(prompts, queries)


def test_prompts_of_one_form_that_are_asked_the_same_rows_share_a_call() -> None:
    backend, task = Counting(), make_task(train=4)
    asked = ask(backend, task.grader, [A, OWN, B, A], task.train, [range(4), range(4), range(4), [2]])
    assert [prompts for prompts, _ in backend.calls] == [(A, B), (OWN,), (A,)]
    assert backend.calls[1][1] == task.train.in_form_of(OWN).queries
    assert backend.calls[2][1] == (task.train.queries[2],)
    assert [one.rows for one in asked] == [(0, 1, 2, 3), (0, 1, 2, 3), (0, 1, 2, 3), (2,)]
    assert asked[3].answers.losses.tolist() == [asked[0].answers.losses[2]]


def test_a_prompt_that_is_asked_nothing_costs_nothing() -> None:
    backend, task = Counting(), make_task(train=4)
    [asked] = ask(backend, task.grader, [A], task.train, [[]])
    assert (asked.rows, asked.usage, asked.answers.measured()) == ((), Usage(), None)
    assert asked.answers.losses.tolist() == []
    assert backend.calls == []


def asked_of(rows: Sequence[int], *right: float) -> Asked:
    scores = LabelScores(
        np.array([[share, 1 - share] for share in right]), np.zeros(len(rows), int), CrossEntropy(), Accuracy()
    )
    return Asked(tuple(rows), scores, Usage(requests=len(rows)))


def test_what_is_asked_later_stands_for_what_was_asked_before() -> None:
    both = asked_of([5, 2], 0.1, np.nan).joined(asked_of([7, 2], 0.3, 0.2))
    assert both.rows == (2, 5, 7)
    assert (-both.answers.losses).tolist() == [0.2, 0.1, 0.3]
    assert both.usage.requests == 4
    assert asked_of([2], np.nan).joined(asked_of([2], 0.5)).answers.losses.tolist() == [-0.5]
