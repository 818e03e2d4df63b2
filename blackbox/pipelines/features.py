"""What scikit-learn calls X, as the fields of rows.

X is one text a row (a list, an array or a column), a mapping a row, a table with named columns, or a table without: an
array with a row a line and a field a column.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from blackbox.errors import DataError
from blackbox.label_words import Row
from blackbox.tables import is_table, names_of, rows_of
from blackbox.template import LABEL_SLOT, Template

FIELD = "text"


@dataclass(frozen=True)
class Features:
    """X taken apart.

    Attributes:
        names: of its columns; None where they have none.
        rows: a mapping from name to cell each, or without names a tuple of cells.
    """

    names: tuple[str, ...] | None
    rows: Sequence[Row] | Sequence[tuple[object, ...]]


def is_array(X: Any) -> bool:
    """Whether X is an array or shall become one, for scikit-learn to check: no texts, mappings or table."""
    shape = getattr(X, "shape", None)
    if shape is not None and len(shape) != 1:
        return not (is_table(X) and all(isinstance(name, str) for name in names_of(X)))
    if is_table(X) or isinstance(X, str | bytes | Mapping):
        return False
    return not hasattr(X, "__getitem__") or not isinstance(next(iter(X), None), str | Mapping)


def of_array(checked: Any) -> Features:
    """Of an array of shape (n_rows, n_columns)."""
    return Features(None, [tuple(cells) for cells in checked.tolist()])


def of_others(X: Any) -> Features:
    """Of a table, of texts or of mappings.

    Raises:
        DataError: X is one text or one mapping, has no rows, or an element is not what the first is.
    """
    if is_table(X):
        of_table = _some(rows_of(X))
        return Features(tuple(of_table[0]), of_table)
    if isinstance(X, str | bytes | Mapping):
        raise DataError(f"X must hold one text or mapping for each row, got a single {type(X).__name__}")
    rows = _some(list(X))
    kind, wanted = (Mapping, "a mapping") if isinstance(rows[0], Mapping) else (str, "a text")
    for number, row in enumerate(rows, start=1):
        if not isinstance(row, kind):
            raise DataError(f"X row {number} must be {wanted} as row 1 is, got {type(row).__name__}")
    if kind is Mapping:
        return Features(tuple(rows[0]), rows)
    return Features(None, [(str(text),) for text in rows])


@dataclass(frozen=True)
class Fields:
    """Which columns of X are which slots of the template.

    Attributes:
        slots: the template's names.
        columns: the names in X, as far as it has some.
    """

    slots: tuple[str, ...]
    columns: tuple[str, ...]

    def rows(self, features: Features) -> list[dict[str, object]]:
        """Rows with the template's fields; one that a mapping lacks is left out.

        Raises:
            DataError: X has another number of columns without names.
        """
        if features.names is not None:
            named = [row for row in features.rows if isinstance(row, Mapping)]
            pairs = tuple(zip(self.slots, self.columns, strict=True))
            return [{slot: row[column] for slot, column in pairs if column in row} for row in named]
        cells = [tuple(row) for row in features.rows]
        if cells and len(cells[0]) != len(self.slots):
            names = ", ".join(self.slots) or "none"
            raise DataError(f"X must have a column for each field of the template ({names}), got {len(cells[0])}")
        return [dict(zip(self.slots, row, strict=True)) for row in cells]


def fields_of(template: Template) -> Fields:
    """The fields that a template names, each a column of the same name."""
    slots = tuple(dict.fromkeys(template.fields))
    return Fields(slots, slots)


def template_for(features: Features) -> tuple[Template, Fields]:
    """A template for columns that have none, and what its fields are.

    One column: `"{text} It was {label}."`. Several: a line each, `"name: {name}"`, and `"label: {label}"` as the last.

    Raises:
        DataError: a column is named "label": what is to be found would stand in the prompt.
    """
    width = len(features.names) if features.names is not None else len(features.rows[0])
    numbered = tuple(f"x{place}" for place in range(width))
    columns = features.names or ((FIELD,) if width == 1 else numbered)
    if LABEL_SLOT in columns:
        raise DataError(f"X has a column {LABEL_SLOT!r}; take it out if it holds the labels, or set a template")
    slots = columns if all(name.isidentifier() for name in columns) else numbered
    fields = Fields(slots, columns)
    if width == 1:
        return Template(f"{{{slots[0]}}} It was {{label}}."), fields
    lines = [f"{_escaped(column)}: {{{slot}}}" for column, slot in zip(columns, slots, strict=True)]
    return Template("\n".join([*lines, "label: {label}"])), fields


def _some(rows: Sequence[Any]) -> Sequence[Any]:
    if not rows:
        raise DataError("X must have at least one row, got none")
    return rows


def _escaped(name: str) -> str:
    return name.replace("{", "{{").replace("}", "}}")


def as_labels(y: Any) -> np.ndarray[Any, Any]:
    """Labels as an array; those of one type that came as objects have that type's."""
    labels = np.asarray(y if hasattr(y, "__array__") or not hasattr(y, "__iter__") else list(y))
    if labels.dtype == object and len({type(label) for label in labels.flat}) == 1:
        return np.asarray(labels.tolist())
    return labels
