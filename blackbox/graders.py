"""Graders: how the rows of a task are asked, and what their answers are worth."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from blackbox.backends import Backend, Capability, Prompt, Usage
from blackbox.blank import Blank
from blackbox.losses import Loss
from blackbox.metrics import Metric
from blackbox.row_answers import LabelScores, RowAnswers
from blackbox.split import Split

Graded = tuple[RowAnswers, Usage]


class Grader(Protocol):
    """See the module; `make_grader` makes one."""

    @property
    def needs(self) -> Capability:
        """What a backend must have to answer."""

    def ask(self, backend: Backend, prompts: Sequence[Prompt], split: Split) -> list[Graded]:
        """The answers of each prompt to all rows of a split, which stand in the form of these prompts, and their cost.

        Raises:
            UnsupportedPromptError, QueryError, StoppedError: as of the backend.
        """

    def nothing(self) -> RowAnswers:
        """Answers to no rows."""


@dataclass(frozen=True)
class ScoreGrader:
    """Asks for log-probabilities: of all label words of a row, or of its target."""

    blank: Blank
    loss: Loss
    metric: Metric | None

    @property
    def needs(self) -> Capability:
        return self.blank.needs

    def ask(self, backend: Backend, prompts: Sequence[Prompt], split: Split) -> list[Graded]:
        scores = backend.score(prompts, split.queries)
        return [
            (LabelScores(log_probabilities, split.labels, self.loss, self.metric), usage)
            for log_probabilities, usage in zip(scores.log_probabilities, scores.usages, strict=True)
        ]

    def nothing(self) -> LabelScores:
        return LabelScores(np.empty((0, 1)), np.empty(0, dtype=np.int64), self.loss, self.metric)
