"""What a model has proposed for a run, on the disk before it is used.

What was written for a generation is known to the search only, and to its checkpoint behind that generation. A run that
is killed in between, or replayed, finds it here: it is not written and paid for again, and a model that would write
otherwise, or answer where it had failed, cannot bring the run apart from its journal.
"""

import hashlib
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

from blackbox.errors import DamagedFileError
from blackbox.lines import append_lines, open_lines, read_lines

T = TypeVar("T")


class Kept:
    """JSON values by what was asked for, JSON too; one a line.

    Args:
        path: the file; it is made with the first value. It is read with the first question, when the run holds the lock
            of its folder. None keeps nothing.
    """

    def __init__(self, path: Path | None = None) -> None:
        self._path = path
        self._known: dict[str, Any] | None = None

    def __call__(self, asked: object, make: Callable[[], T]) -> T:
        """What was made for the same before; otherwise it is made, and kept.

        Raises:
            RunError: it cannot be written.
            DamagedFileError: a line of the file other than the last holds nothing of the kind.
        """
        if self._path is None:
            return make()
        if self._known is None:
            self._known = _read(self._path)
        key = hashlib.sha256(json.dumps(asked, sort_keys=True).encode()).hexdigest()[:32]
        if key not in self._known:
            made = make()
            with open_lines(self._path) as file:
                append_lines(file, self._path, [json.dumps({"asked": key, "made": made})])
            self._known[key] = made
        found: T = self._known[key]
        return found


def _read(path: Path) -> dict[str, Any]:
    known: dict[str, Any] = {}
    for number, line in enumerate(read_lines(path) if path.exists() else [], start=1):
        try:
            values = json.loads(line)
            known[values["asked"]] = values["made"]
        except (ValueError, KeyError, TypeError) as error:
            way_out = "delete the file and resume: what is missing is asked for again"
            raise DamagedFileError(f"{path} line {number} is no proposal; {way_out}") from error
    return known
