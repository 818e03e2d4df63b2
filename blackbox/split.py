"""Splits: rows with the queries that ask for them, in the task's form or in a prompt's own."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
import numpy.typing as npt

from blackbox.backends import Prompt, Query, TextPrompt
from blackbox.errors import DataError
from blackbox.form import Form, OwnForm, own_form

RawRow = Mapping[str, object]
_KEPT_FORMS = 64


@dataclass(frozen=True, eq=False)
class Split:
    """Rows as a search needs them.

    Attributes:
        name: "train", "dev" or "test"; "sample" of training rows that only the optimizer is told of.
        rows: the rows as given, without fields that are null and otherwise as text, but for lists of targets; of
            sentences the tokens.
        form: how they are put to a model.
        queries: the rows in that form, one each.
        labels: shape (n_rows,), index of each row's right option: its label among the task's labels; 0 for a target.
        accepted: the targets of each row, of which a model that writes shall write one; none of rows with labels.
        numbers: of a sample, which of the training rows these are; None: all of a split.
    """

    name: str
    rows: tuple[RawRow, ...]
    form: Form
    queries: tuple[Query, ...]
    labels: npt.NDArray[np.int64]
    accepted: tuple[tuple[str, ...], ...]
    numbers: tuple[int, ...] | None = None
    _in_forms: dict[OwnForm, "Split"] = field(default_factory=dict, init=False, repr=False)

    def __len__(self) -> int:
        return len(self.queries)

    def in_form_of(self, prompt: Prompt) -> "Split":
        """The same rows as they are put behind a prompt; those of the last forms are kept.

        Raises:
            DataError: the prompt's own form is none for these rows.
        """
        own = own_form(prompt)
        if own == (None, None):
            return self
        formed = self._in_forms.pop(own, None) or self._rendered(self.form.of(prompt))
        self._keep(own, formed)
        return formed

    def with_words(self, words: Sequence[str]) -> "Split":
        """The same rows with other label words, in the labels' order.

        Raises:
            DataError: as of `Form`.
        """
        return self._rendered(replace(self.form, blank=self.form.blank.with_words(words)))

    def within(self, template: str) -> "Split":
        """The same rows in another template, behind any prompt; the forms of the last ones are kept.

        Raises:
            DataError: the template is none for these rows.
        """
        key = (template, ())
        formed = self._in_forms.pop(key, None) or self._rendered(self.form.within(template))
        self._keep(key, formed)
        return formed

    def take(self, rows: Sequence[int]) -> "Split":
        """Some of the rows, in the order of their numbers given."""
        return Split(
            self.name,
            tuple(self.rows[row] for row in rows),
            self.form,
            tuple(self.queries[row] for row in rows),
            self.labels[list(rows)],
            tuple(self.accepted[row] for row in rows),
        )

    def sample(self, rows: Sequence[int]) -> "Split":
        """Some of the training rows, by their numbers, for the optimizer only."""
        return replace(self.take(rows), name="sample", numbers=tuple(rows))

    @property
    def source(self) -> str:
        """The name of the split that the rows are of."""
        return self.name if self.numbers is None else "train"

    def _keep(self, own: OwnForm, formed: "Split") -> None:
        self._in_forms[own] = formed  # the last one used stands last
        if len(self._in_forms) > _KEPT_FORMS:
            del self._in_forms[next(iter(self._in_forms))]

    def _rendered(self, form: Form) -> "Split":
        queries = form.queries(self.rows, where=self.name)
        return Split(self.name, self.rows, form, queries, self.labels, self.accepted)


def make_split(name: str, rows: Sequence[RawRow], form: Form) -> Split:
    """Rows with what is right in their blanks.

    Raises:
        DataError: a row is no mapping, lacks a field, its label or its target, or has an unknown label.
    """
    blank, rows = form.blank, form.asked(rows, where=name)
    queries = form.queries(rows, where=name)
    texts = tuple(blank.as_text(row) for row in rows)
    accepted = tuple(blank.accepted(row, where=name) for row in rows)
    return Split(name, texts, form, queries, blank.right_options(rows, where=name), accepted)


def shown_rows(prompt: Prompt | None, split: Split) -> frozenset[int]:
    """The rows of the training split that a prompt shows with their answers.

    Raises:
        DataError: it shows one that the split does not have.
    """
    if not isinstance(prompt, TextPrompt):
        return frozenset()
    shown = frozenset(demonstration.row for demonstration in prompt.demonstrations if demonstration.row is not None)
    if unknown := sorted(row for row in shown if not 0 <= row < len(split)):
        raise DataError(
            f"a demonstration says that it was made from row {unknown[0]} of {split.name}, which has the rows 0 to "
            f"{len(split) - 1}; leave its `row` out if it was made from another file"
        )
    return shown
