"""Label words: the blank of a row is filled by one of a few words, each of which stands for a label."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Self

import numpy as np
import numpy.typing as npt

from blackbox.backends import Backend, Capability, Prompt, Query
from blackbox.errors import DataError
from blackbox.filling import Prediction, chosen
from blackbox.template import Template

Row = Mapping[str, object]


@dataclass(frozen=True)
class LabelWords:
    """A row has one of a few labels, and each label a word that stands for it. See `blackbox.blank.Blank`.

    Attributes:
        label_words: label -> its word.
        label_field: the field that holds a row's label.
    """

    label_words: Mapping[str, str]
    label_field: str = "label"

    needs = Capability.LABEL_SCORES

    @property
    def labels(self) -> tuple[str, ...]:
        return tuple(self.label_words)

    @property
    def choices(self) -> tuple[str, ...]:
        return tuple(self.label_words.values())

    @property
    def sampled_by(self) -> str | None:
        return self.label_field

    @property
    def terms(self) -> dict[str, object]:
        return {"label_words": dict(self.label_words), "label_field": self.label_field, "target_field": None}

    def check(self, template: Template) -> None:
        if len(self.label_words) < 2:
            raise DataError(f"label_words must name at least two labels, got {len(self.label_words)}")
        for label, word in self.label_words.items():
            if not isinstance(word, str):
                raise DataError(f"the label word of {label!r} must be text, got {word!r}")
            if not word.strip():
                raise DataError(f"the label word of {label!r} is empty")
            twins = [other for other, twin in self.label_words.items() if twin == word and other != label]
            if twins:
                raise DataError(f"label word {word!r} stands for {label!r} and {twins[0]!r}; each label needs its own")

    def with_words(self, words: Sequence[str]) -> Self:
        if len(words) != len(self.labels):
            raise DataError(
                f"label_words of a prompt must be {len(self.labels)}, one for each of {', '.join(self.labels)}, "
                f"got {len(words)}"
            )
        return replace(self, label_words=dict(zip(self.labels, words, strict=True)))

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
        """The label words; the row's own label, if it has one, is not looked at."""
        return self.choices

    def accepted(self, row: Row, *, where: str) -> tuple[str, ...]:
        """None: labels are chosen, not written."""
        return ()

    def right_options(self, rows: Sequence[Row], *, where: str) -> npt.NDArray[np.int64]:
        places = {label: place for place, label in enumerate(self.labels)}
        for number, row in enumerate(rows, start=1):
            if row.get(self.label_field) is None:
                raise DataError(f"{where} row {number} has no field {self.label_field!r} with its label")
            if str(row[self.label_field]) not in places:
                raise DataError(
                    f"{where} row {number} has label {str(row[self.label_field])!r}, which is not in label_words: "
                    f"{', '.join(self.labels)}"
                )
        return np.array([places[str(row[self.label_field])] for row in rows], dtype=np.int64)

    def as_text(self, row: Row) -> dict[str, object]:
        return {key: str(value) for key, value in row.items() if value is not None}

    def fill(self, backend: Backend, prompt: Prompt, queries: Sequence[Query], *, tokens: int) -> list[Prediction]:
        """The most probable label word of each."""
        return self.chosen(backend.score([prompt], queries).log_probabilities[0])

    def chosen(self, log_probabilities: npt.NDArray[np.float64]) -> list[Prediction]:
        return chosen(log_probabilities, self.labels)
