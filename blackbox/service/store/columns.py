"""Column types and functions that SQLite and PostgreSQL share."""

import json
import math
from typing import Any

import sqlalchemy as sa
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.expression import FunctionElement
from sqlalchemy.types import TypeDecorator


class Json(TypeDecorator[Any]):
    """JSON as text in ASCII: it comes back as it was written, whatever characters are in it."""

    impl = sa.Text
    cache_ok = True

    def process_bind_param(self, value: Any, dialect: sa.Dialect) -> str | None:
        return None if value is None else json.dumps(finite(value), allow_nan=False, separators=(",", ":"))

    def process_result_value(self, value: Any, dialect: sa.Dialect) -> Any:
        return None if value is None else json.loads(value)


def finite(value: Any) -> Any:
    """JSON values with None in the place of numbers that JSON does not have."""
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, dict):
        return {str(key): finite(part) for key, part in value.items()}
    return [finite(part) for part in value] if isinstance(value, list | tuple) else value


def storable(text: str) -> str:
    """A text without what PostgreSQL's texts cannot hold: NUL, and halves of UTF-16 pairs."""
    return text.replace("\x00", "\ufffd").encode("utf-8", "replace").decode("utf-8")


class Now(FunctionElement[float]):
    """The database's clock: seconds since 1970, UTC. All workers of a service see this one."""

    type = sa.Double()
    inherit_cache = True


@compiles(Now, "sqlite")
def _now_of_sqlite(element: Now, compiler: Any, **options: Any) -> str:
    return "((julianday('now') - 2440587.5) * 86400.0)"


@compiles(Now, "postgresql")
def _now_of_postgresql(element: Now, compiler: Any, **options: Any) -> str:
    return "cast(extract(epoch from clock_timestamp()) as double precision)"
