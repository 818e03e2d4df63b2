"""Rows from JSONL and CSV files."""

import csv
import itertools
import json
from collections.abc import Iterable, Iterator
from pathlib import Path

from blackbox.errors import DataError


def read_rows(path: str | Path) -> list[dict[str, object]]:
    """The rows of a JSONL file (one object a line) or of a CSV file (first line: the fields' names), by suffix.

    Raises:
        DataError: no such file, another suffix, text that is no UTF-8, or a line that is no row; names the line.
    """
    path = Path(path).expanduser()
    readers = {".jsonl": _read_jsonl, ".csv": _read_csv}
    if path.suffix not in readers:
        raise DataError(f"{path}: rows are read from .jsonl and .csv files, got {path.suffix or 'no suffix'}")
    try:
        rows = readers[path.suffix](path)
    except UnicodeDecodeError as error:
        raise DataError(f"{path}: is not UTF-8 text (byte {error.start})") from error
    except OSError as error:
        raise DataError(f"{path}: {error.strerror or error}") from error
    if not rows:
        raise DataError(f"{path}: holds no rows")
    return rows


def _read_jsonl(path: Path) -> list[dict[str, object]]:
    rows = []
    with path.open("rb") as file:
        for number, line in enumerate(file, start=1):
            if line.strip():
                rows.append(parse_row(line, f"{path} line {number}"))
    return rows


def parse_row(line: bytes, where: str) -> dict[str, object]:
    """One line of JSONL; `where` names it.

    Raises:
        DataError: the line is no UTF-8 text, or no JSON object.
    """
    try:
        row = json.loads(line.decode("utf-8"))
    except UnicodeDecodeError as error:
        raise DataError(f"{where}: is not UTF-8 text (byte {error.start} of the line)") from error
    except json.JSONDecodeError as error:
        raise DataError(f"{where}: is no JSON ({error.msg} at column {error.colno})") from error
    if not isinstance(row, dict):
        raise DataError(f"{where}: must be a JSON object, got {type(row).__name__}")
    return row


def _read_csv(path: Path) -> list[dict[str, object]]:
    with path.open(encoding="utf-8-sig", newline="") as file:
        return list(csv_rows(file, where=str(path)))


def csv_rows(lines: Iterable[str], *, where: str) -> Iterator[dict[str, object]]:
    """The rows of a CSV file's lines, of which the first has the fields' names; `where` names the file.

    Raises:
        DataError: a line cannot be read, or a row has another number of fields than the first line.
    """
    reader = csv.DictReader(lines, strict=True)
    for number in itertools.count(2):
        try:
            row = next(reader, None)
        except csv.Error as error:
            raise DataError(f"{where} line {reader.line_num + 1}: {error}") from error
        if row is None:
            return
        if None in row or None in row.values():
            raise DataError(f"{where} row {number}: has another number of fields than the first line")
        yield dict(row)
