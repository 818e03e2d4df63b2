"""The SQLite file behind the journal of answers: made, opened, checked, its errors in words.

WAL mode with `synchronous=FULL`: readers and the writer do not wait for each other, several processes may use one file,
and what is committed has been flushed to the disk. Without a path, the same tables in memory.
"""

import sqlite3
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from blackbox.backends.errors import JournalError

VERSION = 1
PATIENCE = 60.0
"""How long another process may hold the file, s."""

SCHEMA = (
    """
    CREATE TABLE calls (
        id INTEGER PRIMARY KEY,
        key BLOB UNIQUE,
        run TEXT NOT NULL,
        purpose TEXT NOT NULL,
        candidate TEXT NOT NULL,
        split TEXT NOT NULL,
        at REAL NOT NULL,
        elapsed REAL NOT NULL,
        requests INTEGER NOT NULL,
        prompt_tokens INTEGER NOT NULL,
        completion_tokens INTEGER NOT NULL,
        cached_tokens INTEGER NOT NULL,
        seconds REAL NOT NULL,
        usd REAL NOT NULL,
        answer TEXT
    )
    """,
    "CREATE TABLE notes (name TEXT PRIMARY KEY, text TEXT NOT NULL)",
    "CREATE INDEX calls_of_a_run ON calls (run, elapsed)",
    f"PRAGMA user_version = {VERSION}",
)
"""A row is something paid for; `key` and `answer` are null where nothing that can be used came of it."""


class JournalFile:
    """Two connections, one that reads and one that writes; in memory there is one for both.

    Args:
        path: the file; it is made where there is none. None: in memory.

    Raises:
        JournalError: it cannot be opened, or is no journal that this version knows.
    """

    def __init__(self, path: Path | None) -> None:
        self._name = str(path) if path else "the journal in memory"
        with self._errors():
            self._writing = _connect(path)
            self._reading, self._writes, self._reads = self._writing, threading.Lock(), threading.Lock()
            try:
                if path:
                    _patiently(lambda: _use_wal(self._writing))
                self._prepare()
                if path:
                    self._reading = _connect(path)
                else:
                    self._writes = self._reads
            except (sqlite3.Error, JournalError):
                self._writing.close()
                raise

    def close(self) -> None:
        """Close the file. What is committed stays."""
        with self._errors(), self._reads:
            self._reading.close()
            self._writing.close()

    def read(self, statement: str, parameters: Sequence[object] = ()) -> list[tuple[object, ...]]:
        """The rows that a statement selects among those committed.

        Raises:
            JournalError: the file cannot be read.
        """
        with self._errors(), self._reads:
            return self._reading.execute(statement, parameters).fetchall()

    @contextmanager
    def transaction(self) -> Iterator[sqlite3.Connection]:
        """All of what is executed inside is on the disk behind it, or nothing is.

        Raises:
            JournalError: the file is locked for too long, or cannot be written.
        """
        with self._errors(), self._writes:
            self._writing.execute("BEGIN IMMEDIATE")
            with self._writing:  # commits, or rolls back
                yield self._writing

    def _prepare(self) -> None:
        version = self._version()
        if version > VERSION:
            raise JournalError(
                f"{self._name} was written by a newer version (journal {version}, this one reads {VERSION}); "
                "upgrade, or name another file"
            )
        if version == 0:
            self._make_tables()

    def _version(self) -> int:
        [(version,)] = self._writing.execute("PRAGMA user_version").fetchall()
        return int(version)

    def _make_tables(self) -> None:
        with self.transaction() as connection:
            if self._version():  # another process was faster
                return
            if connection.execute("SELECT 1 FROM sqlite_schema").fetchall():
                raise JournalError(f"{self._name} is a database of another program; name another file")
            for statement in SCHEMA:
                connection.execute(statement)

    @contextmanager
    def _errors(self) -> Iterator[None]:
        try:
            yield
        except sqlite3.Error as error:
            raise JournalError(f"{self._name} {_in_words(error)}") from error


def _connect(path: Path | None) -> sqlite3.Connection:
    """Opened by one thread, used by many, one at a time."""
    connection = sqlite3.connect(path or ":memory:", timeout=PATIENCE, isolation_level=None, check_same_thread=False)
    connection.execute("PRAGMA synchronous = FULL")
    return connection


def _use_wal(connection: sqlite3.Connection) -> None:
    [(mode,)] = connection.execute("PRAGMA journal_mode = WAL").fetchall()
    if mode != "wal":
        raise sqlite3.OperationalError("this file system allows no write-ahead log")


def _patiently(change: Callable[[], None]) -> None:
    """SQLite does not wait itself for another process that changes the journal mode at the same moment."""
    patience = time.monotonic() + PATIENCE
    while True:
        try:
            return change()
        except sqlite3.OperationalError as error:
            if _primary(error) != sqlite3.SQLITE_BUSY or time.monotonic() > patience:
                raise
            time.sleep(0.01)


def _primary(error: sqlite3.Error) -> int | None:
    """SQLite's result code without its details (https://www.sqlite.org/rescode.html)."""
    code = getattr(error, "sqlite_errorcode", None)
    return None if code is None else code & 0xFF


def _in_words(error: sqlite3.Error) -> str:
    match _primary(error):
        case sqlite3.SQLITE_BUSY | sqlite3.SQLITE_LOCKED:
            return f"has been locked by another process for {PATIENCE:.0f} s; wait for it or stop it, then try again"
        case sqlite3.SQLITE_FULL:
            return "cannot be written: the disk is full; free space, then try again: what was paid for before is kept"
        case sqlite3.SQLITE_CORRUPT | sqlite3.SQLITE_NOTADB:
            return f"is damaged ({error}); restore it, or move it away and pay for its answers again"
        case _:
            return f"cannot be used: {error}; see to it that the file and its folder can be read and written"
