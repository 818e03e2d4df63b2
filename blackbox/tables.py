"""Tables of other libraries as rows: pandas, polars, pyarrow and Hugging Face `datasets`, none of which is imported.

A table is known by how it hands out its rows. A cell that is missing (None, NaN, NaT, pandas.NA) is null in its row, as
a field is that a JSON line leaves out.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Protocol, TypeAlias, cast, runtime_checkable

from blackbox.errors import DataError

RawRow: TypeAlias = Mapping[str, object]


@runtime_checkable
class PandasTable(Protocol):
    """`pandas.DataFrame`, by what is used of it."""

    columns: Any

    def astype(self, dtype: Any) -> Any: ...

    def notna(self) -> Any: ...

    def to_dict(self, orient: Any) -> Any: ...


@runtime_checkable
class PolarsTable(Protocol):
    """`polars.DataFrame`."""

    columns: Any

    def to_dicts(self) -> list[dict[str, Any]]: ...


@runtime_checkable
class ArrowTable(Protocol):
    """`pyarrow.Table`."""

    column_names: Any

    def to_pylist(self) -> list[dict[str, Any]]: ...


@runtime_checkable
class HubTable(Protocol):
    """`datasets.Dataset` or `datasets.IterableDataset`, which hand out a mapping for each row."""

    column_names: Any
    features: Any

    def __iter__(self) -> Any: ...


Table: TypeAlias = PandasTable | PolarsTable | ArrowTable | HubTable
Rows: TypeAlias = Sequence[RawRow] | Table


def is_table(rows: object) -> bool:
    """Whether something is a table of one of these libraries."""
    return isinstance(rows, Table)


def names_of(table: Table) -> tuple[object, ...]:
    """What a table's columns are named, whatever that is; nothing where it is not known before its rows are read."""
    names = table.columns if isinstance(table, PandasTable | PolarsTable) else table.column_names
    return () if names is None else tuple(names)


def columns_of(table: Table) -> tuple[str, ...]:
    """The names of a table's columns.

    Raises:
        DataError: two columns have one name, or one is no text.
    """
    names: list[str] = []
    for place, name in enumerate(names_of(table)):
        if not isinstance(name, str):
            raise DataError(f"column {place} of the table is named {name!r}; fields of rows have names that are text")
        if name in names:
            raise DataError(f"two columns of the table are named {name!r}; rename one")
        names.append(name)
    return tuple(names)


def rows_of(rows: Rows) -> Sequence[RawRow]:
    """A table as one mapping a row; anything else as it is.

    Raises:
        DataError: as of `columns_of`.
    """
    if not isinstance(rows, Table):
        return rows
    columns_of(rows)
    return [_without_nan(row) for row in _mappings(rows)]


def _mappings(table: Table) -> Iterable[RawRow]:
    if isinstance(table, PolarsTable):
        return table.to_dicts()
    if isinstance(table, PandasTable):
        present = table.astype(object).where(table.notna(), None)
        return cast(Iterable[RawRow], present.to_dict("records"))
    return table.to_pylist() if isinstance(table, ArrowTable) else table


def _without_nan(row: RawRow) -> RawRow:
    """NaN is the one number that is not itself."""
    return {name: None if isinstance(cell, float) and cell != cell else cell for name, cell in row.items()}  # noqa: PLR0124
