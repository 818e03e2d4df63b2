"""The blank of a task's rows, and what may fill it: one of the label words, or a target text of the row's own.

All that sets tasks with labels apart from tasks with targets is here. A target is the only option of its row: there is
nothing to choose from, so no loss but its likelihood, no metric, and no prediction before a model writes it.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from blackbox.backends import Capability
from blackbox.errors import DataError, RunError, SettingError
from blackbox.template import Template

Row = Mapping[str, object]
LabelArray = npt.NDArray[np.int64]


class Blank(Protocol):
    """See the module; `make_blank` makes one."""

    @property
    def needs(self) -> Capability:
        """What a backend must have to score the rows."""

    @property
    def labels(self) -> tuple[str, ...]:
        """The labels, in the order of a row's options; targets have none."""

    @property
    def sampled_by(self) -> str | None:
        """The field of whose values a few-shot sample has equally many rows each; None where any row will do."""

    @property
    def terms(self) -> dict[str, object]:
        """The arguments of `make_blank`, as JSON values."""

    def check(self, template: Template) -> None:
        """Refuse what cannot make a form.

        Raises:
            DataError: fewer than two labels, an empty label word or one that stands for two labels, or a template that
                names the target itself.
        """

    def check_loss(self, loss: str) -> None:
        """Refuse a loss that has no meaning here.

        Raises:
            SettingError: it compares label words, and there are none.
        """

    def with_words(self, words: Sequence[str]) -> "Blank":
        """The same labels with other words, in the labels' order.

        Raises:
            DataError: not one word for each label.
        """

    def check_goal(self, goal: float | None) -> None:
        """Refuse a `target` that nothing can reach.

        Raises:
            SettingError: a share above 1.
        """

    def check_predicts(self) -> None:
        """Refuse to predict where an answer would have to be written.

        Raises:
            RunError: the prompt is for targets.
        """

    def options(self, row: Row, *, where: str) -> tuple[str, ...]:
        """The texts that may fill the blank of a row; `where` names it in errors.

        Raises:
            DataError: the row has no target, or an empty one.
        """

    def right_options(self, rows: Sequence[Row], *, where: str) -> LabelArray:
        """Index of each row's right option, shape (n_rows,).

        Raises:
            DataError: a row has no label, or an unknown one.
        """


@dataclass(frozen=True)
class LabelWords:
    """A row has one of a few labels, and each label a word that stands for it.

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
    def sampled_by(self) -> str:
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

    def check_loss(self, loss: str) -> None:
        """All losses compare label words."""

    def with_words(self, words: Sequence[str]) -> "LabelWords":
        if len(words) != len(self.labels):
            raise DataError(
                f"label_words of a prompt must be {len(self.labels)}, one for each of {', '.join(self.labels)}, "
                f"got {len(words)}"
            )
        return LabelWords(dict(zip(self.labels, words, strict=True)), self.label_field)

    def check_goal(self, goal: float | None) -> None:
        if goal is not None and goal > 1:
            raise SettingError(
                f"setting 'target': must be at most 1, the share that the metric shall reach, got {goal}"
            )

    def check_predicts(self) -> None:
        """Labels are chosen, not written."""

    def options(self, row: Row, *, where: str) -> tuple[str, ...]:
        """The label words; the row's own label, if it has one, is not looked at."""
        return tuple(self.label_words.values())

    def right_options(self, rows: Sequence[Row], *, where: str) -> LabelArray:
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


@dataclass(frozen=True)
class Targets:
    """A row has a text of its own that a model shall write.

    Attributes:
        target_field: the field that holds it.
    """

    target_field: str

    needs = Capability.TARGETS
    labels = ()
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

    def check_loss(self, loss: str) -> None:
        if loss != "cross-entropy":
            raise SettingError(f"loss {loss!r} compares label words, and targets have none; use 'cross-entropy'")

    def with_words(self, words: Sequence[str]) -> Blank:
        raise DataError(f"a prompt has label words, {', '.join(words)}, and the task has targets; leave them out")

    def check_goal(self, goal: float | None) -> None:
        """A loss may be any number of nats."""

    def check_predicts(self) -> None:
        raise RunError(
            "the prompt is for targets: they are written by generating, which blackbox cannot do yet; "
            "`blackbox evaluate` gives the loss on rows that have targets"
        )

    def options(self, row: Row, *, where: str) -> tuple[str, ...]:
        """The row's own target."""
        target = row.get(self.target_field)
        if target is None:
            raise DataError(f"{where} has no field {self.target_field!r} with its target")
        if not str(target).strip():
            raise DataError(f"{where} has an empty target in its field {self.target_field!r}")
        return (str(target),)

    def right_options(self, rows: Sequence[Row], *, where: str) -> LabelArray:
        """Zeros: a target is the first of one."""
        return np.zeros(len(rows), dtype=np.int64)


def make_blank(
    label_words: Mapping[Any, str] | None = None, *, label_field: str = "label", target_field: str | None = None
) -> Blank:
    """The blank for label words or for targets. Labels that are no text are taken as `str` writes them.

    Raises:
        DataError: both are given, or neither.
    """
    if label_words and target_field is not None:
        raise DataError("a task has label_words or a target_field, got both; leave one out")
    if target_field is not None:
        return Targets(target_field)
    if not label_words:
        raise DataError("a task needs label_words or a target_field, got neither")
    return LabelWords({str(label): word for label, word in label_words.items()}, label_field)
