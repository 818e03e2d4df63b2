"""One database behind SQLAlchemy: SQLite for one machine, PostgreSQL for any number.

A transaction of SQLite that writes takes its lock at its beginning (BEGIN IMMEDIATE): one that has read first and then
asks for the lock would fail at once where another has written since, whatever the busy timeout. Readers wait for
nobody (WAL).
"""

import hashlib
import os
import sqlite3
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import sqlalchemy as sa
from sqlalchemy import event, exc

from blackbox.service.errors import DatabaseError

_BUSY_MS = 30_000
_CONNECT_S = 10
_WRITES = "blackbox_writes"
_OURS = (exc.IntegrityError, exc.DataError, exc.ProgrammingError, exc.NotSupportedError)  # the database is well
_FORMS = "sqlite:///FILE or postgresql+psycopg://USER:PASSWORD@HOST/NAME"


class Database:
    """Transactions on an engine, and errors of one line without secrets.

    Attributes:
        address: the URL without password and parameters.
    """

    def __init__(self, engine: sa.Engine) -> None:
        self.engine = engine
        self._writing = engine.execution_options(**{_WRITES: True})
        self.address = address_of(engine.url)

    @property
    def is_sqlite(self) -> bool:
        """Whether a writer has the whole database to itself."""
        return self.engine.dialect.name == "sqlite"

    @contextmanager
    def read(self) -> Iterator[sa.Connection]:
        """A transaction that only reads.

        Raises:
            DatabaseError: the database does not answer.
        """
        with self._mapped(), self.engine.begin() as connection:
            yield connection

    @contextmanager
    def write(self) -> Iterator[sa.Connection]:
        """A transaction that may write; what it has changed stands when the context has ended without an error.

        Raises:
            DatabaseError: the database does not answer.
        """
        with self._mapped(), self._writing.begin() as connection:
            yield connection

    def lock(self, connection: sa.Connection, name: str) -> None:
        """Let one transaction at a time pass that writes under this name; of SQLite there is never more than one."""
        if not self.is_sqlite:
            number = int.from_bytes(hashlib.sha256(name.encode()).digest()[:8], signed=True)
            connection.execute(sa.select(sa.func.pg_advisory_xact_lock(number)))

    def ping(self) -> None:
        """See `Store.ping`."""
        with self.read() as connection:
            connection.execute(sa.select(1))

    def close(self) -> None:
        """Let go of all connections."""
        self.engine.dispose()

    @contextmanager
    def _mapped(self) -> Iterator[None]:
        try:
            yield
        except (exc.DatabaseError, exc.InterfaceError, exc.TimeoutError) as error:
            if isinstance(error, _OURS):
                raise
            raise unusable(self.address, error) from error


def address_of(url: sa.URL) -> str:
    """A URL without its password and its parameters, which may hold one as well."""
    return url.set(query={}).render_as_string(hide_password=True)


def unusable(address: str, error: Exception) -> DatabaseError:
    """The error for a database that does not answer as it must."""
    cause = str(getattr(error, "orig", None) or error).strip() or type(error).__name__
    return DatabaseError(f"database {address}: {cause.splitlines()[0]}")


def make_engine(url: str) -> sa.Engine:
    """An engine that has not connected yet.

    Raises:
        DatabaseError: no such kind of database, a package that is missing, or a folder that is.
    """
    try:
        parsed = sa.make_url(url)
    except (exc.ArgumentError, ValueError) as error:
        raise DatabaseError(f"a database is named by a URL, {_FORMS}") from error
    if parsed.drivername in ("postgresql", "postgresql+psycopg"):
        return _postgresql(parsed.set(drivername="postgresql+psycopg"))
    if parsed.drivername in ("sqlite", "sqlite+pysqlite"):
        return _sqlite(parsed)
    raise DatabaseError(f"database URL begins with {parsed.drivername!r}: it must be {_FORMS}")


def _postgresql(url: sa.URL) -> sa.Engine:
    try:
        return sa.create_engine(
            url,
            pool_pre_ping=True,
            hide_parameters=True,
            pool_size=32,
            max_overflow=0,
            connect_args={"connect_timeout": _CONNECT_S, "application_name": "blackbox"},
        )
    except ModuleNotFoundError as error:
        raise DatabaseError(
            f"database {address_of(url)} needs {error.name}; install it with: pip install 'blackbox-prompts[service]'"
        ) from error


def _sqlite(url: sa.URL) -> sa.Engine:
    if not url.database or url.database == ":memory:" or url.database.startswith("file:"):
        raise DatabaseError("a SQLite database must be a file, for several processes use it: sqlite:///FILE")
    _make_private(Path(url.database), address_of(url))
    engine = sa.create_engine(
        url, hide_parameters=True, pool_size=32, max_overflow=0, connect_args={"timeout": _BUSY_MS / 1000}
    )
    event.listen(engine, "connect", _prepare)
    event.listen(engine, "begin", _begin)
    return engine


def _make_private(path: Path, address: str) -> None:
    """Make the file readable for its owner only: it holds task data. SQLite gives its side files the same rights."""
    try:
        os.close(os.open(path, os.O_CREAT | os.O_RDWR, 0o600))
    except OSError as error:
        raise DatabaseError(f"database {address}: {error.strerror or error}") from error


def _prepare(connection: sqlite3.Connection, record: object) -> None:
    connection.isolation_level = None  # the driver begins no transactions of its own
    for pragma in (f"busy_timeout={_BUSY_MS}", "foreign_keys=ON", "synchronous=FULL"):
        connection.execute(f"PRAGMA {pragma}").close()
    _use_wal(connection)


def _use_wal(connection: sqlite3.Connection) -> None:
    """SQLite does not wait itself for another process that changes the journal mode at the same moment."""
    until = time.monotonic() + _BUSY_MS / 1000
    while True:
        try:
            return connection.execute("PRAGMA journal_mode=WAL").close()
        except sqlite3.OperationalError:
            if time.monotonic() > until:
                raise
            time.sleep(0.01)


def _begin(connection: sa.Connection) -> None:
    writes = connection.get_execution_options().get(_WRITES)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")
