"""Files of lines that only grow: each is on the disk before it is used, and a last one that is torn is cut off."""

import os
from collections.abc import Sequence
from io import FileIO
from pathlib import Path

from blackbox.errors import RunError
from blackbox.files import unwritable


def open_lines(path: Path) -> FileIO:
    """The file, made where there is none. It has no buffer, which would be written once more after a full disk.

    Raises:
        RunError: it cannot be written.
    """
    try:
        return path.open("ab", buffering=0)
    except OSError as error:
        raise _unwritable(path, error) from error


def append_lines(file: FileIO, path: Path, lines: Sequence[str]) -> None:
    """Write lines at the end of the file at `path`; on return they are on the disk.

    Raises:
        RunError: they cannot be written.
    """
    left = memoryview("".join(f"{line}\n" for line in lines).encode())
    try:
        while left:
            left = left[file.write(left) :]
        os.fsync(file.fileno())
    except OSError as error:
        raise _unwritable(path, error) from error


def read_lines(path: Path) -> list[bytes]:
    """The whole lines of a file; what stands behind the last is cut off."""
    content = path.read_bytes()
    whole = content.rfind(b"\n") + 1
    if whole < len(content):
        os.truncate(path, whole)
    return content[:whole].splitlines()


def _unwritable(path: Path, error: OSError) -> RunError:
    return unwritable(path, error, again=f"`blackbox resume {path.parent}`")
