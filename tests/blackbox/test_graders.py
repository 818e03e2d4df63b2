from collections.abc import Sequence
from typing import Any

import pytest

from blackbox.backends import Capability, FakeBackend, Generations, Prompt, Query, TextPrompt, Usage, Writing, Written
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


@pytest.mark.parametrize(
    ("blank", "settings", "message"),
    [
        (LABELS, {"metric": "exact-match"}, "unknown metric 'exact-match'; known: accuracy, macro-f1"),
        (LABELS, {"metric": lambda text, targets: 1.0}, "a function compares written texts, and labels are chosen"),
        (TARGETS, {"metric": "accuracy"}, "unknown metric of targets 'accuracy'"),
        (TARGETS, {"loss": "hinge"}, "loss 'hinge' compares label words, and targets have none"),
        (
            TARGETS,
            {"loss": "cross-entropy", "metric": "contains"},
            "compared by contains is 1 less that",
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
