"""Targets: the blank of a row is filled by a text of the row's own."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import NoReturn

import numpy as np
import numpy.typing as npt

from blackbox.backends import Backend, Capability, Prompt, Query, Writing
from blackbox.errors import DataError
from blackbox.filling import Prediction, write
from blackbox.label_words import LabelWords
from blackbox.template import Template

Row = Mapping[str, object]


@dataclass(frozen=True)
class Targets:
    """A row has a text that a model shall write, or several of which any will do. See `blackbox.blank.Blank`.

    A target is the only option of its row: there is nothing to choose from.

    Attributes:
        target_field: the field that holds the text, or a list of texts.
    """

    target_field: str

    needs = Capability.TARGETS
    labels = ()
    choices = ()
    sampled_by = None

    @property
    def terms(self) -> dict[str, object]:
        return {"label_words": {}, "label_field": LabelWords.label_field, "target_field": self.target_field}

    def check(self, template: Template) -> None:
        if self.target_field in template.fields:
            raise DataError(
                f"template names {{{self.target_field}}}, the target itself, which the model would read before it is "
                "asked for it; the target goes where {label} stands"
            )

    def with_words(self, words: Sequence[str]) -> NoReturn:
        raise DataError(f"a prompt has label words, {', '.join(words)}, and the task has targets; leave them out")

    def asked(self, rows: Sequence[tuple[str, Row]]) -> list[Row]:
        """The rows themselves."""
        return [row for _, row in rows]

    def given(self, asked: Sequence[Row]) -> list[Row]:
        """The rows themselves."""
        return list(asked)

    def joined(self, predictions: Sequence[Prediction], asked: Sequence[Row]) -> list[Prediction]:
        """One a row."""
        return list(predictions)

    def options(self, row: Row, *, where: str) -> tuple[str, ...]:
        """The row's own target, the first of several."""
        return self.accepted(row, where=where)[:1]

    def accepted(self, row: Row, *, where: str) -> tuple[str, ...]:
        value = row.get(self.target_field)
        targets = value if isinstance(value, list) else [value]
        if not targets or None in targets:
            raise DataError(f"{where} has no field {self.target_field!r} with its target")
        if not all(str(target).strip() for target in targets):
            raise DataError(f"{where} has an empty target in its field {self.target_field!r}")
        return tuple(str(target) for target in targets)

    def right_options(self, rows: Sequence[Row], *, where: str) -> npt.NDArray[np.int64]:
        """Zeros: a target is the first of one."""
        return np.zeros(len(rows), dtype=np.int64)

    def as_text(self, row: Row) -> dict[str, object]:
        texts: dict[str, object] = {key: str(value) for key, value in row.items() if value is not None}
        targets = row.get(self.target_field)
        return {**texts, self.target_field: [str(target) for target in targets]} if isinstance(targets, list) else texts

    def chosen(self, log_probabilities: npt.NDArray[np.float64]) -> NoReturn:
        raise DataError("targets are written, not chosen")

    def fill(self, backend: Backend, prompt: Prompt, queries: Sequence[Query], *, tokens: int) -> list[Prediction]:
        """What the model writes, cut or not."""
        [line] = write(backend, [prompt], queries, Writing(max_tokens=tokens)).written
        return [Prediction(text=None if written is None else written.text) for written in line]
