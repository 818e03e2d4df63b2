"""Readouts: how what the model computes for a row tells its label, fitted behind each prompt anew."""

from typing import ClassVar, Protocol, Self

import numpy as np
import numpy.typing as npt

from blackbox.backends import Capability

FloatArray = npt.NDArray[np.float64]
LabelArray = npt.NDArray[np.int64]


class Readout(Protocol):
    """What tells labels behind one prompt. Its attributes are arrays and numbers, which is how it is saved.

    Attributes:
        reads: what the backend has to show of each row: the hidden state at the blank (`Capability.STATES`) or the
            log-probabilities of the label words (`Capability.LABEL_SCORES`), called its state below.
    """

    reads: ClassVar[Capability]

    @classmethod
    def of(cls, states: FloatArray, labels: LabelArray, n_labels: int) -> Self:
        """The one of training rows: states of shape (n_rows, width), labels of shape (n_rows,)."""

    def log_probabilities(self, states: FloatArray) -> FloatArray:
        """Of the labels, nats, shape (n_rows, n_labels), from states of shape (n_rows, width); NaN where they are.

        Row by row: the answer to a row is the same bit for bit in any company.
        """

    def of_training_rows(self, states: FloatArray, labels: LabelArray, rows: LabelArray) -> FloatArray:
        """The same of some of the training rows, each left out of what its own answer is read by.

        Args:
            states, labels: all training rows, as of `of`.
            rows: the numbers of those that are scored.
        """


def normalised(logits: FloatArray) -> FloatArray:
    """Log-probabilities from logits of shape (..., n_labels); NaN where they are."""
    with np.errstate(invalid="ignore"):  # of rows without states
        found: FloatArray = logits - np.logaddexp.reduce(logits, axis=-1, keepdims=True)
    return found
