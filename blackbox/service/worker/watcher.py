"""Watches a job's search: writes each generation to the database, and stops the search where somebody asks for it."""

from collections.abc import Callable

from blackbox.callbacks import Callback, Progress
from blackbox.evaluation import Evaluation
from blackbox.service.errors import DatabaseError, LostLeaseError
from blackbox.service.store import Store
from blackbox.service.store.lease import Lease, Mirrored, Wish
from blackbox.service.worker.heartbeat import Heartbeat
from blackbox.service.worker.mirror import FolderMirror
from blackbox.service.worker.patience import patiently
from blackbox.service.worker.stopping import Cause, Stopped, Stopping

PATIENCE_S = 600.0
"""How long a database that does not answer is waited for."""

_CAUSES = {Wish.PAUSE: Cause.PAUSE, Wish.CANCEL: Cause.CANCEL}


class Watcher(Callback):
    """See the module. What it raises to stop the search is a `Stopped`.

    Attributes:
        begun: whether the search has.
    """

    def __init__(
        self, store: Store, lease: Lease, mirror: FolderMirror, *, heartbeat: Heartbeat, stopping: Stopping
    ) -> None:
        self._store, self._lease, self._mirror = store, lease, mirror
        self._heartbeat, self._stopping = heartbeat, stopping
        self._last: Progress | None = None
        self.begun = False

    def on_start(self, progress: Progress) -> None:
        self.begun = True
        self.tell(lambda: self._store.leases.begin(self._lease))
        self._stop_if(self._write(progress))

    def on_evaluations(self, evaluations: tuple[Evaluation, ...], progress: Progress) -> None:
        if self._heartbeat.lost:
            raise Stopped(Cause.LOST)

    def on_generation(self, progress: Progress) -> None:
        self._stop_if(self._write(progress))

    def on_end(self, progress: Progress, stop_reason: str) -> None:
        self._last = progress

    def all(self) -> Mirrored:
        """All that is new, the search having ended or stopped."""
        return self._mirror.take(self._last, whole=True)

    def save(self) -> None:
        """Write down all that is new.

        Raises:
            Stopped: it cannot be written.
        """
        new = self.all()
        self.tell(lambda: self._store.leases.mirror(self._lease, new))

    def tell(self, call: Callable[[], object]) -> None:
        """Write to the database, waiting for it where it is away.

        Raises:
            Stopped: the job is another worker's, or the database has been away for too long.
        """
        try:
            patiently(call, seconds=PATIENCE_S)
        except (LostLeaseError, DatabaseError) as error:
            raise Stopped(Cause.LOST) from error

    def _write(self, progress: Progress) -> Wish:
        self._last = progress
        new, wishes = self._mirror.take(progress), list[Wish]()
        self.tell(lambda: wishes.append(self._store.leases.mirror(self._lease, new)))
        self._mirror.written()
        return wishes[-1]

    def _stop_if(self, wish: Wish) -> None:
        if wish in _CAUSES:
            raise Stopped(_CAUSES[wish])
        if self._stopping:
            raise Stopped(Cause.HAND_BACK)
