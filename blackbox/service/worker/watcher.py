"""Watches a job's search: writes each generation to the database, and stops the search where somebody asks for it."""

import time
from collections.abc import Callable

from blackbox.callbacks import Callback, Progress
from blackbox.evaluation import Evaluation
from blackbox.service.errors import DatabaseError, LostLeaseError
from blackbox.service.store import Job, Store
from blackbox.service.store.lease import Lease, Mirrored, Wish
from blackbox.service.worker.folder import JobFolder
from blackbox.service.worker.heartbeat import Heartbeat
from blackbox.service.worker.mirror import FolderMirror
from blackbox.service.worker.patience import patiently
from blackbox.service.worker.stopping import Cause, Stopped, Stopping

PATIENCE_S = 600.0
"""How long a database that does not answer is waited for."""

NEWS_S = 10.0
"""How old the figures of a long generation may get."""

_CAUSES = {Wish.PAUSE: Cause.PAUSE, Wish.CANCEL: Cause.CANCEL}


class Watcher(Callback):
    """See the module. What it raises to stop the search is a `Stopped`.

    Attributes:
        begun: whether the search has.
    """

    def __init__(
        self, store: Store, lease: Lease, folder: JobFolder, job: Job, *, heartbeat: Heartbeat, stopping: Stopping
    ) -> None:
        self._store, self._lease, self._folder, self._job = store, lease, folder, job
        self._heartbeat, self._stopping = heartbeat, stopping
        self._last: Progress | None = None
        self._wrote = time.monotonic()
        self.begun = False

    def prepare(self) -> None:
        """See to it that the run in the folder is the job's; to be called before anything else.

        Raises:
            Stopped: the database has been away for too long.
        """
        self.tell(lambda: self._folder.prepare(self._store, self._job))
        self.tell(self._compare)

    def on_start(self, progress: Progress) -> None:
        self.begun = True
        self.tell(lambda: self._store.leases.begin(self._lease))
        self._stop_if(self._write(progress))

    def on_evaluations(self, evaluations: tuple[Evaluation, ...], progress: Progress) -> None:
        self._last = progress
        if self._heartbeat.lost:
            raise Stopped(Cause.LOST)
        if self._heartbeat.wish is Wish.CANCEL:  # nobody needs the rest of the generation
            raise Stopped(Cause.CANCEL)
        if time.monotonic() - self._wrote > NEWS_S:
            self._write(progress)

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
            patiently(call, seconds=PATIENCE_S, hurried=lambda: bool(self._stopping) or self._heartbeat.lost)
        except (LostLeaseError, DatabaseError) as error:
            raise Stopped(Cause.LOST) from error

    def _compare(self) -> None:
        """Learn what the database has of the folder."""
        known, answered = self._store.artifacts.list(self._job.id), self._store.answers.last(self._job.id)
        self._mirror = FolderMirror(self._folder.run, self._job, known, answered=answered)

    def _write(self, progress: Progress) -> Wish:
        self._last = progress
        new, wishes = self._mirror.take(progress), list[Wish]()
        self.tell(lambda: wishes.append(self._store.leases.mirror(self._lease, new)))
        self._mirror.written()
        self._wrote = time.monotonic()
        return wishes[-1]

    def _stop_if(self, wish: Wish) -> None:
        if wish in _CAUSES:
            raise Stopped(_CAUSES[wish])
        if self._stopping:
            raise Stopped(Cause.HAND_BACK)
