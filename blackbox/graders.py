"""Graders: how the rows of a task are asked, and what their answers are worth."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from blackbox.backends import Backend, Capability, Prompt, Usage, Writing
from blackbox.blank import Blank
from blackbox.errors import DataError, SettingError
from blackbox.filling import write
from blackbox.label_numbers import LabelNumbers
from blackbox.losses import Loss, Weighted, make_loss
from blackbox.metrics import METRICS, Metric, make_metric
from blackbox.number_metrics import NumberMetric, make_number_metric
from blackbox.number_scores import SQUARED_ERROR, NumberScores, SquaredError
from blackbox.row_answers import LabelScores, RowAnswers, WrittenTexts
from blackbox.split import Split
from blackbox.tag_metrics import TagMetric, make_tag_metric
from blackbox.tag_scores import FloatArray, LabelArray, TagScores
from blackbox.tags import Tags, sentences_of
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
class NumberGrader:
    """Asks for the log-probabilities of label words that stand for numbers."""

    terms: dict[str, object]
    loss: Loss
    metric: NumberMetric
    blank: LabelNumbers

    needs = Capability.LABEL_SCORES
    writing = None

    def check_goal(self, goal: float | None) -> None:
        if self.terms["metric"] != "mae":
            _check_share(goal)

    def check_rows(self, split: Split) -> None:
        """Each has its number."""

    def ask(self, backend: Backend, prompts: Sequence[Prompt], split: Split) -> list[Graded]:
        scores, numbers = backend.score(prompts, split.queries), self.blank.numbers(split.rows, where=split.name)
        return [
            (NumberScores(of_prompt, split.labels, self.loss, None, numbers, self.blank.values, self.metric), usage)
            for of_prompt, usage in zip(scores.log_probabilities, scores.usages, strict=True)
        ]

    def nothing(self) -> NumberScores:
        values, nothing = self.blank.values, np.empty(0, dtype=np.int64)
        return NumberScores(np.empty((0, len(values))), nothing, self.loss, None, np.empty(0), values, self.metric)


@dataclass(frozen=True)
class TagGrader:
    """Asks for the log-probabilities of the tags of each token."""

    terms: dict[str, object]
    loss: Loss
    metric: TagMetric
    blank: Tags

    needs = Capability.LABEL_SCORES
    writing = None

    def check_goal(self, goal: float | None) -> None:
        _check_share(goal)

    def check_rows(self, split: Split) -> None:
        """Each token has its tag."""

    def ask(self, backend: Backend, prompts: Sequence[Prompt], split: Split) -> list[Graded]:
        scores, sentences = backend.score(prompts, split.queries), sentences_of(split.rows)
        return [
            (self._answers(of_prompt, split.labels, sentences), usage)
            for of_prompt, usage in zip(scores.log_probabilities, scores.usages, strict=True)
        ]

    def nothing(self) -> TagScores:
        nothing = np.empty(0, dtype=np.int64)
        return self._answers(np.empty((0, len(self.blank.labels))), nothing, nothing)

    def _answers(self, scores: FloatArray, right: LabelArray, sentences: LabelArray) -> TagScores:
        return TagScores(scores, right, self.loss, METRICS["accuracy"], sentences, self.blank.labels, self.metric)


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
    weights: tuple[float, ...] | None = None,
) -> Grader:
    """The grader of what fills a blank.

    Args:
        blank: label words or targets.
        loss: None is "cross-entropy"; where texts are compared, "error-rate", or "cross-entropy" for a search by the
            likelihood of targets; of numbers "squared-error".
        margin: of the hinge loss, nats.
        metric: None is "accuracy" of label words, "none" of targets; their likelihood is their loss then; of numbers
            "mae".
        answer_tokens: written at most.
        weights: of the labels, in their order; None where all count alike.

    Raises:
        SettingError: an unknown loss or metric, or one that has no meaning for this blank, or weights of what has no
            labels.
    """
    if weights is not None and (not blank.labels or isinstance(blank, LabelNumbers)):
        raise SettingError("class_weights are of labels, and the rows have targets or numbers; leave them out")
    if isinstance(blank, LabelNumbers):
        return _number_grader(blank, loss or SQUARED_ERROR, margin, metric)
    if isinstance(blank, Tags):
        return _tag_grader(blank, loss or "cross-entropy", margin, metric, weights)
    if not blank.labels and metric is not None and metric != "none":
        if loss == "cross-entropy":
            return _likelihood_grader(blank, margin, metric, answer_tokens)
        return _text_grader(loss or "error-rate", margin, metric, answer_tokens)
    return _score_grader(blank, loss or "cross-entropy", margin, metric, weights)


def _number_grader(blank: LabelNumbers, loss: str, margin: float, metric: str | TextFunction | None) -> NumberGrader:
    name = _named(metric, "mae")
    of_scores = SquaredError(blank.values) if loss == SQUARED_ERROR else make_loss(loss, margin=margin)
    return NumberGrader({"loss": loss, "margin": margin, "metric": name}, of_scores, make_number_metric(name), blank)


def _tag_grader(
    blank: Tags, loss: str, margin: float, metric: str | TextFunction | None, weights: tuple[float, ...] | None
) -> TagGrader:
    name, of_tags = _named(metric, "accuracy"), _label_loss(loss, margin, weights)
    terms = {"loss": loss, "margin": margin, "metric": name}
    return TagGrader(terms, of_tags, make_tag_metric(name, blank.labels), blank)


def _score_grader(
    blank: Blank,
    loss: str,
    margin: float,
    metric: str | TextFunction | None,
    weights: tuple[float, ...] | None,
) -> ScoreGrader:
    of_scores = _label_loss(loss, margin, weights)
    if not blank.labels:
        if loss != "cross-entropy":
            raise SettingError(f"loss {loss!r} compares label words, and targets have none; use 'cross-entropy'")
        return ScoreGrader(blank.needs, {"loss": loss, "margin": margin, "metric": "none"}, of_scores, None)
    name = _named(metric, "accuracy")
    return ScoreGrader(blank.needs, {"loss": loss, "margin": margin, "metric": name}, of_scores, make_metric(name))


def _label_loss(loss: str, margin: float, weights: tuple[float, ...] | None) -> Loss:
    if loss == SQUARED_ERROR:
        raise SettingError(f"loss {loss!r} is of numbers: name the field that holds them, number_field")
    of_scores = make_loss(loss, margin=margin)
    return of_scores if weights is None else Weighted(of_scores, weights)


def _named(metric: str | TextFunction | None, default: str) -> str:
    if metric is None or isinstance(metric, str):
        return default if metric is None else metric
    raise SettingError(f"a function compares written texts, and labels are chosen; known: {', '.join(METRICS)}")


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
    likelihoods = _score_grader(blank, "cross-entropy", margin, None, None)
    texts = _text_grader("error-rate", margin, metric, answer_tokens)
    return LikelihoodGrader({**texts.terms, "loss": "cross-entropy"}, likelihoods, texts)


def _check_share(goal: float | None) -> None:
    if goal is not None and goal > 1:
        raise SettingError(f"setting 'target': must be at most 1, the share that the metric shall reach, got {goal}")
