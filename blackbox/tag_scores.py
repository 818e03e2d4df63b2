"""Answers to the tokens of sentences: label scores whose metric goes by sentences."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Self

import numpy as np
import numpy.typing as npt

from blackbox.metrics import Measured
from blackbox.row_answers import LabelScores
from blackbox.tag_metrics import TagMetric

FloatArray = npt.NDArray[np.float64]
LabelArray = npt.NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class TagScores(LabelScores):
    """Label scores of tokens. Those without an answer are left out of their sentences.

    Attributes:
        sentences: shape (n_rows,), the number of each token's sentence.
        labels: the tags.
        of_sentences: the metric; `metric`, which is of rows, is not asked.
    """

    sentences: LabelArray
    labels: tuple[str, ...]
    of_sentences: TagMetric

    def measured(self) -> Measured | None:
        there = self.answered
        if not there.any():
            return None
        return self.of_sentences(self._chosen, self.right[there], self.sentences[there], self.labels)

    def take(self, places: Sequence[int]) -> Self:
        return replace(super().take(places), sentences=self.sentences[list(places)])

    def joined(self, others: Self) -> Self:
        return replace(super().joined(others), sentences=np.concatenate([self.sentences, others.sentences]))
