"""The answers of one prompt to some rows, and what they are worth.

Rows without an answer are missing: NaN in every array, counted in no mean, never wrong.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Protocol, Self

import numpy as np
import numpy.typing as npt

from blackbox.backends import Written, chosen_options
from blackbox.losses import Loss, mean_loss
from blackbox.metrics import Measured, Metric, measured_mean
from blackbox.text_metrics import TextMetric

FloatArray = npt.NDArray[np.float64]
LabelArray = npt.NDArray[np.int64]


class RowAnswers(Protocol):
    """See the module. `blackbox.graders` makes them."""

    @property
    def losses(self) -> FloatArray:
        """Of each row, shape (n_rows,)."""

    @property
    def mean_loss(self) -> float:
        """Of the rows that have an answer; inf without any."""

    @property
    def scores(self) -> FloatArray:
        """What each row adds to the metric, from 0 to 1, shape (n_rows,); without a metric its loss, less than zero.

        Of numbers, how far the expected one is off, less than zero.
        """

    @property
    def answered(self) -> npt.NDArray[np.bool_]:
        """Which rows have an answer, shape (n_rows,)."""

    @property
    def unreadable(self) -> int:
        """Rows that were answered with none of the label words: wrong, and counted apart."""

    def measured(self) -> Measured | None:
        """The metric on the rows that have an answer; None where none has, and where there is no metric."""

    def take(self, places: Sequence[int]) -> Self:
        """The answers to some of the rows, in the order of their places given."""

    def joined(self, others: Self) -> Self:
        """These answers, and those to other rows behind them."""


@dataclass(frozen=True, eq=False)
class LabelScores:
    """Answers that are log-probabilities of a row's options: its label words, or its target alone.

    Attributes:
        log_probabilities: shape (n_rows, n_options), nats.
        right: shape (n_rows,), index of the right option of each row.
        loss: of the rows.
        metric: None for targets.
    """

    log_probabilities: FloatArray
    right: LabelArray
    loss: Loss
    metric: Metric | None

    @property
    def losses(self) -> FloatArray:
        losses: FloatArray = self.loss.of_rows(self.log_probabilities[None], self.right)[0]
        return losses

    @property
    def mean_loss(self) -> float:
        return float(self.loss.mean(self.losses[None], self.right)[0])

    @property
    def scores(self) -> FloatArray:
        if self.metric is None:
            return -self.losses
        return np.where(self.answered, chosen_options(self.log_probabilities) == self.right, np.nan)

    @property
    def answered(self) -> npt.NDArray[np.bool_]:
        sums: FloatArray = self.log_probabilities.sum(axis=-1)  # NaN where one is
        return ~np.isnan(sums)

    @property
    def unreadable(self) -> int:
        return 0 if self.metric is None else int((self._chosen < 0).sum())

    def measured(self) -> Measured | None:
        if self.metric is None or not self.answered.any():
            return None
        return self.metric(self._chosen, self.right[self.answered], self.log_probabilities.shape[-1])

    def take(self, places: Sequence[int]) -> Self:
        chosen = list(places)
        return replace(self, log_probabilities=self.log_probabilities[chosen], right=self.right[chosen])

    def joined(self, others: Self) -> Self:
        both = np.concatenate([self.log_probabilities, others.log_probabilities])
        return replace(self, log_probabilities=both, right=np.concatenate([self.right, others.right]))

    @property
    def _chosen(self) -> LabelArray:
        """Of the answered rows."""
        return chosen_options(self.log_probabilities[self.answered])


@dataclass(frozen=True, eq=False)
class WrittenTexts:
    """Answers that are texts, compared with the targets of their rows. A text that was cut is taken as it stands.

    Attributes:
        written: n_rows of them, None without an answer.
        accepted: the targets of each row.
        metric: from 0 to 1 for each row; the loss is what it lacks to 1.
    """

    written: tuple[Written | None, ...]
    accepted: tuple[tuple[str, ...], ...]
    metric: TextMetric

    @property
    def losses(self) -> FloatArray:
        return 1 - self.scores

    @property
    def mean_loss(self) -> float:
        return mean_loss(self.losses)

    @cached_property
    def scores(self) -> FloatArray:
        rows = zip(self.written, self.accepted, strict=True)
        return np.array([np.nan if written is None else self.metric(written.text, of) for written, of in rows])

    @property
    def answered(self) -> npt.NDArray[np.bool_]:
        return np.array([written is not None for written in self.written], dtype=bool)

    @property
    def unreadable(self) -> int:
        """None: any text can be compared."""
        return 0

    def measured(self) -> Measured | None:
        return measured_mean(self.metric.name, self.scores[self.answered]) if self.answered.any() else None

    def take(self, places: Sequence[int]) -> Self:
        return replace(
            self,
            written=tuple(self.written[place] for place in places),
            accepted=tuple(self.accepted[place] for place in places),
        )

    def joined(self, others: Self) -> Self:
        return replace(self, written=self.written + others.written, accepted=self.accepted + others.accepted)
