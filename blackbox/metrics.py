"""Metrics, reported beside the loss and never mixed up with it, with 95% intervals.

Those of labels are shares of one, and higher is better; those of numbers are in `blackbox.number_metrics`.
"""

import math
from dataclasses import asdict, dataclass
from typing import Protocol

import numpy as np
import numpy.typing as npt

from blackbox.errors import unknown_name
from blackbox.paired import Z_95, is_binary, t_interval

FloatArray = npt.NDArray[np.float64]
LabelArray = npt.NDArray[np.int64]
_RESAMPLES = 2000
UNITS = {"mae": "as in the rows", "pearson": "-1 to 1", "spearman": "-1 to 1"}
"""Of metrics that are no shares of one."""
ERRORS = ("mae",)
"""Metrics of which lower is better."""


@dataclass(frozen=True)
class Measured:
    """A metric on some rows, with its 95% interval: shares of one, but for metrics of numbers. A `Figure`."""

    metric: str
    value: float
    low: float
    high: float
    rows: int

    def __str__(self) -> str:
        return f"{self.brief} ({self._written(self.low)} to {self._written(self.high)}, {self.rows} rows)"

    def to_dict(self) -> dict[str, object]:
        """As the run's summary holds it."""
        return asdict(self)

    @property
    def interval(self) -> tuple[float, float]:
        return self.low, self.high

    @property
    def unit(self) -> str:
        return UNITS.get(self.metric, "%")

    @property
    def scale(self) -> float:
        return 100.0 if self._is_share else 1.0

    @property
    def brief(self) -> str:
        return self._written(self.value)

    @property
    def rank(self) -> float:
        return self.value if self.metric in ERRORS else -self.value

    def reaches(self, goal: float) -> bool:
        return self.value <= goal if self.metric in ERRORS else self.value >= goal

    def change_from(self, value: float) -> str:
        if not self._is_share:
            return f"{abs(self.value - value):.3f} {'more' if self.value >= value else 'less'}"
        points = 100 * (self.value - value)
        return f"{abs(points):.1f} percentage points {'more' if points >= 0 else 'less'}"

    @property
    def _is_share(self) -> bool:
        return self.metric not in UNITS

    def _written(self, value: float) -> str:
        return f"{value:.1%}" if self._is_share else f"{value:.3f}"


class Metric(Protocol):
    """Predicted and true label indices, each of shape (n_rows,), and the number of labels -> the metric.

    A prediction of -1 is none of the labels: wrong, and no false positive of any label.
    """

    def __call__(self, predicted: LabelArray, labels: LabelArray, n_labels: int) -> Measured: ...


class Accuracy:
    """Share of right rows with Wilson's score interval (Wilson 1927, doi:10.2307/2276774)."""

    def __call__(self, predicted: LabelArray, labels: LabelArray, n_labels: int) -> Measured:
        n = len(labels)
        share = float(np.mean(predicted == labels))
        low, high = wilson_interval(share, n)
        return Measured("accuracy", share, low, high, n)


class MacroF1:
    """Mean over the labels of F1; the interval is the bootstrap's percentiles over rows (Efron 1979), seed fixed.

    A label that is neither predicted nor true counts as F1 = 0, as scikit-learn's `zero_division=0`.
    """

    def __call__(self, predicted: LabelArray, labels: LabelArray, n_labels: int) -> Measured:
        n = len(labels)
        cells, counts = np.unique(labels * (n_labels + 1) + predicted % (n_labels + 1), return_counts=True)
        true, found = cells // (n_labels + 1), cells % (n_labels + 1)
        draws = np.random.default_rng(0).multinomial(n, counts / n, size=_RESAMPLES)
        low, high = np.quantile(_f1_of_counts(draws, true, found, n_labels), [0.025, 0.975])
        return Measured("macro-f1", macro_f1(predicted, labels, n_labels), float(low), float(high), n)


def mean_interval(values: FloatArray) -> tuple[float, float]:
    """95% interval of a mean of some values: Wilson's where all are 0 or 1, else Student's."""
    return wilson_interval(float(values.mean()), len(values)) if is_binary(values) else t_interval(values)


def measured_mean(name: str, scores: FloatArray) -> Measured:
    """The mean of scores from 0 to 1 with its interval, cut to that range."""
    low, high = mean_interval(scores)
    return Measured(name, float(scores.mean()), max(low, 0.0), min(high, 1.0), len(scores))


def wilson_interval(share: float, n: int) -> tuple[float, float]:
    """Wilson's 95% interval of a share seen on n rows."""
    centre = (share + Z_95**2 / (2 * n)) / (1 + Z_95**2 / n)
    half = Z_95 / (1 + Z_95**2 / n) * math.sqrt(share * (1 - share) / n + Z_95**2 / (4 * n**2))
    return centre - half if share > 0 else 0.0, centre + half if share < 1 else 1.0


def macro_f1(predicted: LabelArray, labels: LabelArray, n_labels: int) -> float:
    """Unweighted mean over the labels of F1 = 2 TP / (2 TP + FP + FN)."""
    return float(_f1_of_counts(np.ones((1, len(labels))), labels, predicted, n_labels)[0])


def _f1_of_counts(counts: npt.ArrayLike, true: LabelArray, predicted: LabelArray, n_labels: int) -> FloatArray:
    """Macro-F1 of samples that hold each (true, predicted) pair so many times.

    Args:
        counts: shape (n_samples, n_pairs).
        true, predicted: shape (n_pairs,); a prediction of -1 or `n_labels` is none of the labels.

    Returns:
        Shape (n_samples,).
    """
    times, identity = np.asarray(counts, dtype=np.float64), np.eye(n_labels + 1)[:, :n_labels]
    hits = times[:, true == predicted] @ identity[true[true == predicted]]
    either = times @ (identity[true] + identity[predicted])
    f1: FloatArray = np.where(either > 0, 2 * hits / np.maximum(either, 1), 0.0).mean(axis=-1)
    return f1


def make_metric(name: str) -> Metric:
    """A metric by name.

    Raises:
        UnknownNameError: no metric has this name.
    """
    if name not in METRICS:
        raise unknown_name("metric", name, METRICS)
    return METRICS[name]


METRICS: dict[str, Metric] = {"accuracy": Accuracy(), "macro-f1": MacroF1()}
