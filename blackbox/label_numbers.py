"""Labels that are numbers: a row has any number, a few numbers have words, and the expected one is the prediction."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from blackbox.errors import DataError
from blackbox.filling import Prediction
from blackbox.label_words import LabelWords, Row
from blackbox.losses import completed


@dataclass(frozen=True)
class LabelNumbers(LabelWords):
    """As label words whose labels are numbers, e.g. {"1": "terrible", "3": "okay", "5": "great"}.

    The label of a row is the nearest to its number, the lower one of two: what stands with it where rows are shown.
    `label_field` is the field that holds the number.

    Raises:
        DataError: a label that is no number, or two that are the same one.
    """

    def __post_init__(self) -> None:
        for label in self.labels:
            if _number(label) is None:
                raise DataError(f"labels must be numbers where rows have a number_field, got {label!r} in label_words")
        if len(set(self.values.tolist())) < len(self.labels):
            raise DataError(f"labels of numbers must be different numbers, got {', '.join(self.labels)}")

    @property
    def sampled_by(self) -> None:
        """Any rows will do."""
        return None

    @property
    def terms(self) -> dict[str, object]:
        return {**super().terms, "number_field": self.label_field}

    @property
    def values(self) -> npt.NDArray[np.float64]:
        """The numbers of the labels, shape (n_labels,)."""
        return np.array([float(label) for label in self.labels])

    def numbers(self, rows: Sequence[Row], *, where: str) -> npt.NDArray[np.float64]:
        """The number of each row, shape (n_rows,).

        Raises:
            DataError: a row has none, or something else.
        """
        found = [_number(row.get(self.label_field)) for row in rows]
        for place, (row, number) in enumerate(zip(rows, found, strict=True), start=1):
            if number is None:
                got = row.get(self.label_field)
                raise DataError(
                    f"{where} row {place} must have a finite number in its field {self.label_field!r}, got {got!r}"
                )
        return np.array(found, dtype=np.float64)

    def right_options(self, rows: Sequence[Row], *, where: str) -> npt.NDArray[np.int64]:
        """The label that is nearest to each row's number."""
        ordered = np.argsort(self.values)
        distances = np.abs(self.numbers(rows, where=where)[:, None] - self.values[ordered])
        nearest: npt.NDArray[np.int64] = ordered[distances.argmin(axis=-1)]
        return nearest

    def chosen(self, log_probabilities: npt.NDArray[np.float64]) -> list[Prediction]:
        numbers = expected(log_probabilities, self.values).tolist()
        return [
            one if math.isnan(number) else replace(one, number=number)
            for one, number in zip(super().chosen(log_probabilities), numbers, strict=True)
        ]


def expected(log_probabilities: npt.NDArray[np.float64], values: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """The expected number, sum of p(label) times its number, shape (...), from shape (..., n_labels); NaN stays."""
    found: npt.NDArray[np.float64] = (completed(log_probabilities) * values).sum(axis=-1)
    return found


def _number(value: object) -> float | None:
    """None where it is no finite number."""
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return None
    try:
        number = float(value)
    except ValueError:
        return None
    return number if math.isfinite(number) else None
