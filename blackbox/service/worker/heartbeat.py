"""Keeps a lease alive while its job is running, from a thread of its own."""

import logging
import threading
from types import TracebackType

from blackbox.service.errors import DatabaseError, LostLeaseError
from blackbox.service.store.lease import Lease, Wish
from blackbox.service.store.leases import Leases

log = logging.getLogger(__name__)


class Heartbeat:
    """Extends a lease three times as often as it would run out, from entering the context to leaving it.

    Attributes:
        wish: what the owner asks for, as of the last beat.
        lost: whether the job is another worker's by now. A database that does not answer is no proof of that.
    """

    def __init__(self, leases: Leases, lease: Lease, *, seconds: float) -> None:
        self._leases, self._lease, self._seconds = leases, lease, seconds
        self._end = threading.Event()
        self._thread = threading.Thread(target=self._beat, name=f"heartbeat of {lease.job}", daemon=True)
        self.wish, self.lost = Wish.GO_ON, False

    def __enter__(self) -> "Heartbeat":
        self._thread.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._end.set()
        self._thread.join()

    def _beat(self) -> None:
        while not self._end.wait(self._seconds / 3):
            try:
                self.wish = self._leases.extend(self._lease, seconds=self._seconds)
            except DatabaseError as error:
                log.warning("the lease of %s could not be extended: %s", self._lease.job, error)
            except LostLeaseError as error:
                log.warning("%s", error)
                self.lost = True
                return
