"""Answers of rows that have a number: the expected value of label words that stand for numbers."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Self

import numpy as np
import numpy.typing as npt

from blackbox.label_numbers import expected
from blackbox.losses import Loss
from blackbox.metrics import Measured
from blackbox.number_metrics import NumberMetric
from blackbox.row_answers import LabelScores

FloatArray = npt.NDArray[np.float64]
LabelArray = npt.NDArray[np.int64]
SQUARED_ERROR = "squared-error"


@dataclass(frozen=True, eq=False)
class SquaredError(Loss):
    """(E - y)^2 for the expected number E of labels with these `values`, shape (n_labels,), and the row's own y."""

    values: FloatArray

    def of_rows(self, log_probabilities: FloatArray, labels: LabelArray) -> FloatArray:
        """Where each row's y is the number of its label."""
        return self.of_numbers(log_probabilities, self.values[labels])

    def of_numbers(self, log_probabilities: FloatArray, numbers: FloatArray) -> FloatArray:
        """Where y is given, shape (n_rows,)."""
        errors: FloatArray = (expected(log_probabilities, self.values) - numbers) ** 2
        return errors


@dataclass(frozen=True, eq=False)
class NumberScores(LabelScores):
    """Label scores of rows with numbers.

    Attributes:
        numbers: shape (n_rows,), those of the rows.
        values: shape (n_labels,), those of the labels.
        of_numbers: the metric; `metric`, which is of labels, is None.
    """

    numbers: FloatArray
    values: FloatArray
    of_numbers: NumberMetric

    @property
    def losses(self) -> FloatArray:
        if not isinstance(self.loss, SquaredError):
            return super().losses
        losses: FloatArray = self.loss.of_numbers(self.log_probabilities[None], self.numbers)[0]
        return losses

    @property
    def scores(self) -> FloatArray:
        """How far each row's expected number is off, less than zero."""
        return -np.abs(self._expected - self.numbers)

    @property
    def unreadable(self) -> int:
        return int((self._chosen < 0).sum())

    def measured(self) -> Measured | None:
        there = self.answered
        return self.of_numbers(self._expected[there], self.numbers[there]) if there.any() else None

    def take(self, places: Sequence[int]) -> Self:
        return replace(super().take(places), numbers=self.numbers[list(places)])

    def joined(self, others: Self) -> Self:
        return replace(super().joined(others), numbers=np.concatenate([self.numbers, others.numbers]))

    @property
    def _expected(self) -> FloatArray:
        return expected(self.log_probabilities, self.values)
