"""Files that are whole or not there: written beside their place and moved into it."""

import json
import os
from pathlib import Path

from blackbox.errors import DamagedFileError, RunError


def write_whole(path: Path, content: bytes) -> None:
    """Write a file so that a kill leaves the old one or the new one, never a part."""
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(path.name + ".part")
    with draft.open("wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    draft.replace(path)


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
