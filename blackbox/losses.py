"""Losses over the log-probabilities of label words or targets: lower is better, one number a prompt.

All take log-probabilities of shape (n_prompts, n_rows, n_labels), nats, NaN where a row has no answer, and label
indices of shape (n_rows,); all return shape (n_prompts,). Targets are one label a row, and only the cross-entropy has a
meaning for them. A row without an answer is left out of the mean; a prompt
without any answer has the loss inf. A prompt's loss does not depend on the others of the call, bit for bit.
"""

from abc import ABC, abstractmethod
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from blackbox.backends import chosen_options
from blackbox.errors import SettingError, unknown_name

FloatArray = npt.NDArray[np.float64]
LabelArray = npt.NDArray[np.int64]


class Loss(ABC):
    """See the module."""

    def __call__(self, log_probabilities: FloatArray, labels: LabelArray) -> FloatArray:
        return self.mean(self.of_rows(log_probabilities, labels), labels)

    def mean(self, of_rows: FloatArray, labels: LabelArray) -> FloatArray:
        """The mean over the rows that have an answer, shape (n_prompts,), from losses of shape (n_prompts, n_rows)."""
        return _mean_over_rows(of_rows)

    @abstractmethod
    def of_rows(self, log_probabilities: FloatArray, labels: LabelArray) -> FloatArray:
        """The loss of each row, shape (n_prompts, n_rows); NaN where it has no answer."""


class CrossEntropy(Loss):
    """Mean of -log p(label), nats; of targets -log p(target), over all their tokens."""

    def of_rows(self, log_probabilities: FloatArray, labels: LabelArray) -> FloatArray:
        return -_of_labels(log_probabilities, labels)


@dataclass(frozen=True)
class Hinge(Loss):
    """Multi-class margin loss (Weston & Watkins 1999): sum over k != y of max(0, margin - (x_y - x_k)) / n_labels.

    Differences of log-probabilities are differences of logits, so the margin is one of logits, as in BBT.
    """

    margin: float = 2.0

    def of_rows(self, log_probabilities: FloatArray, labels: LabelArray) -> FloatArray:
        behind = self.margin - (_of_labels(log_probabilities, labels)[..., None] - log_probabilities)
        behind = np.maximum(behind, 0)
        behind[:, np.arange(len(labels)), labels] = 0
        rows: FloatArray = behind.sum(axis=-1) / log_probabilities.shape[-1]
        return rows


class ErrorRate(Loss):
    """Share of rows whose most probable label word is not their label's."""

    def of_rows(self, log_probabilities: FloatArray, labels: LabelArray) -> FloatArray:
        unanswered = np.isnan(log_probabilities).any(axis=-1)
        return np.where(unanswered, np.nan, chosen_options(log_probabilities) != labels)


class RankedProbability(Loss):
    """Ranked probability score (Epstein 1969, doi:10.1175/1520-0450(1969)008<0985:ASSFPF>2.0.CO;2), from 0 to 1.

    With F the cumulated probabilities of K labels in their order, and O those of the right one (0 before it, then 1):
    sum over k < K of (F_k - O_k)^2 / (K - 1). What is far from the label costs more than what stands next to it.
    """

    def of_rows(self, log_probabilities: FloatArray, labels: LabelArray) -> FloatArray:
        n_labels = log_probabilities.shape[-1]
        F = completed(log_probabilities).cumsum(axis=-1)[..., :-1]
        O = np.arange(n_labels - 1) >= labels[:, None]  # noqa: E741 - as printed
        rows: FloatArray = ((F - O) ** 2).sum(axis=-1) / (n_labels - 1)
        return rows


@dataclass(frozen=True)
class Weighted(Loss):
    """Another loss whose rows count as much as their labels weigh.

    A row's loss is multiplied by the weight of its label, and the mean is sum of w_i l_i / sum of w_i over the rows
    that have an answer.

    Attributes:
        loss: the other.
        weights: of the labels, in their order; `blackbox.class_weights` makes them.
    """

    loss: Loss
    weights: tuple[float, ...]

    def of_rows(self, log_probabilities: FloatArray, labels: LabelArray) -> FloatArray:
        return self.loss.of_rows(log_probabilities, labels) * self._of_rows(labels)

    def mean(self, of_rows: FloatArray, labels: LabelArray) -> FloatArray:
        weights = _mean_over_rows(np.where(np.isnan(of_rows), np.nan, self._of_rows(labels)))
        return _mean_over_rows(of_rows) / np.where(np.isfinite(weights), weights, 1)

    def _of_rows(self, labels: LabelArray) -> FloatArray:
        return np.array(self.weights)[labels]


def completed(log_probabilities: FloatArray) -> FloatArray:
    """Probabilities of the options that sum to one, shape (..., n_options); NaN stays.

    What is missing from one, the probability of an answer that is none of them, is spread evenly over them.
    """
    probabilities = np.exp(log_probabilities)
    missing = np.maximum(1 - probabilities.sum(axis=-1, keepdims=True), 0)
    found: FloatArray = probabilities + missing / log_probabilities.shape[-1]
    return found


def mean_loss(of_rows: FloatArray) -> float:
    """The mean over the rows of one prompt that have an answer, from losses of shape (n_rows,); inf without any."""
    return float(_mean_over_rows(of_rows[None])[0])


def make_loss(name: str, *, margin: float = 2.0) -> Loss:
    """A loss by name.

    Raises:
        SettingError: an unknown name, or a margin that is not positive.
    """
    if not margin > 0:
        raise SettingError(f"margin must be positive, got {margin}")
    losses: dict[str, Loss] = {
        "cross-entropy": CrossEntropy(),
        "hinge": Hinge(margin),
        "error-rate": ErrorRate(),
        "ranked-probability": RankedProbability(),
    }
    if name not in losses:
        raise unknown_name("loss", name, losses)
    return losses[name]


def _of_labels(log_probabilities: FloatArray, labels: LabelArray) -> FloatArray:
    return log_probabilities[:, np.arange(len(labels)), labels]


def _mean_over_rows(values: FloatArray) -> FloatArray:
    values = np.ascontiguousarray(values)  # the order of a sum follows the memory, and must not depend on company
    answered = ~np.isnan(values)
    counts = answered.sum(axis=-1)
    sums = np.where(answered, values, 0).sum(axis=-1)
    return np.where(counts > 0, sums / np.maximum(counts, 1), np.inf)
