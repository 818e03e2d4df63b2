"""Copies of a journal of paid answers: what has come since the last copy, and a journal made of what was copied.

A run that goes on on another machine finds the answers that were paid for and knows what was spent.
"""

import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from blackbox.backends.api.answers import COLUMNS, NOTE
from blackbox.backends.api.journal_file import JournalFile
from blackbox.backends.errors import JournalError

_NAMES = ", ".join(COLUMNS)
_SINCE = f"SELECT id, {_NAMES} FROM calls WHERE id > ? ORDER BY id"
_INSERT = f"INSERT INTO calls (id, {_NAMES}) VALUES (?{', ?' * len(COLUMNS)})"
_NOTES = "SELECT name, text FROM notes ORDER BY name"


def copied_since(path: Path, number: int) -> tuple[list[tuple[int, str]], dict[str, str]]:
    """What a journal has behind its row `number`: rows with their numbers, each a line of JSON, and all its notes.

    Raises:
        JournalError: it cannot be read.
    """
    journal = JournalFile(path)
    try:
        rows = [(int(str(found)), _line(values)) for found, *values in journal.read(_SINCE, (number,))]
        return rows, {str(name): str(text) for name, text in journal.read(_NOTES)}
    finally:
        journal.close()


def make_of_copy(path: Path, rows: Iterable[tuple[int, str]], notes: Mapping[str, str]) -> None:
    """Make a journal of what was copied.

    Raises:
        JournalError: there is one already, or it cannot be written.
    """
    if path.exists():
        raise JournalError(f"{path} is there already; a copy is made where there is none")
    journal = JournalFile(path)
    try:
        with journal.transaction() as connection:
            connection.executemany(_INSERT, [(number, *_values(line)) for number, line in rows])
            connection.executemany(NOTE, list(notes.items()))
    finally:
        journal.close()


def _line(values: list[Any]) -> str:
    """The key, which is the first value, has bytes."""
    key = values[0]
    return json.dumps([key.hex() if isinstance(key, bytes) else None, *values[1:]])


def _values(line: str) -> list[object]:
    key, *values = json.loads(line)
    return [None if key is None else bytes.fromhex(key), *values]
