"""Answers to rows with targets that are searched by their likelihood and judged by what the model writes."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np
import numpy.typing as npt

from blackbox.losses import mean_loss
from blackbox.metrics import Measured
from blackbox.row_answers import FloatArray, RowAnswers


@dataclass(frozen=True, eq=False)
class TargetAnswers:
    """See the module; a row is answered where it has both. See `blackbox.row_answers.RowAnswers`.

    Attributes:
        likelihoods: of the targets: they make the loss.
        written: what the metric compares; None of training rows, where nothing is written.
    """

    likelihoods: RowAnswers
    written: RowAnswers | None

    @property
    def losses(self) -> FloatArray:
        return np.where(self.answered, self.likelihoods.losses, np.nan)

    @property
    def mean_loss(self) -> float:
        """Of the rows that have an answer; inf without any."""
        return mean_loss(self.losses)

    @property
    def scores(self) -> FloatArray:
        """Of what is written; of training rows the loss, less than zero."""
        return -self.losses if self.written is None else np.where(self.answered, self.written.scores, np.nan)

    @property
    def answered(self) -> npt.NDArray[np.bool_]:
        likely = self.likelihoods.answered
        return likely if self.written is None else likely & self.written.answered

    @property
    def unreadable(self) -> int:
        """None: any text can be compared."""
        return 0

    def measured(self) -> Measured | None:
        return None if self.written is None else self.written.take(np.flatnonzero(self.answered).tolist()).measured()

    def take(self, places: Sequence[int]) -> Self:
        return type(self)(self.likelihoods.take(places), self.written and self.written.take(places))

    def joined(self, others: Self) -> Self:
        """Both are of training rows, or none is."""
        written = self.written.joined(others.written) if self.written and others.written else None
        return type(self)(self.likelihoods.joined(others.likelihoods), written)
