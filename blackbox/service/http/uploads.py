"""Files of rows as they are handed in: CSV or JSONL in UTF-8, within limits, refused with the line that is wrong."""

import codecs
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import BinaryIO

from blackbox.data import csv_rows, parse_row
from blackbox.errors import DataError
from blackbox.service.http.bodies import check_depth
from blackbox.service.http.errors import INVALID, MEDIA, RefusalError
from blackbox.service.http.limits import Limits

_ARCHIVES = (
    b"PK\x03\x04",
    b"PK\x05\x06",
    b"\x1f\x8b",
    b"BZh",
    b"\xfd7zXZ\x00",
    b"7z\xbc\xaf\x27\x1c",
    b"Rar!",
    b"\x28\xb5\x2f\xfd",
)
_FORMATS = {".csv": "csv", ".jsonl": "jsonl"}
_LONGEST_NAME = 200


@dataclass(frozen=True)
class Checked:
    """What is known of a file of rows.

    Attributes:
        format: "csv" or "jsonl".
        rows: how many.
        fields: of the first row.
    """

    format: str
    rows: int
    fields: tuple[str, ...]


def clean_name(name: str | None) -> str:
    """The name of a file without folders.

    Raises:
        RefusalError: there is none, or it has characters or a length that no name here has.
    """
    last = (name or "").replace("\\", "/").rsplit("/", 1)[-1].strip()
    if not last or last in {".", ".."} or len(last) > _LONGEST_NAME or not last.isprintable():
        raise RefusalError(INVALID, f"the file needs a name of 1 to {_LONGEST_NAME} printable characters", param="file")
    return last


def check_rows(file: BinaryIO, *, name: str, limits: Limits) -> Checked:
    """Read a whole file once, without keeping its rows; it stands at its beginning again afterwards.

    Raises:
        RefusalError: its name says another format, or it is an archive (415).
        DataError: a line that is no row, a limit that is passed, or no rows at all; names the line.
    """
    form = _FORMATS.get(PurePosixPath(name).suffix.lower())
    if form is None:
        raise RefusalError(MEDIA, "rows are read from .csv and .jsonl files", param="file")
    if file.read(8).startswith(_ARCHIVES):
        raise RefusalError(MEDIA, f"{name} is an archive; send the file of rows itself", param="file")
    file.seek(0)
    fields: tuple[str, ...] = ()
    count = 0
    for count, (where, row) in enumerate(_rows(file, form, limits), start=1):
        _check_row(row, where, limits)
        fields = fields or tuple(row)
        if count > limits.rows:
            raise DataError(f"{where}: a file may have {limits.rows:,} rows")
    if not count:
        raise DataError(f"{name} holds no rows")
    file.seek(0)
    return Checked(form, count, fields)


def _rows(file: BinaryIO, form: str, limits: Limits) -> Iterator[tuple[str, Mapping[str, object]]]:
    return _csv(file, limits) if form == "csv" else _jsonl(file, limits)


def _jsonl(file: BinaryIO, limits: Limits) -> Iterator[tuple[str, Mapping[str, object]]]:
    number = 0
    while line := file.readline(_line_limit(limits) + 1):
        number += 1
        where = f"line {number}"
        if len(line) > _line_limit(limits):
            raise DataError(f"{where}: is longer than {_line_limit(limits):,} bytes")
        if line.strip():
            check_depth(line, limits)
            yield where, parse_row(line, where)


def _csv(file: BinaryIO, limits: Limits) -> Iterator[tuple[str, Mapping[str, object]]]:
    for number, row in enumerate(csv_rows(_decoded(file, limits), where="the file"), start=2):
        yield f"row {number}", row


def _decoded(file: BinaryIO, limits: Limits) -> Iterator[str]:
    """Lines of text. The csv module joins the lines of a quoted field, so that these have a limit of their own."""
    decoder = codecs.getincrementaldecoder("utf-8-sig")()
    number = 0
    while line := file.readline(_line_limit(limits) + 1):
        number += 1
        if len(line) > _line_limit(limits):
            raise DataError(f"line {number}: is longer than {_line_limit(limits):,} bytes")
        if b"\0" in line:
            raise DataError(f"line {number}: has a NUL character; is it text?")
        try:
            yield decoder.decode(line)
        except UnicodeDecodeError as error:
            raise DataError(f"line {number}: is not UTF-8 text (byte {error.start} of the line)") from error


def _check_row(row: Mapping[str, object], where: str, limits: Limits) -> None:
    if not row:
        raise DataError(f"{where}: has no fields")
    if len(row) > limits.fields:
        raise DataError(f"{where}: has {len(row):,} fields, {limits.fields} are allowed")
    for key, value in row.items():
        if len(key) > 200:
            raise DataError(f"{where}: a field's name has {len(key):,} characters, 200 are allowed")
        if len(str(value)) > limits.field:
            raise DataError(f"{where}: field {key!r} has more than {limits.field:,} characters")


def _line_limit(limits: Limits) -> int:
    """Bytes of a line: a few of the longest fields, each character of up to 4 bytes."""
    return 8 * limits.field
