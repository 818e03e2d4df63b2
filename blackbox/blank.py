"""The blank of a task's rows, and what may fill it: one of the label words, or a target text of the row's own."""

from collections.abc import Mapping, Sequence
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from blackbox.backends import Backend, Capability, Prompt, Query
from blackbox.errors import DataError
from blackbox.filling import Prediction
from blackbox.label_numbers import LabelNumbers
from blackbox.label_words import LabelWords
from blackbox.tags import Tags
from blackbox.targets import Targets
from blackbox.template import Template

Row = Mapping[str, object]


class Blank(Protocol):
    """See the module; `make_blank` makes one. All that sets labels apart from targets in a row is in the two."""

    @property
    def needs(self) -> Capability:
        """What a backend must have to score what may fill the blank."""

    @property
    def labels(self) -> tuple[str, ...]:
        """The labels, in the order of a row's options; targets have none."""

    @property
    def choices(self) -> tuple[str, ...]:
        """What may fill the blank of any row: the label words; of targets nothing is known without the row's own."""

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

    def with_words(self, words: Sequence[str]) -> "Blank":
        """The same labels with other words, in the labels' order.

        Raises:
            DataError: not one word for each label.
        """

    def asked(self, rows: Sequence[tuple[str, Row]]) -> list[Row]:
        """What a model is asked of named rows: each of them, or where rows are sentences each of their tokens.

        Raises:
            DataError: a sentence is none.
        """

    def given(self, asked: Sequence[Row]) -> list[Row]:
        """The rows from what `asked` has made of them."""

    def joined(self, predictions: Sequence[Prediction], asked: Sequence[Row]) -> list[Prediction]:
        """Predictions of rows from those of what was asked."""

    def options(self, row: Row, *, where: str) -> tuple[str, ...]:
        """The texts of which the model tells how likely they fill the blank of a row; `where` names it in errors.

        Raises:
            DataError: the row has no target, or an empty one.
        """

    def accepted(self, row: Row, *, where: str) -> tuple[str, ...]:
        """The texts of which any is right where a model writes into the blank of a row; none of labels.

        Raises:
            DataError: as of `options`.
        """

    def right_options(self, rows: Sequence[Row], *, where: str) -> npt.NDArray[np.int64]:
        """Index of each row's right option, shape (n_rows,).

        Raises:
            DataError: a row has no label, or an unknown one.
        """

    def as_text(self, row: Row) -> dict[str, object]:
        """The row's fields as texts, without those that are null; a list of targets stays a list, of texts."""

    def chosen(self, log_probabilities: npt.NDArray[np.float64]) -> list[Prediction]:
        """What scores of the `choices` say of rows, shape (n_rows, n_choices), nats.

        Raises:
            DataError: there are no choices, but targets.
        """

    def fill(self, backend: Backend, prompt: Prompt, queries: Sequence[Query], *, tokens: int) -> list[Prediction]:
        """What the model puts into the blanks behind a prompt; a text is of `tokens` at most.

        Raises:
            UnsupportedPromptError: the backend cannot do it.
        """


def make_blank(
    label_words: Mapping[Any, str] | None = None,
    *,
    label_field: str = "label",
    target_field: str | None = None,
    number_field: str | None = None,
    tags_field: str | None = None,
    tokens_field: str | None = None,
) -> Blank:
    """The blank for label words or for targets. Labels that are no text are taken as `str` writes them.

    Raises:
        DataError: both are given, or neither, or a `number_field` or a `tags_field` without label words, or together.
    """
    of_rows = {"number_field": number_field, "tags_field": tags_field}
    given = [name for name, value in of_rows.items() if value is not None]
    if len(given) > 1:
        raise DataError("rows have numbers or tags; leave number_field or tags_field out")
    if label_words and target_field is not None:
        raise DataError("a task has label_words or a target_field, got both; leave one out")
    if given and not label_words:
        example = (
            "the words of some numbers, 1=terrible,5=great" if number_field else "the words of the tags, NOUN=noun"
        )
        raise DataError(f"a {given[0]} needs label_words: {example}")
    if target_field is not None:
        return Targets(target_field)
    if not label_words:
        raise DataError("a task needs label_words or a target_field, got neither")
    words = {str(label): word for label, word in label_words.items()}
    if tags_field is not None:
        return Tags(words, tags_field, tokens_field or Tags.tokens_field)
    return LabelWords(words, label_field) if number_field is None else LabelNumbers(words, number_field)
