"""What workers do with jobs: claim one, keep it, write down how far it is, end it or hand it back.

A claim is a lease: it ends by itself unless it is extended. Each has an epoch, one greater than the job's last; what a
worker writes carries it, and where the job has another by now nothing is written (fencing). A lease that has run out
is still good as long as nobody has taken the job over.
"""

from collections.abc import Collection, Mapping
from typing import Any

import sqlalchemy as sa

from blackbox.service.errors import LostLeaseError, MissingError
from blackbox.service.jobs import reasons
from blackbox.service.jobs.status import HELD, JobStatus
from blackbox.service.store.claims import STALLED_AT_MOST, next_job
from blackbox.service.store.columns import Now
from blackbox.service.store.database import Database
from blackbox.service.store.job_rows import FREE, J, change, ended_values, locked, read_job
from blackbox.service.store.jobs import CANCELLED, PAUSED
from blackbox.service.store.lease import Lease, Mirrored, Wish
from blackbox.service.store.mirroring import mirror
from blackbox.service.store.rows import Job, NewEvent

_S = JobStatus
_WISHES = {_S.PAUSING: Wish.PAUSE, _S.CANCELLING: Wish.CANCEL}


class Leases:
    """See the module. Every method but `claim` raises LostLeaseError where the job is another worker's, or gone."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def claim(
        self, worker: str, *, seconds: float, backends: Collection[str] | None = None
    ) -> tuple[Job, Lease] | None:
        """The oldest job that waits, or whose worker was lost; None where there is none.

        A lost job that its owner wants paused or cancelled is that at once, and one that has lost several workers
        without getting further has failed.

        Args:
            worker: who claims; shown to the owner.
            seconds: after which the lease runs out.
            backends: that the worker has; None: all that there are.
        """
        with self._database.read() as connection:
            if next_job(connection, backends) is None:  # most often: nobody shall wait for a lock then
                return None
        while True:
            with self._database.write() as connection:
                job = next_job(connection, backends, lock=True)
                if job is None:
                    return None
                row = locked(connection, job)
                if not _settled(connection, row):
                    return _claimed(connection, row, worker, seconds)

    def extend(self, lease: Lease, *, seconds: float) -> Wish:
        """Keep a job for so long from now on, and learn what its owner asks for."""
        with self._database.write() as connection:
            row = _held(connection, lease)
            until = {"lease_until": Now() + seconds}
            connection.execute(sa.update(J.id.table).where(J.id == row.id).values(until))
            return _WISHES.get(row.status, Wish.GO_ON)

    def begin(self, lease: Lease) -> None:
        """The job's settings and data are in order, and its run goes on."""
        with self._database.write() as connection:
            row = _held(connection, lease)
            if row.status == _S.VALIDATING:
                change(connection, row, [NewEvent("running", "The search is running.")], status=_S.RUNNING)

    def mirror(self, lease: Lease, new: Mirrored) -> Wish:
        """Write down what is new in the run's folder; what is there already is not written again."""
        with self._database.write() as connection:
            row = _held(connection, lease)
            mirror(connection, row, new)
            return _WISHES.get(row.status, Wish.GO_ON)

    def hand_back(self, lease: Lease) -> None:
        """Put the job back into the queue, for this worker ends. What its owner has asked for comes first."""
        event = NewEvent("handed_back", "The worker ends; the job waits for another.", {"worker": lease.worker})
        ways = {_S.PAUSING: (_S.PAUSED, [event, PAUSED]), _S.CANCELLING: (_S.CANCELLED, [event, CANCELLED])}
        with self._database.write() as connection:
            row = _held(connection, lease)
            status, events = ways.get(row.status, (_S.QUEUED, [event]))
            values = ended_values(reasons.CANCELLED) if status == _S.CANCELLED else FREE
            change(connection, row, events, status=status, values=values)

    def pause(self, lease: Lease, why: str = "") -> None:
        """The job's state is saved and its owner has asked for a pause, or it cannot go on now.

        Cancelled since, it is cancelled.

        Args:
            why: one line for its owner.
        """
        self._leave(lease, _S.PAUSED, NewEvent("paused", f"The job is paused: {why}", {"why": why}) if why else PAUSED)

    def cancel(self, lease: Lease) -> None:
        """The job's owner has asked for its end."""
        self._leave(lease, _S.CANCELLED, CANCELLED)

    def succeed(self, lease: Lease, stop_reason: str, new: Mirrored, *, summary: Mapping[str, Any]) -> None:
        """The job has ended with a result, which is among the artifacts of `new`."""
        event = NewEvent("succeeded", f"The search has ended: {stop_reason}.", {"stop_reason": stop_reason})
        with self._database.write() as connection:
            row = _held(connection, lease)
            mirror(connection, row, new)
            row = locked(connection, lease.job)
            values = {**ended_values(stop_reason), "summary": dict(summary)}
            change(connection, row, [event], status=_S.SUCCEEDED, values=values)

    def fail(self, lease: Lease, stop_reason: str, error: str) -> None:
        """The job has ended without a result; `error` is one line for its owner."""
        with self._database.write() as connection:
            _fail(connection, _held(connection, lease), stop_reason, error)

    def _leave(self, lease: Lease, status: JobStatus, event: NewEvent) -> None:
        with self._database.write() as connection:
            row = _held(connection, lease)
            if status == _S.CANCELLED or row.status == _S.CANCELLING:
                values = ended_values(reasons.CANCELLED)
                change(connection, row, [CANCELLED], status=_S.CANCELLED, values=values)
            else:
                change(connection, row, [event], status=_S.PAUSED, values=FREE)


def _held(connection: sa.Connection, lease: Lease) -> sa.Row[Any]:
    """The locked row of a job that is the worker's."""
    try:
        row = locked(connection, lease.job)
    except MissingError as error:
        raise LostLeaseError(f"job {lease.job} has been deleted") from error
    if row.epoch != lease.epoch or row.worker != lease.worker or row.status not in HELD:
        raise LostLeaseError(f"job {lease.job} is no longer worker {lease.worker}'s: it is {row.status}")
    return row


def _settled(connection: sa.Connection, row: sa.Row[Any]) -> bool:
    """Whether a job that lost its worker needs none any more: it is paused, cancelled or failed now."""
    if row.status == _S.PAUSING:
        change(connection, row, [PAUSED], status=_S.PAUSED, values=FREE)
    elif row.status == _S.CANCELLING:
        change(connection, row, [CANCELLED], status=_S.CANCELLED, values=ended_values(reasons.CANCELLED))
    elif row.status in HELD and row.stalled >= STALLED_AT_MOST:
        lost = row.stalled + 1
        error = f"{lost} workers in a row ended without getting further than generation {row.generation}"
        _fail(connection, row, reasons.WORKER_LOST, f"{error}; is there enough memory?")
    else:
        return False
    return True


def _claimed(connection: sa.Connection, row: sa.Row[Any], worker: str, seconds: float) -> tuple[Job, Lease]:
    values = {"worker": worker, "epoch": row.epoch + 1, "lease_until": Now() + seconds}
    if row.started_at is None:
        values["started_at"] = Now()
    events = []
    if row.status in HELD:
        values |= {"take_overs": row.take_overs + 1, "stalled": row.stalled + 1}
        data = {"generation": row.generation, "evaluations": row.evaluations, "worker": worker, "lost": row.worker}
        told = f"Its worker was lost; another goes on from generation {row.generation}."
        events.append(NewEvent("taken_over", told, data))
    events.append(NewEvent("validating", "A worker checks settings and data.", {"worker": worker}))
    change(connection, row, events, status=_S.VALIDATING, values=values)
    return read_job(connection, row.id), Lease(row.id, worker, row.epoch + 1)


def _fail(connection: sa.Connection, row: sa.Row[Any], stop_reason: str, error: str) -> None:
    event = NewEvent("failed", error, {"stop_reason": stop_reason})
    change(connection, row, [event], status=_S.FAILED, values=ended_values(stop_reason, error))
