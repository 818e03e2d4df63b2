"""The arithmetic of ensembles and calibration, on log-probabilities of label words in nats.

What is missing from the exponentials of a row to one is the probability of an answer that is none of the label words
(`blackbox.backends.chosen_options`). An average keeps it, and calibration does not touch it: it moves probability
between labels only. Offsets are one number a label, nats, added to the log-probabilities; only their differences
matter, and here they sum to zero.
"""

import math

import numpy as np
import numpy.typing as npt

FloatArray = npt.NDArray[np.float64]


def averaged(log_probabilities: FloatArray) -> FloatArray:
    """The log of the members' mean probabilities.

    Args:
        log_probabilities: shape (n_members, n_rows, n_labels); NaN where a member has no answer.

    Returns:
        Shape (n_rows, n_labels): the mean over the members that have an answer, NaN where none has.
    """
    answered: npt.NDArray[np.bool_] = ~np.isnan(log_probabilities.sum(axis=-1, keepdims=True))
    sums: FloatArray = np.logaddexp.reduce(np.where(answered, log_probabilities, -np.inf), axis=0)
    counts = answered.sum(axis=0)
    return np.where(counts > 0, sums - np.log(np.maximum(counts, 1)), np.nan)


def calibrated(log_probabilities: FloatArray, offsets: FloatArray) -> FloatArray:
    """Log-probabilities with the offsets added, and again with the sum of probabilities that each row had.

    Args:
        log_probabilities: shape (n_rows, n_labels); NaN where a row has no answer.
        offsets: shape (n_labels,), finite.

    Returns:
        Shape (n_rows, n_labels).
    """
    shifted = log_probabilities + offsets
    with np.errstate(invalid="ignore"):  # a row in which no label has any probability: -inf less -inf
        found = shifted - _log_sum(shifted) + _log_sum(log_probabilities)
    return np.where(np.isneginf(log_probabilities), -np.inf, found)


def contextual_offsets(log_probabilities: FloatArray) -> FloatArray | None:
    """Contextual calibration (Zhao et al. 2021, arXiv 2102.09690, section 5): q = W p, W = diag(p_cf)^-1, normalised.

    Args:
        log_probabilities: shape (n_inputs, n_labels), of inputs without content; NaN where one has no answer.

    Returns:
        -log p_cf, p_cf being the mean over the inputs, shape (n_labels,); None where that is not finite.
    """
    known = _answered(log_probabilities)
    return _centred(math.log(len(known)) - np.logaddexp.reduce(known, axis=0)) if len(known) else None


def batch_offsets(log_probabilities: FloatArray) -> FloatArray | None:
    """Batch calibration (Zhou et al. 2024, arXiv 2309.17249), its bias estimated once from a batch of rows and kept.

    Args:
        log_probabilities: shape (n_rows, n_labels), of rows whose labels nobody looks at; NaN where one has no answer.

    Returns:
        The mean log-probability over the rows, with the sign turned, shape (n_labels,); None where that is not finite.
    """
    known = _answered(log_probabilities)
    return _centred(-known.mean(axis=0)) if len(known) else None


def _answered(log_probabilities: FloatArray) -> FloatArray:
    return log_probabilities[~np.isnan(log_probabilities).any(axis=-1)]


def _centred(offsets: FloatArray) -> FloatArray | None:
    return offsets - offsets.mean() if np.isfinite(offsets).all() else None


def _log_sum(log_probabilities: FloatArray) -> FloatArray:
    """Shape (n_rows, 1)."""
    sums: FloatArray = np.logaddexp.reduce(log_probabilities, axis=-1, keepdims=True)
    return sums
