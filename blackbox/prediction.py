"""Labels for rows, from a saved prompt and the model that it was tuned for."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from blackbox.backends import Backend
from blackbox.metrics import Measured, make_metric
from blackbox.saved_prompt import SavedPrompt
from blackbox.task import RawRow, read_labels, render_rows
from blackbox.template import Template


@dataclass(frozen=True)
class Prediction:
    """A row's answer.

    Attributes:
        label: the most probable label; None where the backend gave no answer.
        probabilities: label -> its share of the probability of all label words; empty without an answer.
    """

    label: str | None
    probabilities: dict[str, float]


class Predictor:
    """A backend behind a saved prompt.

    Raises:
        MismatchError: the backend's model is not the prompt's.
    """

    def __init__(self, backend: Backend, saved: SavedPrompt) -> None:
        saved.check(backend)
        self._backend, self._saved, self._template = backend, saved, Template(saved.template)

    def check_row(self, row: RawRow, *, where: str) -> None:
        """Refuse a row that `predict` would refuse; `where` names it.

        Raises:
            DataError: the row lacks a field, or has null there.
        """
        self._template.check(row, where=where)

    def predict(self, rows: Sequence[RawRow]) -> list[Prediction]:
        """Predictions for rows with the fields of the template; labels, if any, are not looked at.

        Args:
            rows: of any number.

        Raises:
            DataError: a row lacks a field, or has null there.
        """
        if not rows:
            return []
        queries = render_rows(self._template, self._saved.label_words, rows)
        scores = self._backend.score([self._saved.prompt], queries)
        return [self._prediction(log_probabilities) for log_probabilities in scores.log_probabilities[0]]

    def evaluate(self, rows: Sequence[RawRow], *, metric: str) -> Measured | None:
        """The metric on labelled rows; None where the backend answered none.

        Raises:
            DataError: a row lacks a field or its label.
        """
        labels = read_labels(rows, tuple(self._saved.label_words), self._saved.label_field)
        answered = [
            (list(self._saved.label_words).index(prediction.label), label)
            for prediction, label in zip(self.predict(rows), labels, strict=True)
            if prediction.label is not None
        ]
        if not answered:
            return None
        predicted, true = np.array(answered, dtype=np.int64).T
        return make_metric(metric)(predicted, true, len(self._saved.label_words))

    def _prediction(self, log_probabilities: npt.NDArray[np.float64]) -> Prediction:
        if np.isnan(log_probabilities).any():
            return Prediction(None, {})
        labels = list(self._saved.label_words)
        shares = dict(zip(labels, np.exp(log_probabilities).tolist(), strict=True))
        return Prediction(labels[int(log_probabilities.argmax())], shares)
