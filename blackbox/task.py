"""Tasks: what a prompt shall be good at."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from blackbox.backends import Query
from blackbox.errors import DataError
from blackbox.losses import Loss, make_loss
from blackbox.metrics import Metric, make_metric
from blackbox.template import Template

RawRow = Mapping[str, object]


@dataclass(frozen=True, eq=False)
class Split:
    """Rows as a search needs them.

    Attributes:
        name: "train", "dev" or "test".
        rows: the rows as given, as text.
        queries: the rows rendered by the task's template, one each.
        labels: shape (n_rows,), index of each row's label among the task's labels.
    """

    name: str
    rows: tuple[Mapping[str, str], ...]
    queries: tuple[Query, ...]
    labels: npt.NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.queries)


class Task:
    """Rows, a template with one `{label}`, label words, a loss and a metric.

    Args:
        train: rows that candidates are scored on, as mappings from field name to value.
        template: `"{text} It was {label}."`; every other slot is a field of the rows.
        label_words: label -> the word that stands for it, e.g. `{"negative": "bad", "positive": "great"}`. Words
            may be several tokens long. Labels that are no text are taken as `str` writes them.
        dev: rows that the prompt is selected on; empty selects on the training loss.
        test: rows that are touched only to report the start and the outcome.
        loss: "cross-entropy", "hinge" or "error-rate".
        margin: of the hinge loss, nats.
        metric: "accuracy" or "macro-f1".
        label_field: the field that holds a row's label.

    Raises:
        DataError: no rows, a row that is no mapping, without a field or with an unknown label, a label without training
            rows, fewer than two labels, an empty label word or one that stands for two labels.
    """

    def __init__(
        self,
        train: Sequence[RawRow],
        *,
        template: str,
        label_words: Mapping[Any, str],
        dev: Sequence[RawRow] = (),
        test: Sequence[RawRow] = (),
        loss: str = "cross-entropy",
        margin: float = 2.0,
        metric: str = "accuracy",
        label_field: str = "label",
    ) -> None:
        self.template = Template(template)
        self.label_words = {str(label): word for label, word in label_words.items()}
        _check_label_words(self.label_words)
        self.label_field = label_field
        self.loss: Loss = make_loss(loss, margin=margin)
        self.metric: Metric = make_metric(metric)
        self.settings = {"loss": loss, "margin": margin, "metric": metric}
        if not train:
            raise DataError("train has no rows")
        self.train = self._split("train", train)
        self.dev = self._split("dev", dev)
        self.test = self._split("test", test)
        self._check_classes()

    @property
    def labels(self) -> tuple[str, ...]:
        """The labels, in the order of the label words."""
        return tuple(self.label_words)

    @property
    def terms(self) -> dict[str, object]:
        """What is asked of the rows, by the names that `blackbox.Config` has for it."""
        return {
            "template": self.template.text,
            "label_words": dict(self.label_words),
            "label_field": self.label_field,
            **self.settings,
        }

    def to_dict(self) -> dict[str, object]:
        """The task as JSON values; `Task.from_dict` makes it again."""
        return {
            **self.terms,
            **{split.name: [dict(row) for row in split.rows] for split in (self.train, self.dev, self.test)},
        }

    @classmethod
    def from_dict(cls, values: Mapping[str, object]) -> "Task":
        """The task that `to_dict` wrote."""
        return cls(**values)  # type: ignore[arg-type]

    def _split(self, name: str, rows: Sequence[RawRow]) -> Split:
        queries = render_rows(self.template, self.label_words, rows, where=name)
        labels = read_labels(rows, self.labels, self.label_field, where=name)
        texts = tuple({key: str(value) for key, value in row.items()} for row in rows)
        return Split(name, texts, queries, labels)

    def _check_classes(self) -> None:
        counts = Counter(self.train.labels.tolist())
        for index, label in enumerate(self.labels):
            if not counts[index]:
                raise DataError(f"label {label!r} has no row in train; every label needs one")


def render_rows(
    template: Template, label_words: Mapping[str, str], rows: Sequence[RawRow], *, where: str = "rows"
) -> tuple[Query, ...]:
    """The queries of rows; their labels, if any, are not looked at. `where` names them in errors.

    Raises:
        DataError: a row is no mapping, or lacks a field of the template.
    """
    _check_rows(rows, where=where)
    words = tuple(label_words.values())
    numbered = enumerate(rows, start=1)
    return tuple(template.render(row, words, where=f"{where} row {number}") for number, row in numbered)


def read_labels(
    rows: Sequence[RawRow], labels: Sequence[str], label_field: str, *, where: str = "rows"
) -> npt.NDArray[np.int64]:
    """Indices of the rows' labels among `labels`, shape (n_rows,).

    Raises:
        DataError: a row is no mapping, has no label, or one that is not in `labels`.
    """
    _check_rows(rows, where=where)
    places = {label: place for place, label in enumerate(labels)}
    for number, row in enumerate(rows, start=1):
        if row.get(label_field) is None:
            raise DataError(f"{where} row {number} has no field {label_field!r} with its label")
        if str(row[label_field]) not in places:
            raise DataError(
                f"{where} row {number} has label {str(row[label_field])!r}, which is not in label_words: "
                f"{', '.join(labels)}"
            )
    return np.array([places[str(row[label_field])] for row in rows], dtype=np.int64)


def _check_rows(rows: Sequence[RawRow], *, where: str) -> None:
    for number, row in enumerate(rows, start=1):
        if not isinstance(row, Mapping):
            raise DataError(f"{where} row {number} must map fields to values, got {type(row).__name__}")


def _check_label_words(label_words: Mapping[str, str]) -> None:
    if len(label_words) < 2:
        raise DataError(f"label_words must name at least two labels, got {len(label_words)}")
    for label, word in label_words.items():
        if not isinstance(word, str):
            raise DataError(f"the label word of {label!r} must be text, got {word!r}")
        if not word.strip():
            raise DataError(f"the label word of {label!r} is empty")
        twins = [other for other, twin in label_words.items() if twin == word and other != label]
        if twins:
            raise DataError(f"label word {word!r} stands for {label!r} and {twins[0]!r}; each label needs its own")
