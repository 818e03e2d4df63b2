"""Graders: how the rows of a task are asked, and what their answers are worth."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from blackbox.backends import Backend, Capability, Prompt, Usage, Writing
from blackbox.blank import Blank
from blackbox.errors import DataError, SettingError
from blackbox.filling import write
from blackbox.losses import Loss, make_loss
from blackbox.metrics import METRICS, Metric, make_metric
from blackbox.row_answers import LabelScores, RowAnswers, WrittenTexts
from blackbox.split import Split
from blackbox.target_answers import TargetAnswers
from blackbox.text_metrics import TEXT_METRICS, TextFunction, TextMetric, make_text_metric

Graded = tuple[RowAnswers, Usage]
ANSWER_TOKENS = 16


class Grader(Protocol):
    """See the module; `make_grader` makes one."""

    @property
    def needs(self) -> Capability:
        """What a backend must have to answer."""

    @property
    def terms(self) -> dict[str, object]:
        """Loss, margin and metric, and how much is written, by the names that `blackbox.Config` has for them."""

    @property
    def writing(self) -> Writing | None:
        """How the model writes; None where it does not."""

    def check_goal(self, goal: float | None) -> None:
        """Refuse a `target` of the search that nothing can reach.

        Raises:
            SettingError: a share above 1.
        """

    def check_rows(self, split: Split) -> None:
        """Refuse rows that no answer can be right for, and a form in which the model does not see all of them.

        Raises:
            DataError: the metric does not accept the target of a row, or a field stands behind the blank.
        """

    def ask(self, backend: Backend, prompts: Sequence[Prompt], split: Split) -> list[Graded]:
        """The answers of each prompt to all rows of a split, which stand in the form of these prompts, and their cost.

        Raises:
            UnsupportedPromptError, QueryError, StoppedError: as of the backend.
        """

    def nothing(self) -> RowAnswers:
        """Answers to no rows."""


@dataclass(frozen=True)
class ScoreGrader:
    """Asks for log-probabilities: of all label words of a row, or of its target, for which there is no metric."""

    needs: Capability
    terms: dict[str, object]
    loss: Loss
    metric: Metric | None

    writing = None

    def check_goal(self, goal: float | None) -> None:
        if self.metric is not None:
            _check_share(goal)

    def check_rows(self, split: Split) -> None:
        """Each has its option."""

    def ask(self, backend: Backend, prompts: Sequence[Prompt], split: Split) -> list[Graded]:
        scores = backend.score(prompts, split.queries)
        return [
            (LabelScores(log_probabilities, split.labels, self.loss, self.metric), usage)
            for log_probabilities, usage in zip(scores.log_probabilities, scores.usages, strict=True)
        ]

    def nothing(self) -> LabelScores:
        return LabelScores(np.empty((0, 1)), np.empty(0, dtype=np.int64), self.loss, self.metric)


@dataclass(frozen=True)
class TextGrader:
    """Lets the model write, and compares that with the targets of a row. What stands behind the blank is not read."""

    terms: dict[str, object]
    metric: TextMetric
    writing: Writing

    needs = Capability.GENERATE

    def check_goal(self, goal: float | None) -> None:
        _check_share(goal)

    def check_rows(self, split: Split) -> None:
        if behind := split.form.template.fields_behind_label:
            unseen = ", ".join(f"{{{name}}}" for name in behind)
            raise DataError(
                f"template puts {unseen} behind {{label}}, which a model that writes never reads: put it last"
            )
        if self.metric.name not in TEXT_METRICS:  # a function of the user's may have reasons of its own
            return
        for number, accepted in enumerate(split.accepted, start=1):
            if not any(self.metric(target, accepted) == 1 for target in accepted):
                raise DataError(
                    f"{split.name} row {number} has the target {accepted[0]!r}, which metric {self.metric.name!r} does "
                    "not accept itself: no text is right"
                )

    def ask(self, backend: Backend, prompts: Sequence[Prompt], split: Split) -> list[Graded]:
        written = write(backend, prompts, split.queries, self.writing)
        return [
            (WrittenTexts(line, split.accepted, self.metric), usage)
            for line, usage in zip(written.written, written.usages, strict=True)
        ]

    def nothing(self) -> WrittenTexts:
        return WrittenTexts((), (), self.metric)


@dataclass(frozen=True)
class LikelihoodGrader:
    """Asks for the likelihood of each row's target; of all but training rows, lets the model write as well.

    What is searched is a loss that every change of a prompt moves and that costs one pass; what is reported and
    selected by is the metric.
    """

    terms: dict[str, object]
    likelihoods: ScoreGrader
    texts: TextGrader

    needs = Capability.TARGETS

    @property
    def writing(self) -> Writing:
        return self.texts.writing

    def check_goal(self, goal: float | None) -> None:
        self.texts.check_goal(goal)

    def check_rows(self, split: Split) -> None:
        self.texts.check_rows(split)

    def ask(self, backend: Backend, prompts: Sequence[Prompt], split: Split) -> list[Graded]:
        likely = self.likelihoods.ask(backend, prompts, split)
        if split.name == "train":
            return [(TargetAnswers(answers, None), usage) for answers, usage in likely]
        written = self.texts.ask(backend, prompts, split)
        return [
            (TargetAnswers(answers, texts), usage + more)
            for (answers, usage), (texts, more) in zip(likely, written, strict=True)
        ]

    def nothing(self) -> TargetAnswers:
        return TargetAnswers(self.likelihoods.nothing(), None)


def make_grader(
    blank: Blank,
    *,
    loss: str | None = None,
    margin: float = 2.0,
    metric: str | TextFunction | None = None,
    answer_tokens: int = ANSWER_TOKENS,
) -> Grader:
    """The grader of what fills a blank.

    Args:
        blank: label words or targets.
        loss: None is "cross-entropy"; where texts are compared, "error-rate", or "cross-entropy" for a search by the
            likelihood of targets.
        margin: of the hinge loss, nats.
        metric: None is "accuracy" of label words, "none" of targets; their likelihood is their loss then.
        answer_tokens: written at most.

    Raises:
        SettingError: an unknown loss or metric, or one that has no meaning for this blank.
    """
    if not blank.labels and metric is not None and metric != "none":
        if loss == "cross-entropy":
            return _likelihood_grader(blank, margin, metric, answer_tokens)
        return _text_grader(loss or "error-rate", margin, metric, answer_tokens)
    return _score_grader(blank, loss or "cross-entropy", margin, metric)


def _score_grader(blank: Blank, loss: str, margin: float, metric: str | TextFunction | None) -> ScoreGrader:
    of_scores = make_loss(loss, margin=margin)
    if not blank.labels:
        if loss != "cross-entropy":
            raise SettingError(f"loss {loss!r} compares label words, and targets have none; use 'cross-entropy'")
        return ScoreGrader(blank.needs, {"loss": loss, "margin": margin, "metric": "none"}, of_scores, None)
    name = "accuracy" if metric is None else metric
    if not isinstance(name, str):
        raise SettingError(f"a function compares written texts, and labels are chosen; known: {', '.join(METRICS)}")
    return ScoreGrader(blank.needs, {"loss": loss, "margin": margin, "metric": name}, of_scores, make_metric(name))


def _text_grader(loss: str, margin: float, metric: str | TextFunction, answer_tokens: int) -> TextGrader:
    make_loss(loss, margin=margin)
    of_texts = make_text_metric(metric)
    if loss != "error-rate":
        raise SettingError(
            f"the loss of texts that are compared by {of_texts.name} is 1 less that, 'error-rate', or the "
            f"'cross-entropy' of their targets, got {loss!r}"
        )
    if answer_tokens < 1:
        raise SettingError(f"answer_tokens must be at least 1, got {answer_tokens}")
    terms = {"loss": loss, "margin": margin, "metric": of_texts.name, "answer_tokens": answer_tokens}
    return TextGrader(terms, of_texts, Writing(max_tokens=answer_tokens))


def _likelihood_grader(blank: Blank, margin: float, metric: str | TextFunction, answer_tokens: int) -> LikelihoodGrader:
    likelihoods = _score_grader(blank, "cross-entropy", margin, None)
    texts = _text_grader("error-rate", margin, metric, answer_tokens)
    return LikelihoodGrader({**texts.terms, "loss": "cross-entropy"}, likelihoods, texts)


def _check_share(goal: float | None) -> None:
    if goal is not None and goal > 1:
        raise SettingError(f"setting 'target': must be at most 1, the share that the metric shall reach, got {goal}")
