"""A worker: claims jobs one after the other and does them, until it is told to end."""

import logging
import os
import socket
import time
from pathlib import Path

from blackbox.backends import JournalError
from blackbox.errors import RunError
from blackbox.service.errors import DatabaseError, MissingError
from blackbox.service.jobs.status import ENDED
from blackbox.service.operator import Operator
from blackbox.service.store import Store
from blackbox.service.worker.execution import Execution
from blackbox.service.worker.folder import JobFolder
from blackbox.service.worker.stopping import Stopping

log = logging.getLogger(__name__)

LEASE_S = 30.0
"""How long a job waits after its worker is lost."""

_IDLE_S, _AWAY_S, _TIDY_S = 0.5, 5.0, 600.0


class Worker:
    """See the module.

    Args:
        store: where the jobs are.
        operator: the models that there are on this machine: jobs of others are left to other workers.
        folder: jobs are done in `folder/jobs`.
        stopping: when to end.
        lease_seconds: how long a job waits for another worker when this one is killed.
    """

    def __init__(
        self, store: Store, operator: Operator, folder: Path, *, stopping: Stopping, lease_seconds: float = LEASE_S
    ) -> None:
        self._store, self._stopping, self._seconds = store, stopping, lease_seconds
        self._home, self._backends = folder / "jobs", tuple(operator.backends)
        self._execution = Execution(store, operator, self._home, seconds=lease_seconds, stopping=stopping)
        self.name = f"{socket.gethostname()[:60]}:{os.getpid()}"

    def run(self) -> None:
        """Do jobs until it is time to end."""
        self._tidy()
        tidied = time.monotonic()
        while not self._stopping:
            try:
                if self.work():
                    continue
                if time.monotonic() - tidied > _TIDY_S:
                    self._tidy()
                    tidied = time.monotonic()
                self._stopping.wait(_IDLE_S)
            except (DatabaseError, JournalError, RunError) as error:
                log.warning("%s; trying again", error)
                self._stopping.wait(_AWAY_S)

    def work(self) -> bool:
        """Do the next job, if there is one; whether there was.

        Raises:
            DatabaseError: the database does not answer. RunError, JournalError: the disk is full.
        """
        claimed = self._store.leases.claim(self.name, seconds=self._seconds, backends=self._backends)
        if claimed is None:
            return False
        job, lease = claimed
        log.info("%s claimed", job.id)
        self._execution.run(job, lease)
        return True

    def _tidy(self) -> None:
        """Remove folders of jobs that have ended on another machine, or are gone."""
        for path in sorted(self._home.glob("job-*")):
            try:
                if self._is_over(path.name.partition(".")[0]):
                    JobFolder(path).remove()
            except (DatabaseError, RunError) as error:
                log.info("%s is left: %s", path, error)

    def _is_over(self, job: str) -> bool:
        try:
            return self._store.jobs.get(job, owner=None).status in ENDED
        except MissingError:
            return True
