"""Graders of log-probabilities: of labels or targets, of numbers, of tags."""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from blackbox.backends import Backend, Capability, Prompt
from blackbox.graders.base import Graded, check_share
from blackbox.label_numbers import LabelNumbers
from blackbox.losses import Loss
from blackbox.metrics import METRICS, Metric
from blackbox.number_metrics import NumberMetric
from blackbox.number_scores import NumberScores
from blackbox.row_answers import LabelScores, RowAnswers
from blackbox.split import Split
from blackbox.tag_metrics import TagMetric
from blackbox.tag_scores import FloatArray, LabelArray, TagScores
from blackbox.tags import Tags, sentences_of


class Scoring(ABC):
    """What graders of log-probabilities share: the model writes nothing, and each prompt has scores for all rows."""

    writing = None

    def ask(self, backend: Backend, prompts: Sequence[Prompt], split: Split) -> list[Graded]:
        """As of `Grader`."""
        scores = backend.score(prompts, split.queries)
        return [
            (self.answers(log_probabilities, split), usage)
            for log_probabilities, usage in zip(scores.log_probabilities, scores.usages, strict=True)
        ]

    @abstractmethod
    def answers(self, log_probabilities: FloatArray, split: Split) -> RowAnswers:
        """What scores of shape (n_rows, n_options), nats, are for the rows of a split."""


@dataclass(frozen=True)
class ScoreGrader(Scoring):
    """Asks for log-probabilities: of all label words of a row, or of its target, for which there is no metric."""

    needs: Capability
    terms: dict[str, object]
    loss: Loss
    metric: Metric | None

    def check_goal(self, goal: float | None) -> None:
        if self.metric is not None:
            check_share(goal)

    def check_rows(self, split: Split) -> None:
        """Each has its option."""

    def answers(self, log_probabilities: FloatArray, split: Split) -> LabelScores:
        return LabelScores(log_probabilities, split.labels, self.loss, self.metric)

    def nothing(self) -> LabelScores:
        return LabelScores(np.empty((0, 1)), np.empty(0, dtype=np.int64), self.loss, self.metric)


@dataclass(frozen=True)
class NumberGrader(Scoring):
    """Asks for the log-probabilities of label words that stand for numbers."""

    terms: dict[str, object]
    loss: Loss
    metric: NumberMetric
    blank: LabelNumbers

    needs = Capability.LABEL_SCORES

    def check_goal(self, goal: float | None) -> None:
        if self.terms["metric"] != "mae":
            check_share(goal)

    def check_rows(self, split: Split) -> None:
        """Each has its number."""

    def answers(self, log_probabilities: FloatArray, split: Split) -> NumberScores:
        numbers = self.blank.numbers(split.rows, where=split.name)
        return self._scores(log_probabilities, split.labels, numbers)

    def nothing(self) -> NumberScores:
        return self._scores(np.empty((0, len(self.blank.values))), np.empty(0, dtype=np.int64), np.empty(0))

    def _scores(self, scores: FloatArray, right: LabelArray, numbers: FloatArray) -> NumberScores:
        return NumberScores(scores, right, self.loss, None, numbers, self.blank.values, self.metric)


@dataclass(frozen=True)
class TagGrader(Scoring):
    """Asks for the log-probabilities of the tags of each token."""

    terms: dict[str, object]
    loss: Loss
    metric: TagMetric
    blank: Tags

    needs = Capability.LABEL_SCORES

    def check_goal(self, goal: float | None) -> None:
        check_share(goal)

    def check_rows(self, split: Split) -> None:
        """Each token has its tag."""

    def answers(self, log_probabilities: FloatArray, split: Split) -> TagScores:
        return self._scores(log_probabilities, split.labels, sentences_of(split.rows))

    def nothing(self) -> TagScores:
        nothing = np.empty(0, dtype=np.int64)
        return self._scores(np.empty((0, len(self.blank.labels))), nothing, nothing)

    def _scores(self, scores: FloatArray, right: LabelArray, sentences: LabelArray) -> TagScores:
        return TagScores(scores, right, self.loss, METRICS["accuracy"], sentences, self.blank.labels, self.metric)
