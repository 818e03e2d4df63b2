"""Class weights: how much the rows of each label count in the loss, where labels are not equally many."""

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from blackbox.errors import SettingError

BALANCED = "balanced"


def class_weights(given: str | Mapping[str, float], labels: Sequence[str], counts: Sequence[int]) -> tuple[float, ...]:
    """The weights of the labels, in their order, so scaled that those of the training rows have the mean 1.

    Args:
        given: "balanced" is n / (k c) for a label with c of n rows and k labels, as scikit-learn's `class_weight`
            (King & Zeng 2001, doi:10.1093/oxfordjournals.pan.a004868); or the weight of each label.
        labels: of the task.
        counts: the training rows of each label; one without any (a rare tag) weighs as one with a single row.

    Raises:
        SettingError: another word, an unknown label, one without a weight, or a weight that is not positive.
    """
    n, of_label = sum(counts), np.array(counts, dtype=np.float64)
    if isinstance(given, str):
        if given != BALANCED:
            raise SettingError(f"class_weights must be 'balanced' or map labels to weights, got {given!r}")
        return tuple((n / (np.sum(of_label > 0) * np.maximum(of_label, 1))).tolist())
    weights = _of_labels(given, labels)
    return tuple((weights * n / (weights @ of_label)).tolist())


def as_settings(given: str | Mapping[Any, float] | None) -> str | dict[str, float] | None:
    """The same as `blackbox.Config` has it: labels as text, weights as floating-point numbers.

    Raises:
        SettingError: a weight that is no positive number.
    """
    if not isinstance(given, Mapping):
        return given
    for label, weight in given.items():
        if not isinstance(weight, int | float) or not 0 < weight < math.inf:
            raise SettingError(f"the class weight of {label!r} must be positive and finite, got {weight!r}")
    return {str(label): float(weight) for label, weight in given.items()}


def _of_labels(given: Mapping[str, float], labels: Sequence[str]) -> np.ndarray[Any, np.dtype[np.float64]]:
    if unknown := sorted(given.keys() - set(labels)):
        raise SettingError(f"class_weights has label {unknown[0]!r}, which is not in label_words: {', '.join(labels)}")
    for label in labels:
        if label not in given:
            raise SettingError(f"class_weights has no weight for label {label!r}")
    return np.array([given[label] for label in labels], dtype=np.float64)
