"""Labels and figures for rows, from a saved prompt and the model that it was tuned for."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from blackbox.backends import Backend, chosen_options
from blackbox.figures import Figure, figure_of
from blackbox.graders import ScoreGrader
from blackbox.losses import CrossEntropy, mean_loss
from blackbox.metrics import make_metric
from blackbox.saved_prompt import SavedPrompt
from blackbox.split import RawRow, make_split


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
        self._backend, self._prompt, self._form = backend, saved.prompt, saved.form

    def check_row(self, row: RawRow, *, where: str) -> None:
        """Refuse a row that `predict` would refuse; `where` names it.

        Raises:
            DataError: the row lacks a field, or has null there.
        """
        self._form.template.check(row, where=where)

    def predict(self, rows: Sequence[RawRow]) -> list[Prediction]:
        """Predictions for rows with the fields of the template; labels, if any, are not looked at.

        Args:
            rows: of any number.

        Raises:
            RunError: the prompt is for targets, which are written and not chosen.
            DataError: a row lacks a field, or has null there.
        """
        self._form.blank.check_predicts()
        if not rows:
            return []
        scores = self._backend.score([self._prompt], self._form.queries(rows))
        return [self._prediction(log_probabilities) for log_probabilities in scores.log_probabilities[0]]

    def evaluate(self, rows: Sequence[RawRow], *, metric: str) -> Figure | None:
        """The metric on rows with labels, the mean loss on rows with targets; None where the backend answered none.

        Raises:
            DataError: a row lacks a field, its label or its target.
        """
        if not rows:
            return None
        blank = self._form.blank
        grader = ScoreGrader(blank, CrossEntropy(), make_metric(metric) if blank.labels else None)
        answers, _ = grader.ask(self._backend, [self._prompt], make_split("rows", rows, self._form))[0]
        return figure_of(answers.measured(), mean_loss(answers.losses), rows=int(answers.answered.sum()))

    def _prediction(self, log_probabilities: npt.NDArray[np.float64]) -> Prediction:
        if np.isnan(log_probabilities).any():
            return Prediction(None, {})
        labels = self._form.blank.labels
        shares = dict(zip(labels, np.exp(log_probabilities).tolist(), strict=True))
        chosen = int(chosen_options(log_probabilities))
        return Prediction(labels[chosen] if chosen >= 0 else None, shares)
