import math

import numpy as np
import pytest

from blackbox.backends import FakeBackend, Prompt, Query, Scores, TextPrompt
from blackbox.paired import compare
from blackbox.side_by_side import Scored, side_by_side
from tests.blackbox.small import make_task

GOOD, BAD = TextPrompt("classify sentiment carefully answer"), TextPrompt("zzz")


class Partial(FakeBackend):
    """Has no answer for rows with a 3 in the text, and one that is no option for rows with a 5."""

    def score(self, prompts: list[Prompt], queries: list[Query]) -> Scores:  # type: ignore[override]
        scores = super().score(prompts, queries)
        log_probabilities = scores.log_probabilities.copy()
        log_probabilities[:, ["3" in query.before for query in queries]] = np.nan
        log_probabilities[:, ["5" in query.before for query in queries]] = math.log(0.01)
        return Scores(log_probabilities, scores.usages)


def scored(backend: FakeBackend, prompts: list[TextPrompt], n_rows: int) -> list[Scored]:
    task = make_task(train=n_rows)
    return side_by_side(backend, prompts, task.train, grader=task.grader)


def test_prompts_are_compared_with_the_first_on_the_same_rows() -> None:
    bad, good = scored(FakeBackend(), [BAD, GOOD], 20)
    assert (bad.prompt, good.prompt) == (BAD, GOOD)
    assert bad.measured is not None
    assert good.measured is not None
    assert good.measured.value == good.right.mean() == 1.0
    assert bad.measured.value == bad.right.mean() < 1.0
    assert bad.against_first is None
    assert good.against_first == compare(good.right, bad.right)
    assert good.against_first.difference == pytest.approx(good.measured.value - bad.measured.value)
    assert good.usage.requests == 20


def test_rows_without_an_answer_count_for_nothing_and_unreadable_ones_are_wrong() -> None:
    [one] = scored(Partial(), [GOOD], 10)
    assert (one.missing, one.unreadable) == (1, 1)
    assert np.isnan(one.right[3])
    assert one.right[5] == 0.0
    assert one.measured is not None
    assert one.measured.value == pytest.approx(8 / 9)


def test_prompts_may_have_forms_of_their_own() -> None:
    own = TextPrompt("zzz", template="{text} In a single word: {label}", label_words=("poor", "fine"))
    plain, formed = scored(FakeBackend(), [BAD, own], 4)
    assert (plain.missing, formed.missing) == (0, 0)
    assert formed.usage.prompt_tokens > plain.usage.prompt_tokens
