"""The journal of paid answers: each is durable before it is used, and none is paid for twice.

A kill or a power cut loses at most the calls in flight. Many threads and several processes may use one file; an answer
that any run has paid for is found by every other. What failed calls have cost is written down as well, so that a
resumed run knows what was spent before it, and so is a bound of what is in flight (`in_flight`). Nothing is kept in
memory.

The file holds neither requests nor addresses nor keys: a request stands in it as a hash.
"""

import hashlib
import json
import math
import sqlite3
import time
from collections.abc import Sequence
from dataclasses import astuple, dataclass, fields
from itertools import chain
from pathlib import Path
from types import TracebackType
from typing import Any
from urllib.parse import urlsplit

from blackbox.backends.api.answer import Answer, Call
from blackbox.backends.api.group_commit import GroupCommit
from blackbox.backends.api.in_flight import InFlight
from blackbox.backends.api.journal_file import JournalFile
from blackbox.backends.api.limits import Limits
from blackbox.backends.base import Usage
from blackbox.backends.errors import GarbageError, JournalError

USAGE = tuple(field.name for field in fields(Usage))
"""The columns of what a call has cost."""

COLUMNS = ("key", "run", "purpose", "candidate", "split", "at", "elapsed", *USAGE, "answer")
INSERT = f"INSERT INTO calls ({', '.join(COLUMNS)}) VALUES "
ROWS_AT_ONCE = 16  # a statement of each length is kept, compiled
ROW = f"({', '.join('?' * len(COLUMNS))})"
FIND = f"SELECT answer, {', '.join(USAGE)} FROM calls WHERE key = ?"
SUMS = ", ".join(f"total({name})" for name in USAGE)
SPENT = f"SELECT {SUMS} FROM calls WHERE run = ?"
SPENDING = f"""
    SELECT purpose, candidate, split, count(answer), count(*) - count(answer), {SUMS} FROM calls WHERE run = ?
    GROUP BY purpose, candidate, split ORDER BY min(id)
"""
NOTE = "INSERT OR REPLACE INTO notes (name, text) VALUES (?, ?)"
NOTED = "SELECT text FROM notes WHERE name = ?"
ELAPSED = "SELECT max(elapsed) FROM calls WHERE run = ?"

Row = tuple[object, ...]

_compact = json.JSONEncoder(separators=(",", ":"), allow_nan=False).encode
_canonical = json.JSONEncoder(separators=(",", ":"), allow_nan=False, sort_keys=True).encode


@dataclass(frozen=True)
class Facts:
    """What a call was made for.

    Attributes:
        purpose: "task", "probe", "lost in a kill", ...
        candidate: digest of the prompt.
        split: of the row that was asked about.
    """

    purpose: str
    candidate: str = ""
    split: str = ""


@dataclass(frozen=True)
class Spending:
    """What a run has spent on one purpose, candidate and split.

    Attributes:
        answers: calls that were answered.
        charges: what was paid without an answer that is used: failed attempts, and answers that another had put first.
        usage: of both.
    """

    purpose: str
    candidate: str
    split: str
    answers: int
    charges: int
    usage: Usage


class Answers:
    """The answers in a file, or in memory only.

    Args:
        path: the file; it is made where there is none. None: in memory.
        run: the name under which costs are written down.

    Raises:
        JournalError: the file cannot be opened, is damaged or no journal, or was written by a newer version. Every
            method raises it when the file is locked for a minute, full, damaged or closed.
    """

    def __init__(self, path: Path | None, run: str = "") -> None:
        self._run = run
        self._file = JournalFile(path)
        self._commit = GroupCommit(self._insert)
        self.in_flight = InFlight(self._file, run)
        self._opened, self._before = time.monotonic(), self.elapsed

    def __enter__(self) -> "Answers":
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()

    def close(self) -> None:
        """Close the file."""
        self._file.close()

    def find(self, key: str) -> Answer | None:
        """The answer to a call, whichever run has paid for it. Its usage is what it cost then; finding costs nothing.

        Args:
            key: by `key_of`.
        """
        rows = self._file.read(FIND, (bytes.fromhex(key),))
        return _answer(key, *rows[0]) if rows else None

    def put(self, key: str, answer: Answer, *, facts: Facts) -> Answer:
        """Write an answer down; on return it is on the disk.

        Returns:
            The answer to use. Where another thread or process has put one for this call first, it is that one, and this
            one's cost is a charge.

        Raises:
            GarbageError: a log-probability is NaN or above every number. Nothing is written: charge for it.
        """
        if self._commit(self._row(bytes.fromhex(key), answer.usage, facts, _written(answer))):
            return answer
        return self.find(key) or answer

    def charge(self, usage: Usage, *, facts: Facts) -> None:
        """Write down what was paid without an answer: an attempt that failed, a time-out at its bound."""
        self._commit(self._row(None, usage, facts, None))

    def charge_lost(self, limits: Limits, *, wider: tuple[Limits, Usage] | None = None) -> Usage:
        """Charge for the calls that were in flight when earlier sessions of the run were killed.

        Args:
            limits: of the run. More than they leave was never in flight.
            wider: limits of several runs and what these have spent together, to the same end.

        Returns:
            What they count for now.
        """
        spent = self.spent()
        with self._file.transaction() as connection:
            lost = limits.cut(self.in_flight.take_lost(connection), spent=spent)
            lost = wider[0].cut(lost, spent=wider[1]) if wider else lost
            if lost != Usage():
                _insert_one(connection, self._row(None, lost, Facts("lost in a kill"), None))
        return lost

    def note(self, name: str, text: str) -> None:
        """Keep a text under a name, for all runs; a later one of the same name replaces it."""
        with self._file.transaction() as connection:
            connection.execute(NOTE, (name, text))

    def noted(self, name: str) -> str | None:
        """The text that is kept under a name."""
        rows = self._file.read(NOTED, (name,))
        return str(rows[0][0]) if rows else None

    def spent(self, run: str | None = None) -> Usage:
        """What a run has spent in all its sessions, answers and charges; None is this one."""
        [sums] = self._file.read(SPENT, (self._run if run is None else run,))
        return _usage(sums)

    def spending(self, run: str | None = None) -> tuple[Spending, ...]:
        """What a run has spent on what, in the order of the first calls; None is this one."""
        rows = self._file.read(SPENDING, (self._run if run is None else run,))
        return tuple(_spending(*row) for row in rows)

    @property
    def elapsed(self) -> float:
        """Seconds from the run's beginning to its last call, the pauses between its sessions left out."""
        [(elapsed,)] = self._file.read(ELAPSED, (self._run,))
        return float(elapsed or 0.0)  # type: ignore[arg-type]

    def _row(self, key: bytes | None, usage: Usage, facts: Facts, answer: str | None) -> Row:
        elapsed = self._before + time.monotonic() - self._opened
        why = (facts.purpose, facts.candidate, facts.split)
        return (key, self._run, *why, time.time(), elapsed, *(getattr(usage, name) for name in USAGE), answer)

    def _insert(self, rows: Sequence[Row]) -> list[bool]:
        """One transaction; whether each row was the first of its key. Of one that was not, the cost is kept."""
        with self._file.transaction() as connection:
            parts = (rows[start : start + ROWS_AT_ONCE] for start in range(0, len(rows), ROWS_AT_ONCE))
            return [first for part in parts for first in _insert_some(connection, part)]


def _insert_some(connection: sqlite3.Connection, rows: Sequence[Row]) -> list[bool]:
    """One statement for all, since between statements the threads fight for the interpreter."""
    try:
        connection.execute(INSERT + ", ".join([ROW] * len(rows)), [*chain.from_iterable(rows)])
    except sqlite3.IntegrityError:
        return [_insert_one(connection, row) for row in rows]
    return [True] * len(rows)


def _insert_one(connection: sqlite3.Connection, row: Row) -> bool:
    try:
        connection.execute(INSERT + ROW, row)
    except sqlite3.IntegrityError:
        connection.execute(INSERT + ROW, (None, *row[1:-1], None))
        return False
    return True


def key_of(call: Call, *, endpoint: str) -> str:
    """What identifies a call: SHA-256, 64 hexadecimal digits, over the endpoint, path, body and number of the repeat.

    Args:
        call: its body holds the model, the parameters and the rendered prompt. Their order does not matter.
        endpoint: the base URL. User and password, query and fragment are left out, for they may hold keys. Two servers
            never share an answer, even if their models have the same name.
    """
    parts = [_address(endpoint), call.path, dict(call.body), call.repeat]
    return hashlib.sha256(_canonical(parts).encode()).hexdigest()


def _address(endpoint: str) -> str:
    url = urlsplit(endpoint)
    return f"{url.scheme}://{url.netloc.rpartition('@')[2].lower()}{url.path.rstrip('/')}"


def _written(answer: Answer) -> str:
    """Compact JSON of all but the usage. JSON has no infinity: a token of probability zero has null."""
    values: dict[str, object] = {
        "text": answer.text,
        "finish": answer.finish,
        "tops": [{token: _finite(value) for token, value in top.items()} for top in answer.tops],
    }
    if answer.fingerprint is not None:
        values["fingerprint"] = answer.fingerprint
    return _compact(values)


def _finite(value: float) -> float | None:
    if value == -math.inf:
        return None
    if not value < math.inf:
        raise GarbageError(f"a log-probability must be a number below infinity, got {value}")
    return value


def _answer(key: str, written: object, *costs: object) -> Answer:
    try:
        values: dict[str, Any] = json.loads(str(written))
        values["tops"] = [
            {token: -math.inf if value is None else value for token, value in top.items()} for top in values["tops"]
        ]
        return Answer.from_dict({"fingerprint": None, **values, "usage": dict(zip(USAGE, costs, strict=True))})
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise JournalError(f"the journal is damaged: the answer of call {key} cannot be read ({error})") from error


def _spending(purpose: Any, candidate: Any, split: Any, answers: Any, charges: Any, *sums: object) -> Spending:
    return Spending(purpose, candidate, split, answers=answers, charges=charges, usage=_usage(sums))


def _usage(sums: Sequence[object]) -> Usage:
    """Sums by SQLite are floats; tokens and requests are counted."""
    kinds = map(type, astuple(Usage()))
    return Usage(*(kind(value) for kind, value in zip(kinds, sums, strict=True)))
