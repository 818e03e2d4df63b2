"""Labels as a linear reading of hidden states: ridge regression on what the model's output head reads at the blank.

The states of the training rows behind a prompt, less their mean and over their standard deviation in each dimension,
are X, shape (n_rows, width); the rows' labels, one-hot and less their mean b, are Y. With K = X X' / width,

    f(h) = b + x(h) X' (K + penalty I)^-1 Y / width    and    p = softmax(scale f(h)).

It is fitted in closed form, in less time than a forward pass takes. Where a training row is scored, it is left out of
the fit, so that the loss of the search is the cross-validated one: with H = K (K + penalty I)^-1, f_i is then
b + (H_i Y - H_ii y_i) / (1 - H_ii) (PRESS: Allen 1974; Rifkin and Lippert, MIT-CSAIL-TR-2007-025, section 4). Penalty
and scale are, for each prompt, those under which the training rows, left out so, are the likeliest.
"""

from dataclasses import dataclass
from itertools import product
from typing import ClassVar

import numpy as np

from blackbox.backends import Capability
from blackbox.verbalizers.readout import FloatArray, LabelArray, normalised

_PENALTIES = (0.3, 1.0, 3.0, 10.0)
_SCALES = (1.0, 2.0, 3.0, 5.0, 8.0, 12.0, 20.0)
_TINY = 1e-12


@dataclass(frozen=True, eq=False)
class Ridge:
    """What labels are behind one prompt.

    Attributes:
        centre, spread: shape (width,), mean and standard deviation of the training rows' states.
        weights: shape (n_labels, width).
        bias: shape (n_labels,), the labels' shares of the training rows.
        penalty, scale: see the module.
    """

    centre: FloatArray
    spread: FloatArray
    weights: FloatArray
    bias: FloatArray
    penalty: float
    scale: float

    reads: ClassVar[Capability] = Capability.STATES

    @classmethod
    def of(cls, states: FloatArray, labels: LabelArray, n_labels: int) -> "Ridge":
        """As of `Readout`; of states that are no numbers, one that tells nothing."""
        bias = np.bincount(labels, minlength=n_labels) / len(labels)
        centre, spread = states.mean(axis=0), states.std(axis=0) + _TINY
        if not np.isfinite(states).all():
            return cls(centre, spread, np.full((n_labels, states.shape[1]), np.nan), bias, _PENALTIES[0], _SCALES[0])
        x, y, rows = (states - centre) / spread, np.eye(n_labels)[labels] - bias, np.arange(len(labels))
        values, vectors = np.linalg.eigh(x @ x.T / x.shape[1])
        left_out = {penalty: bias + _left_out(values, vectors, y, penalty) for penalty in _PENALTIES}

        def loss(choice: tuple[float, float]) -> float:
            penalty, scale = choice
            return -float(normalised(scale * left_out[penalty])[rows, labels].mean())

        penalty, scale = min(product(_PENALTIES, _SCALES), key=loss)
        duals = vectors @ ((vectors.T @ y) / (values + penalty)[:, None])
        return cls(centre, spread, duals.T @ x / x.shape[1], bias, penalty, scale)

    def log_probabilities(self, states: FloatArray) -> FloatArray:
        """As of `Readout`."""
        read = np.einsum("rw,lw->rl", (states - self.centre) / self.spread, self.weights)  # no BLAS: row by row
        return normalised(self.scale * (self.bias + read))

    def of_training_rows(self, states: FloatArray, labels: LabelArray, rows: LabelArray) -> FloatArray:
        """As of `Readout`."""
        if not np.isfinite(self.weights).all():
            return np.full((len(rows), len(self.bias)), np.nan)
        x, y = (states - self.centre) / self.spread, np.eye(len(self.bias))[labels] - self.bias
        values, vectors = np.linalg.eigh(x @ x.T / x.shape[1])
        return normalised(self.scale * (self.bias + _left_out(values, vectors, y, self.penalty)[rows]))


def _left_out(values: FloatArray, vectors: FloatArray, y: FloatArray, penalty: float) -> FloatArray:
    """What is read of each row when only the others are fitted, less the bias, shape (n_rows, n_labels), as y.

    `values` and `vectors` are the eigenvalues and eigenvectors of K.
    """
    hat = (vectors * (values / (values + penalty))) @ vectors.T
    own = np.diag(hat)[:, None]
    found: FloatArray = (hat @ y - own * y) / (1 - own)
    return found
