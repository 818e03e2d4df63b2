"""Labels as directions of hidden states: the representative verbalizer of MetaPrompter (arXiv 2306.00618, section 4.2).

The representation v_y of a label is the mean of what the model's output head reads at the blank, over the label's
training rows behind the same prompt. A row with the state h has

    p(y) = exp(rho cos(v_y, h)) / sum_y' exp(rho cos(v_y', h)).

Three things differ. The mean of all training rows is taken off first, from v_y and h: states of language models share a
large common part, which leaves all cosines near 1. Where a training row is scored, its own state is left out of its
label's mean, so that the loss of the search does not see the row's label. And rho, 10 there, is for each prompt the one
of a few under which the training rows, left out so, are the likeliest: cosines of centred states need less.
"""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from blackbox.backends import Capability
from blackbox.verbalizers.readout import FloatArray, LabelArray, normalised

_RHOS = (1.0, 2.0, 3.0, 5.0, 10.0, 20.0)
_TINY = 1e-12


@dataclass(frozen=True, eq=False)
class ClassMeans:
    """What labels are behind one prompt.

    Attributes:
        centre: shape (width,), the mean state of the training rows.
        means: shape (n_labels, width), v_y less the centre.
        rho: see the module.
    """

    centre: FloatArray
    means: FloatArray
    rho: float

    reads: ClassVar[Capability] = Capability.STATES

    @classmethod
    def of(cls, states: FloatArray, labels: LabelArray, n_labels: int) -> "ClassMeans":
        """As of `Readout`."""
        centre = states.mean(axis=0)
        means = np.array([states[labels == label].mean(axis=0) for label in range(n_labels)])
        found = [cls(centre, means - centre, rho) for rho in _RHOS]
        return min(found, key=lambda one: one.training_loss(states, labels))

    def training_loss(self, states: FloatArray, labels: LabelArray) -> float:
        """Mean of -log p of the training rows' labels, each without itself; inf where none has a state."""
        rows = np.arange(len(labels))
        of_rows = -self.of_training_rows(states, labels, rows)[rows, labels]
        return float(np.nanmean(of_rows)) if np.isfinite(of_rows).any() else np.inf

    def log_probabilities(self, states: FloatArray) -> FloatArray:
        """As of `Readout`."""
        return normalised(self.rho * _cosines(states - self.centre, self.means[None]))

    def of_training_rows(self, states: FloatArray, labels: LabelArray, rows: LabelArray) -> FloatArray:
        """As of `Readout`: each without itself in the mean of its label, unless it is the only one of it."""
        counts = np.bincount(labels, minlength=len(self.means))
        own, n = labels[rows], counts[labels[rows]][:, None]
        means = np.repeat(self.means[None], len(rows), axis=0)
        without = (n * self.means[own] - (states[rows] - self.centre)) / np.maximum(n - 1, 1)
        means[np.arange(len(rows)), own] = np.where(n > 1, without, self.means[own])
        return normalised(self.rho * _cosines(states[rows] - self.centre, means))


def _cosines(states: FloatArray, means: FloatArray) -> FloatArray:
    """Shape (n_rows, n_labels), from (n_rows, width) and (1 or n_rows, n_labels, width); row by row, bit for bit."""
    products = (states[:, None] * means).sum(axis=-1)
    lengths = np.linalg.norm(states, axis=-1)[:, None] * np.linalg.norm(means, axis=-1)
    cosines: FloatArray = products / np.maximum(lengths, _TINY)
    return cosines
