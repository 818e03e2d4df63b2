"""What a kill may lose: the calls in flight may have been paid for, and nobody is left to write it down.

So a bound of what they cost together is on the disk before they are sent. It rises to the most that has been in flight
at once and stays there until nothing is, so that it is hardly ever written while calls come and go. A bound that is
found when the run goes on is of a session that was killed; it counts as spent.
"""

import json
import threading
import uuid
from dataclasses import asdict, astuple
from sqlite3 import Connection

from blackbox.backends.api.journal_file import JournalFile
from blackbox.backends.base import Usage

KEEP = "INSERT OR REPLACE INTO notes (name, text) VALUES (?, ?)"
DROP = "DELETE FROM notes WHERE name = ?"
KEPT = "SELECT name, text FROM notes WHERE substr(name, 1, length(?1)) = ?1"

NOTHING = Usage()


class InFlight:
    """The calls of one session of a run that are sent and not written down yet. Safe for threads.

    Args:
        file: the journal's.
        run: its name.
    """

    def __init__(self, file: JournalFile, run: str) -> None:
        self._file, self._of_run = file, f"in flight {run} "
        self._name = self._of_run + uuid.uuid4().hex
        self._calls, self._flying = 0, NOTHING
        self._most, self._kept = NOTHING, NOTHING
        self._lock = threading.Lock()

    def begin(self, most: Usage) -> None:
        """A call that may cost this much is about to be sent; on return the disk knows.

        Raises:
            JournalError: it cannot be written down; the call must not be sent.
        """
        with self._lock:
            flying = self._flying + most
            bound = _larger(self._most, flying)
            self._keep(bound)
            self._calls, self._flying, self._most = self._calls + 1, flying, bound

    def end(self, most: Usage) -> None:
        """What a call that was begun did cost is written down; `most` is what was said then.

        Raises:
            JournalError: the journal cannot be written.
        """
        with self._lock:
            self._calls -= 1
            # With nothing in flight the sum is nothing: rounding must not add up.
            self._flying = _less(self._flying, most) if self._calls else NOTHING
            if not self._calls:
                self._keep(NOTHING)

    def take_lost(self, connection: Connection) -> Usage:
        """A bound of what sessions of the run have lost in kills; within this transaction it is forgotten."""
        lost = NOTHING
        for name, text in connection.execute(KEPT, (self._of_run,)).fetchall():
            lost += Usage(**json.loads(text))
            connection.execute(DROP, (name,))
        return lost

    def _keep(self, bound: Usage) -> None:
        if bound == self._kept:
            return
        with self._file.transaction() as connection:
            if bound == NOTHING:
                connection.execute(DROP, (self._name,))
            else:
                connection.execute(KEEP, (self._name, json.dumps(asdict(bound))))
        self._kept = bound


def _larger(one: Usage, other: Usage) -> Usage:
    return Usage(*map(max, astuple(one), astuple(other)))


def _less(one: Usage, other: Usage) -> Usage:
    return Usage(*(a - b for a, b in zip(astuple(one), astuple(other), strict=True)))
