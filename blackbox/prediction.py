"""Answers and figures for rows, from a saved prompt and the model that it was tuned for."""

from collections.abc import Sequence

from blackbox.backends import Backend
from blackbox.figures import Figure, figure_of
from blackbox.filling import Prediction
from blackbox.graders import ANSWER_TOKENS, Grader, make_grader
from blackbox.row_answers import RowAnswers
from blackbox.saved_prompt import SavedPrompt
from blackbox.split import RawRow, Split, make_split
from blackbox.tables import Rows, rows_of
from blackbox.text_metrics import TextFunction
from blackbox.verbalizers.grader import answers_of, log_probabilities


class Predictor:
    """A backend behind a saved prompt.

    Args:
        backend: the prompt's model.
        saved: the prompt.
        metric: what `evaluate` goes by if it is not told; None is the prompt's own.

    Raises:
        MismatchError: the backend's model is not the prompt's.
    """

    def __init__(self, backend: Backend, saved: SavedPrompt, *, metric: str | TextFunction | None = None) -> None:
        saved.check(backend)
        self._backend, self._prompt, self._form, self._finished = backend, saved.prompt, saved.form, saved.finished
        self._readout = saved.readout
        self._metric = saved.metric if metric is None else metric
        self._tokens = saved.answer_tokens or ANSWER_TOKENS

    def check_row(self, row: RawRow, *, where: str) -> None:
        """Refuse a row that `predict` would refuse; `where` names it.

        Raises:
            DataError: the row lacks a field, or has null there.
        """
        for prompt in self._finished.prompts(self._prompt):
            form = self._form.of(prompt)
            for one in form.blank.asked([(where, row)]):
                form.template.check(one, where=where)

    def predict(self, rows: Rows) -> list[Prediction]:
        """Predictions for rows with the fields of the template; labels, targets and tags are not looked at.

        Labels are chosen; behind a prompt for targets the model writes.

        Args:
            rows: of any number, as mappings or a table (`blackbox.tables`).

        Raises:
            DataError: a row lacks a field, or has null there.
            UnsupportedPromptError: the prompt is for targets, and the backend does not write.
        """
        blank, asked = self._form.blank, self._form.asked(rows_of(rows), where="rows")
        return blank.joined(self._predicted(asked), asked)

    def _predicted(self, asked: Sequence[RawRow]) -> list[Prediction]:
        if not asked:
            return []
        blank = self._form.blank
        if self._finished:
            scores, _ = self._finished.score(self._backend, self._prompt, asked, self._form)
            return blank.chosen(scores)
        queries = self._form.open_queries(asked, where="rows")
        if self._readout:
            return blank.chosen(log_probabilities(self._backend, self._prompt, queries, self._readout))
        return blank.fill(self._backend, self._prompt, queries, tokens=self._tokens)

    def evaluate(self, rows: Rows, *, metric: str | TextFunction | None = None) -> Figure | None:
        """The metric on rows with labels or targets, or their mean loss without one; None if none was answered.

        Args:
            rows: of any number, as mappings or a table (`blackbox.tables`).
            metric: of `Task`; None is the one that the prompt was tuned with. The likelihood of targets has "none".

        Raises:
            DataError: a row lacks a field, its label or its target.
            SettingError: there is no such metric for these rows.
        """
        grader = make_grader(
            self._form.blank, metric=self._metric if metric is None else metric, answer_tokens=self._tokens
        )
        rows = rows_of(rows)
        if not rows:
            return None
        split = make_split("rows", rows, self._form)
        grader.check_rows(split)
        answers = self._answers(grader, split)
        return figure_of(answers.measured(), answers.mean_loss, rows=int(answers.answered.sum()))

    def _answers(self, grader: Grader, split: Split) -> RowAnswers:
        if self._finished:
            return self._finished.answers(self._backend, grader, self._prompt, split, range(len(split)))[0]
        if self._readout:
            return answers_of(
                grader, log_probabilities(self._backend, self._prompt, split.queries, self._readout), split
            )
        return grader.ask(self._backend, [self._prompt], split)[0][0]
