"""When a worker shall end, and why a run was stopped before its end."""

import threading
from enum import StrEnum
from typing import BinaryIO


class Cause(StrEnum):
    """Why a run stopped before its end."""

    PAUSE = "pause"
    CANCEL = "cancel"
    HAND_BACK = "hand back"
    LOST = "lost"
    """The job is another worker's, or the database has not answered for too long."""


class Stopped(KeyboardInterrupt):
    """Ends a run at a moment at which its state is saved, as a user's Ctrl-C would."""

    def __init__(self, cause: Cause) -> None:
        super().__init__(str(cause))
        self.cause = cause


class Stopping:
    """A wish that the worker ends: a signal's, or the end of the process that started it."""

    def __init__(self) -> None:
        self._event = threading.Event()

    def __bool__(self) -> bool:
        return self._event.is_set()

    def ask(self) -> None:
        """Let the worker end behind its present generation; asked again, at once.

        Raises:
            KeyboardInterrupt: it was asked before.
        """
        if self._event.is_set():
            raise KeyboardInterrupt
        self._event.set()

    def wait(self, seconds: float) -> None:
        """For the wish, but no longer than so many seconds."""
        self._event.wait(seconds)

    def end_with(self, stream: BinaryIO) -> None:
        """Let the worker end when a stream does: of a pipe, when the process that holds its other end is gone."""
        threading.Thread(target=self._watch, args=(stream,), name="stdin", daemon=True).start()

    def _watch(self, stream: BinaryIO) -> None:
        while stream.read(4096):
            pass
        self._event.set()
