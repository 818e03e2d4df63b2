"""Pages by key: a page is found by where the last one ended, not by counting rows."""

from collections.abc import Callable
from typing import Any, TypeVar

import sqlalchemy as sa

from blackbox.service.store.rows import Page

Row = TypeVar("Row")


def page(
    connection: sa.Connection, select: sa.Select[Any], limit: int, make: Callable[[sa.Row[Any]], Row]
) -> Page[Row]:
    """Up to `limit` rows of an ordered selection, and whether there are more: one further row is asked for."""
    rows = connection.execute(select.limit(limit + 1)).all()
    return Page(tuple(make(row) for row in rows[:limit]), has_more=len(rows) > limit)
