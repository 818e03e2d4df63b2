"""Does one job that a worker has claimed, from its request to its end."""

import gc
import logging
from contextlib import suppress
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from blackbox.backends import StoppedError
from blackbox.config import ExecutorSettings
from blackbox.errors import DamagedFileError
from blackbox.loaded_models import LoadedModels
from blackbox.service.errors import ServiceError
from blackbox.service.jobs import reasons
from blackbox.service.jobs.request import JobRequest
from blackbox.service.operator import BackendEntry, Operator
from blackbox.service.store import Job, Store
from blackbox.service.store.lease import Lease
from blackbox.service.worker.failures import is_of_machine, is_owners, told
from blackbox.service.worker.folder import JobFolder, find_folder
from blackbox.service.worker.heartbeat import Heartbeat
from blackbox.service.worker.mirror import summary_of
from blackbox.service.worker.stopping import Cause, Stopped, Stopping
from blackbox.service.worker.watcher import Watcher
from blackbox.tune import resume, tune

log = logging.getLogger(__name__)


class Execution:
    """See the module.

    Args:
        store: where the job is kept.
        operator: the models.
        home: the folder of the jobs' folders.
        seconds: of a lease.
        stopping: whether the worker shall end.
    """

    def __init__(self, store: Store, operator: Operator, home: Path, *, seconds: float, stopping: Stopping) -> None:
        self._store, self._operator, self._home = store, operator, home
        self._seconds, self._stopping = seconds, stopping
        self._models = LoadedModels()

    def run(self, job: Job, lease: Lease) -> None:
        """Do a job, or go on with it. What it found, or why it failed, stands in the database.

        Raises:
            DatabaseError: the database does not answer; the lease runs out, and a worker goes on.
            RunError, JournalError: the disk is full, or the folder is damaged.
        """
        with Heartbeat(self._store.leases, lease, seconds=self._seconds) as heartbeat:
            folder = find_folder(self._home, job, epoch=lease.epoch)
            try:
                self._do(job, lease, folder, heartbeat)
            finally:
                folder.close()
                gc.collect()  # a run's connections and threads end with it

    def _do(self, job: Job, lease: Lease, folder: JobFolder, heartbeat: Heartbeat) -> None:
        watcher = Watcher(self._store, lease, folder, job, heartbeat=heartbeat, stopping=self._stopping)
        try:
            with self._models.shared():
                reason = self._search(job, folder, watcher)
            new, summary = watcher.all(), summary_of(folder.run)
            watcher.tell(lambda: self._store.leases.succeed(lease, reason, new, summary=summary))
            folder.remove()
        except Stopped as stopped:
            self._stop(lease, folder, watcher, stopped.cause)
        except KeyboardInterrupt:
            folder.close()  # it has what is paid for, the database the last generation
            with suppress(ServiceError):
                self._store.leases.hand_back(lease)
            raise
        except Exception as error:
            if is_of_machine(error):  # the lease runs out, and a worker goes on, where it can from the database
                if isinstance(error, DamagedFileError):
                    folder.remove()
                raise
            if isinstance(error, StoppedError) and (watcher.begun or job.progress.entries):
                self._set_aside(job, lease, folder, watcher, error)  # what is paid for stays until it is back
            else:
                self._fail(job, lease, folder, watcher, error)

    def _search(self, job: Job, folder: JobFolder, watcher: Watcher) -> str:
        """Search, or go on with it; the stop reason."""
        watcher.prepare()
        request = JobRequest.of(job.request)
        if folder.run.holds_run:
            entry = self._operator.entry(request.backend)
            return str(resume(folder.run.path, callbacks=[watcher], **_executor(entry)).summary.stop_reason)
        self._operator.config(request)  # wrong settings are told before the files are read
        files: dict[str, str] = {}
        watcher.tell(lambda: files.update(folder.write_data(self._store, job, request.files)))
        settings = self._operator.config(request, files=files).model_dump(exclude_unset=True)
        return str(tune(folder=folder.run.path, callbacks=[watcher], **settings).summary.stop_reason)

    def _stop(self, lease: Lease, folder: JobFolder, watcher: Watcher, cause: Cause) -> None:
        """The job's search has stopped at a moment at which it can be gone on with."""
        leases = self._store.leases
        ways = {Cause.PAUSE: leases.pause, Cause.CANCEL: leases.cancel, Cause.HAND_BACK: leases.hand_back}
        try:
            if cause is not Cause.LOST:
                watcher.save()
                folder.close()  # first: another worker of this machine may have the job at once
                watcher.tell(lambda: ways[cause](lease))
        except Stopped:
            cause = Cause.LOST
        log.info("%s stopped: %s", lease.job, cause)
        if cause is Cause.CANCEL:
            folder.remove()

    def _set_aside(self, job: Job, lease: Lease, folder: JobFolder, watcher: Watcher, error: StoppedError) -> None:
        """The job's endpoint takes no further calls: it is down, its account is used up, or it refuses the key."""
        log.warning("%s paused: %s", job.id, error)
        text = told(error, folder.path, *self._hidden(job))
        with suppress(Stopped):
            if watcher.begun:
                watcher.save()
            folder.close()
            watcher.tell(lambda: self._store.leases.pause(lease, text))

    def _fail(self, job: Job, lease: Lease, folder: JobFolder, watcher: Watcher, error: Exception) -> None:
        log.error("%s failed", job.id, exc_info=error)
        invalid = is_owners(error) and not watcher.begun
        text = told(error, folder.path, *self._hidden(job))
        try:
            if watcher.begun:
                watcher.save()
            reason = reasons.INVALID if invalid else reasons.ERROR
            watcher.tell(lambda: self._store.leases.fail(lease, reason, text))
        except Stopped:
            log.warning("%s: its failure could not be written down", job.id)
            return
        folder.remove()

    def _hidden(self, job: Job) -> list[str | None]:
        """What errors of the job's model may name and its owner shall not see."""
        entry = self._operator.backends.get(job.backend)
        if entry is None or entry.base_url is None:
            return []
        return [urlsplit(entry.base_url).netloc, urlsplit(entry.base_url).hostname, entry.key_variable]


def _executor(entry: BackendEntry) -> dict[str, Any]:
    """What the operator says of workers today: it may have changed since the job began, and changes no result."""
    names = ExecutorSettings.model_fields.keys() & entry.model_fields_set
    return {name: getattr(entry, name) for name in names} if "executor" in names else {}
