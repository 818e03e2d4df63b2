"""What every method hands back, and what it is measured by."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from blackbox.metrics import METRICS
from blackbox.split import Split

Predict = Callable[[Split], npt.NDArray[np.int64]]


class UnfitError(Exception):
    """A method that there is not for the model."""


@dataclass(frozen=True)
class Fitted:
    """A classifier and what it took. The test rows have no part in it.

    Attributes:
        predict: rows -> index of each one's label, -1 for none.
        forward_rows: rows that a model has read, a row behind another prompt counted again, dev rows included.
        backward_rows: rows that gradients were taken of.
        tunable: numbers that were fitted.
        details: more to tell, as JSON values.
    """

    predict: Predict
    forward_rows: int = 0
    backward_rows: int = 0
    tunable: int = 0
    details: dict[str, Any] = field(default_factory=dict)


def scores(fitted: Fitted, split: Split, *, n_labels: int) -> dict[str, dict[str, object]]:
    """Accuracy and macro-F1 on rows with their 95% intervals."""
    predicted = fitted.predict(split)
    return {name: metric(predicted, split.labels, n_labels).to_dict() for name, metric in METRICS.items()}
