"""Files that are whole or not there: written beside their place and moved into it."""

import errno
import json
import os
from contextlib import suppress
from pathlib import Path

from blackbox.errors import DamagedFileError, RunError


def write_whole(path: Path, content: bytes) -> None:
    """Write a file so that a kill leaves the old one or the new one, never a part.

    Raises:
        RunError: the disk is full, the folder is read-only, ...; the old file stays as it was.
    """
    draft = path.with_name(path.name + ".part")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with draft.open("wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        draft.replace(path)
    except OSError as error:
        again = "try again; a run that had begun goes on with `blackbox resume`"
        raise unwritable(path, error, again=again) from error
    finally:
        with suppress(OSError):  # where the folder could not be made there is no draft either
            draft.unlink(missing_ok=True)


def unwritable(path: Path, error: OSError, *, again: str) -> RunError:
    """The error for a file that could not be written; `again` says how to go on afterwards."""
    full = error.errno in (errno.ENOSPC, errno.EDQUOT)
    remedy = "free space" if full else "see to it that the folder can be written to"
    return RunError(f"{path} cannot be written: {error.strerror or error}; {remedy}, then {again}")


def write_json(path: Path, values: object) -> None:
    """Write JSON, whole, for people to read."""
    write_whole(path, (json.dumps(values, indent=2, ensure_ascii=False) + "\n").encode())


def read_json(path: Path) -> dict[str, object]:
    """Read a JSON object.

    Raises:
        RunError: there is no such file.
        DamagedFileError: it holds no JSON object.
    """
    try:
        values = json.loads(path.read_bytes())
    except OSError as error:
        raise RunError(f"{path}: {error.strerror or error}") from error
    except ValueError as error:
        raise DamagedFileError(f"{path} is damaged: it holds no JSON ({error})") from error
    if not isinstance(values, dict):
        raise DamagedFileError(f"{path} is damaged: it holds no JSON object")
    return values
