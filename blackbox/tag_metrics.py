"""Metrics of tagged tokens, with 95% intervals over sentences: the tokens of one are no independent rows.

Each is a function of counts that are added up over sentences; the interval is the bootstrap's percentiles over
sentences (Field & Welsh 2007, doi:10.1111/j.1467-9868.2007.00593.x, the cluster bootstrap), seed fixed.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from blackbox.errors import SettingError, unknown_name
from blackbox.metrics import Measured

FloatArray = npt.NDArray[np.float64]
LabelArray = npt.NDArray[np.int64]
Span = tuple[str, int, int]
"""A type, the first token and the last."""

_RESAMPLES = 2000


@dataclass(frozen=True)
class TagMetric:
    """A metric by its counts.

    Attributes:
        name: as it stands in figures.
        count: predicted and true labels of a sentence's tokens, each of shape (n_tokens,), -1 for none of them, and
            the labels -> counts, shape (n_counts,).
        value: sums of counts, shape (..., n_counts) -> the metric, shape (...).
    """

    name: str
    count: Callable[[LabelArray, LabelArray, Sequence[str]], FloatArray]
    value: Callable[[FloatArray], FloatArray]

    def __call__(
        self, predicted: LabelArray, true: LabelArray, sentences: LabelArray, labels: Sequence[str]
    ) -> Measured:
        """The metric of tokens, all arrays of shape (n_tokens,); tokens of a sentence in their order."""
        groups = [sentences == sentence for sentence in np.unique(sentences)]
        counts = np.array([self.count(predicted[group], true[group], labels) for group in groups])
        n = len(groups)
        draws = np.random.default_rng(0).multinomial(n, np.full(n, 1 / n), size=_RESAMPLES)
        low, high = np.quantile(self.value(draws @ counts), [0.025, 0.975])
        return Measured(self.name, float(self.value(counts.sum(axis=0))), float(low), float(high), len(true))


def spans(tags: Sequence[str]) -> set[Span]:
    """The spans of a sentence's tags in IOB2 (Tjong Kim Sang & Veenstra 1999), as CoNLL's script conlleval reads them.

    A span begins at `B-type`, and at an `I-type` behind another type or outside of any.
    """
    found, begin, kind = set(), 0, ""
    for place, tag in enumerate([*tags, "O"]):
        prefix, _, own = tag.partition("-")
        if kind and (prefix != "I" or own != kind):
            found.add((kind, begin, place - 1))
            kind = ""
        if prefix in ("B", "I") and not kind:
            begin, kind = place, own
    return found


def make_tag_metric(name: str, labels: Sequence[str]) -> TagMetric:
    """A metric by name.

    Raises:
        UnknownNameError: no metric of tags has this name.
        SettingError: spans of labels that are not in IOB2.
    """
    if name not in TAG_METRICS:
        raise unknown_name("metric of tags", name, TAG_METRICS)
    if name == "span-f1" and (odd := [label for label in labels if not _is_iob2(label)]):
        raise SettingError(f"metric 'span-f1' needs tags in IOB2: O, B-type and I-type; got {odd[0]!r}")
    return TAG_METRICS[name]


def _is_iob2(label: str) -> bool:
    return label == "O" or (label[:2] in ("B-", "I-") and len(label) > len("B-"))


def _right(predicted: LabelArray, true: LabelArray, labels: Sequence[str]) -> FloatArray:
    return np.array([np.sum(predicted == true), len(true)], dtype=np.float64)


def _of_labels(predicted: LabelArray, true: LabelArray, labels: Sequence[str]) -> FloatArray:
    """Hits of each label, then how often it is predicted and true."""
    n = len(labels)
    hits = np.bincount(true[predicted == true], minlength=n)
    either = np.bincount(true, minlength=n) + np.bincount(predicted[predicted >= 0], minlength=n)
    return np.concatenate([hits, either]).astype(np.float64)


def _of_spans(predicted: LabelArray, true: LabelArray, labels: Sequence[str]) -> FloatArray:
    """Spans that are found with their type and both ends, then those predicted and true."""
    found, wanted = (spans(["O" if one < 0 else labels[one] for one in tags]) for tags in (predicted, true))
    return np.array([len(found & wanted), len(found) + len(wanted)], dtype=np.float64)


def _share(counts: FloatArray) -> FloatArray:
    shares: FloatArray = counts[..., 0] / counts[..., 1]
    return shares


def _f1(counts: FloatArray) -> FloatArray:
    """2 hits / (predicted + true), mean over the labels; 0 where a label is neither."""
    hits, either = np.split(counts, 2, axis=-1)
    f1: FloatArray = (2 * hits / np.maximum(either, 1)).mean(axis=-1)
    return f1


TAG_METRICS = {
    "accuracy": TagMetric("accuracy", _right, _share),
    "macro-f1": TagMetric("macro-f1", _of_labels, _f1),
    "span-f1": TagMetric("span-f1", _of_spans, _f1),
}
