"""Locks by which one process at a time works in a folder: the kernel's, which lets go however the process ends."""

import logging
import sys
from io import FileIO
from pathlib import Path

from blackbox.errors import RunError

if sys.platform != "win32":
    import fcntl

log = logging.getLogger(__name__)


def lock(file: FileIO, path: Path, *, what: str) -> None:
    """Lock an open file until it is closed; `what` works in its folder.

    Raises:
        RunError: another process holds the lock; the file is closed.
    """
    try:
        if sys.platform != "win32":
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        file.close()
        raise RunError(f"another process is working on this {what} ({path.parent}); wait for it or stop it") from error
    except OSError as error:
        log.warning("%s cannot be locked (%s); see to it that one process works on the %s", path, error.strerror, what)
