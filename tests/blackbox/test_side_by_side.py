import math

import numpy as np
import pytest

from blackbox.backends import FakeBackend, Prompt, Query, Scores, TextPrompt
from blackbox.errors import DataError
from blackbox.paired import compare
from blackbox.side_by_side import side_by_side
from tests.blackbox.small import TEMPLATE, WORDS, make_rows

GOOD, BAD = TextPrompt("classify sentiment carefully answer"), TextPrompt("zzz")


class Partial(FakeBackend):
    """Has no answer for rows with a 3 in the text, and one that is no option for rows with a 5."""

    def score(self, prompts: list[Prompt], queries: list[Query]) -> Scores:  # type: ignore[override]
        scores = super().score(prompts, queries)
        log_probabilities = scores.log_probabilities.copy()
        log_probabilities[:, ["3" in query.before for query in queries]] = np.nan
        log_probabilities[:, ["5" in query.before for query in queries]] = math.log(0.01)
        return Scores(log_probabilities, scores.usages)


def test_prompts_are_compared_with_the_first_on_the_same_rows() -> None:
    bad, good = side_by_side(FakeBackend(), [BAD, GOOD], make_rows(20), template=TEMPLATE, label_words=WORDS)
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
    [one] = side_by_side(Partial(), [GOOD], make_rows(10), template=TEMPLATE, label_words=WORDS)
    assert (one.missing, one.unreadable) == (1, 1)
    assert np.isnan(one.right[3])
    assert one.right[5] == 0.0
    assert one.measured is not None
    assert one.measured.value == pytest.approx(8 / 9)


def test_there_must_be_rows() -> None:
    with pytest.raises(DataError, match="no rows"):
        side_by_side(FakeBackend(), [GOOD], [], template=TEMPLATE, label_words=WORDS)
