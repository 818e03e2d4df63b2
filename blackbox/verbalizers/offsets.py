"""Labels as calibrated label words: the model's label scores, with an offset for each label behind each prompt.

A model that prefers one label word whatever the row says is wrong about where the labels part, not about the rows; a
prompt that only moves this border is not worth a search. So the search goes by what is left when the border is right:

    p(y) = softmax(log p_model(word of y) + b_y),

where b are the offsets under which the training rows are the likeliest (a logistic regression with the intercepts alone
free, and a slight penalty, by which labels that the rows tell apart without error keep finite offsets). Where a
training row is scored, its own part is taken out of the fit by one Newton step, which is approximate leave-one-out
cross-validation (Beirami et al. 2017, arXiv 1707.07770, section 3).

Contextual and batch calibration (`blackbox.finishing.formulas`) estimate offsets without labels, once, after a search.
"""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import numpy.typing as npt

from blackbox.backends import Capability
from blackbox.finishing.formulas import calibrated
from blackbox.verbalizers.readout import FloatArray, LabelArray, normalised

_PENALTY = 0.01  # of half the squared offsets, beside the sum over the rows
_STEPS, _HALVINGS, _CLOSE = 50, 30, 1e-10


@dataclass(frozen=True, eq=False)
class Offsets:
    """What labels are behind one prompt.

    Attributes:
        offsets: shape (n_labels,), nats; they sum to zero.
    """

    offsets: FloatArray

    reads: ClassVar[Capability] = Capability.LABEL_SCORES

    @classmethod
    def of(cls, states: FloatArray, labels: LabelArray, n_labels: int) -> "Offsets":
        """As of `Readout`; `states` are log-probabilities. Rows in which a label has none have no part in it."""
        known = _known(states)
        scores, right = normalised(states[known]), np.eye(n_labels)[labels[known]]
        offsets = np.zeros(n_labels)
        for _ in range(_STEPS):
            shares = np.exp(normalised(scores + offsets))
            slope = (shares - right).sum(axis=0) + _PENALTY * offsets
            step = np.linalg.solve(_curvatures(shares).sum(axis=0) + _PENALTY * np.eye(n_labels), slope)
            offsets = _descended(scores, right, offsets, step)
            if np.abs(step).max() < _CLOSE:
                break
        return cls(offsets - offsets.mean())

    def log_probabilities(self, states: FloatArray) -> FloatArray:
        """As of `Readout`, from log-probabilities."""
        return calibrated(states, self.offsets)

    def of_training_rows(self, states: FloatArray, labels: LabelArray, rows: LabelArray) -> FloatArray:
        """As of `Readout`, from log-probabilities."""
        known = _known(states)
        shares = np.exp(normalised(states + self.offsets))
        curvatures = np.where(known[:, None, None], _curvatures(shares), 0.0)
        slopes = np.where(known[:, None], shares - np.eye(len(self.offsets))[labels], 0.0)
        others = curvatures.sum(axis=0) + _PENALTY * np.eye(len(self.offsets)) - curvatures[rows]
        without = self.offsets + np.linalg.solve(others, slopes[rows][..., None])[..., 0]
        return calibrated(states[rows], without)


def _known(scores: FloatArray) -> npt.NDArray[np.bool_]:
    """Shape (n_rows,): whether all labels of a row have a probability."""
    return np.array(np.isfinite(scores).all(axis=1))


def _descended(scores: FloatArray, right: FloatArray, offsets: FloatArray, step: FloatArray) -> FloatArray:
    """The offsets less the step, or less a part of it where the whole one leads up."""

    def loss(at: FloatArray) -> float:
        return -float((right * normalised(scores + at)).sum()) + _PENALTY * float(at @ at) / 2

    here = loss(offsets)
    for _ in range(_HALVINGS):
        if loss(offsets - step) <= here:
            return offsets - step
        step = step / 2
    return offsets


def _curvatures(shares: FloatArray) -> FloatArray:
    """Of each row's loss in the offsets, shape (n_rows, n_labels, n_labels)."""
    return np.eye(shares.shape[1]) * shares[:, None] - shares[:, :, None] * shares[:, None]
