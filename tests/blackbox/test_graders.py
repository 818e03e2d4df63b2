from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from blackbox.backends import (
    Capability,
    FakeBackend,
    Generations,
    Prompt,
    Query,
    Scores,
    TextPrompt,
    Usage,
    Writing,
    Written,
)
from blackbox.backends.writing import GREEDY
from blackbox.blank import make_blank
from blackbox.errors import DataError, SettingError, UnknownNameError
from blackbox.graders import make_grader
from blackbox.task import Task
from tests.blackbox.small import TARGET_TEMPLATE, WORDS, make_target_task

LABELS, TARGETS = make_blank(WORDS), make_blank(target_field="target")
BEST = TextPrompt("classify sentiment carefully answer")


def test_labels_are_scored_targets_too_and_with_a_metric_they_are_written() -> None:
    assert make_grader(LABELS).needs is Capability.LABEL_SCORES
    assert make_grader(TARGETS).needs is make_grader(TARGETS, metric="none").needs is Capability.TARGETS
    assert make_grader(TARGETS, metric="contains").needs is Capability.GENERATE


def test_terms_are_what_holds_where_nothing_is_said() -> None:
    assert make_grader(LABELS).terms == {"loss": "cross-entropy", "margin": 2.0, "metric": "accuracy"}
    assert make_grader(TARGETS).terms == {"loss": "cross-entropy", "margin": 2.0, "metric": "none"}
    written = {"loss": "error-rate", "margin": 2.0, "metric": "token-f1", "answer_tokens": 16}
    assert make_grader(TARGETS, metric="token-f1").terms == written
    both = make_grader(TARGETS, loss="cross-entropy", metric="token-f1")
    assert both.terms == {**written, "loss": "cross-entropy"}
    assert make_grader(TARGETS, **both.terms).terms == both.terms  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("blank", "settings", "message"),
    [
        (LABELS, {"metric": "exact-match"}, "unknown metric 'exact-match'; known: accuracy, macro-f1"),
        (LABELS, {"metric": lambda text, targets: 1.0}, "a function compares written texts, and labels are chosen"),
        (TARGETS, {"metric": "accuracy"}, "unknown metric of targets 'accuracy'"),
        (TARGETS, {"loss": "hinge"}, "loss 'hinge' compares label words, and targets have none"),
        (
            TARGETS,
            {"loss": "hinge", "metric": "contains"},
            "compared by contains is 1 less that, 'error-rate', or the 'cross-entropy' of their targets, got 'hinge'",
        ),
        (TARGETS, {"loss": "nonsense", "metric": "contains"}, "unknown loss 'nonsense'"),
        (TARGETS, {"metric": "contains", "answer_tokens": 0}, "answer_tokens must be at least 1, got 0"),
    ],
)
def test_what_has_no_meaning_for_a_blank_is_refused(blank: object, settings: dict[str, object], message: str) -> None:
    with pytest.raises(SettingError, match=message):
        make_grader(blank, **settings)  # type: ignore[arg-type]


def test_a_share_above_one_cannot_be_reached_and_a_loss_above_one_can() -> None:
    for grader in (make_grader(LABELS), make_grader(TARGETS), make_grader(TARGETS, metric="contains")):
        for goal in (None, 0.5, 1.0):
            grader.check_goal(goal)
    make_grader(TARGETS).check_goal(250.0)
    for grader in (make_grader(LABELS), make_grader(TARGETS, metric="contains")):
        with pytest.raises(SettingError, match="must be at most 1"):
            grader.check_goal(1.01)


def test_targets_that_no_text_can_match_are_refused_by_their_row() -> None:
    rows = [{"question": "x", "target": target} for target in ("4", ["four", "4"], ["four", "two"])]
    settings: dict[str, Any] = {"template": TARGET_TEMPLATE, "target_field": "target"}
    with pytest.raises(
        DataError, match="dev row 3 has the target 'four', which metric 'numeric-match' does not accept"
    ):
        Task(rows[:2], dev=rows, metric="numeric-match", **settings)
    Task(rows, metric="exact-match", **settings)
    Task(rows, metric=lambda text, targets: 0.0, **settings)


def test_text_behind_the_blank_is_refused_where_the_model_writes() -> None:
    make_target_task(template="{label} answers {question}")
    with pytest.raises(DataError, match=r"template puts \{question\} behind \{label\}"):
        make_target_task(template="{label} answers {question}", metric="contains")
    with pytest.raises(DataError, match=r"template puts \{question\} behind \{label\}"):
        make_target_task(metric="contains").check_prompt(TextPrompt("", template="{label} answers {question}"))


class Telling(FakeBackend):
    """Writes half of each target, none behind the second prompt, and keeps how it was asked."""

    def generate(  # type: ignore[override]
        self, prompts: Sequence[Prompt], queries: Sequence[Query], writing: Writing
    ) -> Generations:
        self.asked = (queries, writing)
        halves = tuple(Written(query.options[0][:9], cut=True) for query in queries)
        return Generations((halves, (None,) * len(queries))[: len(prompts)], (Usage(1), Usage(2)))


def test_the_model_writes_greedily_behind_the_text_in_front_of_the_blank() -> None:
    task, backend = make_target_task(train=3, metric="contains", answer_tokens=5), Telling()
    (half, _), (nothing, usage) = task.grader.ask(backend, [BEST, BEST], task.train)
    assert backend.asked == (task.train.queries, Writing(max_tokens=5, temperature=0.0))
    assert half.scores.tolist() == [0.0] * 3
    assert (nothing.answered.tolist(), nothing.measured(), usage) == ([False] * 3, None, Usage(2))


def test_a_backend_that_only_says_that_it_writes_is_refused() -> None:
    class Liar:
        name, capabilities = "liar", frozenset({Capability.GENERATE})

    task = make_target_task(metric="contains")
    with pytest.raises(SettingError, match="backend 'liar' says that it writes but is no GeneratingBackend"):
        task.grader.ask(Liar(), [BEST], task.train)  # type: ignore[arg-type]


def test_names_are_checked_for_what_fills_the_blank() -> None:
    with pytest.raises(UnknownNameError, match="did you mean 'contains'"):
        make_grader(TARGETS, metric="contain")


def make_both(**settings: Any) -> Task:
    return make_target_task(loss="cross-entropy", metric="token-f1", answer_tokens=40, **settings)


def test_training_rows_are_scored_and_others_are_written_to_as_well() -> None:
    task, backend = make_both(), FakeBackend()
    likely, written = make_target_task(), make_target_task(metric="token-f1", answer_tokens=40)
    prompts = [TextPrompt("classify"), BEST]
    for (of_both, cost), (of_likelihood, alone) in zip(
        task.grader.ask(backend, prompts, task.train), likely.grader.ask(backend, prompts, likely.train), strict=True
    ):
        assert of_both.losses.tolist() == of_likelihood.losses.tolist()
        assert of_both.scores.tolist() == (-of_likelihood.losses).tolist()
        assert of_both.measured() is None
        assert cost.completion_tokens == 0
        assert cost.requests == alone.requests
    for (of_both, cost), (of_likelihood, once), (of_texts, twice) in zip(
        task.grader.ask(backend, prompts, task.dev),
        likely.grader.ask(backend, prompts, likely.dev),
        written.grader.ask(backend, prompts, written.dev),
        strict=True,
    ):
        assert of_both.losses.tolist() == of_likelihood.losses.tolist()
        assert of_both.measured() == of_texts.measured()
        assert of_both.scores.tolist() == of_texts.scores.tolist()
        assert cost.requests == once.requests + twice.requests
        assert cost.completion_tokens == twice.completion_tokens > 0


def test_a_row_is_answered_where_it_has_a_likelihood_and_a_text() -> None:
    class Gaps(FakeBackend):
        """Writes nothing to the first row, and knows no likelihood of the second."""

        def score(self, prompts: Sequence[Prompt], queries: Sequence[Query]) -> Scores:
            scores = super().score(prompts, queries)
            scores.log_probabilities[:, 1] = np.nan
            return scores

        def generate(
            self, prompts: Sequence[Prompt], queries: Sequence[Query], writing: Writing = GREEDY
        ) -> Generations:
            whole = super().generate(prompts, queries, writing)
            return replace(whole, written=tuple((None, *line[1:]) for line in whole.written))

    task = make_both()
    [(answers, _)] = task.grader.ask(Gaps(), [BEST], task.dev)
    [(whole, _)] = task.grader.ask(FakeBackend(), [BEST], task.dev)
    assert answers.answered.tolist() == [False, False] + [True] * 6
    assert np.isnan(answers.losses[:2]).all()
    assert np.isnan(answers.scores[:2]).all()
    assert answers.losses[2:].tolist() == whole.losses[2:].tolist()
    measured = answers.measured()
    assert measured is not None
    assert (measured.rows, measured.value) == (6, pytest.approx(np.mean(whole.scores[2:])))


def test_answers_with_texts_join_to_the_whole() -> None:
    task = make_both()
    for split, nothing in ((task.train, task.grader.nothing()), (task.dev, None)):
        [(whole, _)] = task.grader.ask(FakeBackend(), [TextPrompt("classify")], split)
        parts = [whole.take(range(3)), whole.take(range(3, 8))]
        joined = (nothing.joined(parts[0]) if nothing else parts[0]).joined(parts[1])
        assert joined.losses.tolist() == whole.losses.tolist()
        assert joined.measured() == whole.measured()
