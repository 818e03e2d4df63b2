"""Labels and figures for rows, from a saved prompt and the model that it was tuned for."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from blackbox.backends import Backend, chosen_options
from blackbox.figures import Figure, figure_of
from blackbox.losses import CrossEntropy
from blackbox.metrics import make_metric
from blackbox.saved_prompt import SavedPrompt
from blackbox.task import RawRow, make_split, render_rows
from blackbox.template import Template


@dataclass(frozen=True)
class Prediction:
    """A row's answer.

    Attributes:
        label: the most probable label; None where the backend gave no answer, or one that is no label word.
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
        self._backend, self._prompt = backend, saved.prompt
        self._template, self._blank = Template(saved.template), saved.blank

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
            RunError: the prompt is for targets, which are written and not chosen.
            DataError: a row lacks a field, or has null there.
        """
        self._blank.check_predicts()
        if not rows:
            return []
        scores = self._backend.score([self._prompt], render_rows(self._template, self._blank, rows))
        return [self._prediction(log_probabilities) for log_probabilities in scores.log_probabilities[0]]

    def evaluate(self, rows: Sequence[RawRow], *, metric: str) -> Figure | None:
        """The metric on rows with labels, the mean loss on rows with targets; None where the backend answered none.

        Raises:
            DataError: a row lacks a field, its label or its target.
        """
        if not rows:
            return None
        split = make_split("rows", rows, self._template, self._blank)
        log_probabilities = self._backend.score([self._prompt], split.queries).log_probabilities
        measured = self._blank.measure(make_metric(metric), log_probabilities[0], split.labels)
        answered = int((~np.isnan(log_probabilities[0]).any(axis=-1)).sum())
        return figure_of(measured, float(CrossEntropy()(log_probabilities, split.labels)[0]), rows=answered)

    def _prediction(self, log_probabilities: npt.NDArray[np.float64]) -> Prediction:
        if np.isnan(log_probabilities).any():
            return Prediction(None, {})
        labels = self._blank.labels
        shares = dict(zip(labels, np.exp(log_probabilities).tolist(), strict=True))
        chosen = int(chosen_options(log_probabilities))
        return Prediction(labels[chosen] if chosen >= 0 else None, shares)
