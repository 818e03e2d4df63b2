"""Jobs, as those see them that hand them in. What workers do with them is in `leases`."""

import hashlib
import json
from collections.abc import Collection, Mapping
from typing import Any

import sqlalchemy as sa

from blackbox.service.errors import KeyConflictError, MissingError, StatusError
from blackbox.service.jobs import reasons
from blackbox.service.jobs.status import ENDED, JobStatus, check_transition
from blackbox.service.store import tables
from blackbox.service.store.columns import Now, finite
from blackbox.service.store.database import Database
from blackbox.service.store.ids import new_id
from blackbox.service.store.job_list import listed
from blackbox.service.store.job_rows import (
    FREE,
    J,
    add_events,
    change,
    ended_values,
    job_of,
    locked,
    read_job,
    select_jobs,
)
from blackbox.service.store.paging import page
from blackbox.service.store.quotas import check_quotas
from blackbox.service.store.rows import Job, JobBudget, NewEvent, Page

_S = JobStatus


class Jobs:
    """See the module. `owner` None means anybody's jobs."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def create(
        self,
        owner: str,
        request: Mapping[str, Any],
        *,
        backend: str,
        budget: JobBudget,
        files: Collection[str] = (),
        metadata: Mapping[str, str] | None = None,
        idempotency_key: str | None = None,
    ) -> tuple[Job, bool]:
        """Put a job into the queue; its first event is "created".

        Args:
            owner: whose job and quotas; what is no token's id has no quotas.
            request: JSON values.
            backend: the operator's name of the model.
            budget: counts against the owner's quotas until the job has ended.
            files: ids of the owner's files that it reads.
            metadata: the owner's own; keys up to 64, values up to 512 characters.
            idempotency_key: up to 255 characters; the same key, request and metadata of the same owner give the same
                job.

        Returns:
            The job, and whether it is new.

        Raises:
            KeyConflictError: the key came with another request before.
            QuotaError: the owner's quotas do not allow it; the text names the quota.
            MissingError: a file is not there, or another owner's.
        """
        job, words = new_id("job"), dict(metadata or {})
        digest = _digest(request, words)
        values = {
            "id": job,
            "owner": owner,
            "status": _S.QUEUED,
            "request": dict(request),
            "metadata": words,
            "backend": backend,
            "idempotency_key": idempotency_key,
            "request_sha256": digest,
            "budget_evaluations": budget.evaluations,
            "budget_usd": budget.usd,
            "events": 1,
            "created_at": Now(),
            "updated_at": Now(),
        }
        with self._database.write() as connection:
            self._database.lock(connection, f"jobs of {owner}")
            if known := _same(connection, owner, idempotency_key, digest):
                return known, False
            _check_files(connection, owner, files)
            check_quotas(connection, owner, budget)
            connection.execute(tables.jobs.insert().values(values))
            for key, value in words.items():
                told = {"job": job, "key": key, "value": value, "owner": owner}
                connection.execute(tables.job_metadata.insert().values(told))
            for file in set(files):
                connection.execute(tables.job_files.insert().values(job=job, file=file))
            add_events(connection, job, 0, [NewEvent("created", "The job waits for a worker.", {"backend": backend})])
            return read_job(connection, job), True

    def get(self, job: str, *, owner: str | None) -> Job:
        """A job.

        Raises:
            MissingError: there is none, or it is another owner's.
        """
        with self._database.read() as connection:
            return read_job(connection, job, owner)

    def list(
        self,
        *,
        owner: str | None,
        after: str | None = None,
        limit: int = 20,
        statuses: Collection[JobStatus] = (),
        metadata: Mapping[str, str] | None = None,
    ) -> Page[Job]:
        """Jobs, the newest first, behind the job `after` (whether there is one of this id or not).

        Args:
            statuses: one of these; none: any.
            metadata: all of these keys with these values.
        """
        ids = listed(owner=owner, after=after, limit=limit, statuses=statuses, metadata=metadata or {})
        with self._database.read() as connection:
            return page(connection, select_jobs().where(J.id.in_(ids)).order_by(J.id.desc()), limit, job_of)

    def pause(self, job: str, *, owner: str | None) -> Job:
        """Ask for a pause: of a queued job at once, of a running one behind its present generation. Again, no change.

        Raises:
            MissingError: there is none. StatusError: it has ended, or is being cancelled.
        """
        asked = NewEvent("pause_requested", "A pause is asked for; it begins behind this generation.")
        with self._database.write() as connection:
            row = locked(connection, job, owner)
            if row.status not in (_S.PAUSED, _S.PAUSING):
                check_transition(job, row.status, _S.PAUSED, asked="be paused")
                if row.live:
                    change(connection, row, [asked], status=_S.PAUSING)
                else:
                    change(connection, row, [PAUSED], status=_S.PAUSED, values=FREE)
            return read_job(connection, job)

    def resume(self, job: str, *, owner: str | None) -> Job:
        """Put a paused job back into the queue. One that is queued or running stays so.

        Raises:
            MissingError: there is none. StatusError: it is not paused yet, is being cancelled, or has ended.
        """
        with self._database.write() as connection:
            row = locked(connection, job, owner)
            if row.status not in (_S.QUEUED, _S.VALIDATING, _S.RUNNING):
                check_transition(job, row.status, _S.QUEUED, asked="be resumed")
                event = NewEvent("resumed", "The job waits for a worker again.")
                change(connection, row, [event], status=_S.QUEUED, values=FREE)
            return read_job(connection, job)

    def cancel(self, job: str, *, owner: str | None) -> Job:
        """Ask for the end: of a queued or paused job at once, of a running one behind its present generation.

        Of one that is cancelled or being cancelled nothing changes.

        Raises:
            MissingError: there is none. StatusError: it has ended otherwise.
        """
        asked = NewEvent("cancel_requested", "The end is asked for; it comes behind this generation.")
        with self._database.write() as connection:
            row = locked(connection, job, owner)
            if row.status not in (_S.CANCELLED, _S.CANCELLING):
                check_transition(job, row.status, _S.CANCELLED, asked="be cancelled")
                if row.live:
                    change(connection, row, [asked], status=_S.CANCELLING)
                else:
                    told = ended_values(reasons.CANCELLED)
                    change(connection, row, [CANCELLED], status=_S.CANCELLED, values=told)
            return read_job(connection, job)

    def delete(self, job: str, *, owner: str | None) -> None:
        """Remove a job that has ended, with all that belongs to it but its files of task data.

        Raises:
            MissingError: there is none. StatusError: it has not ended.
        """
        with self._database.write() as connection:
            row = locked(connection, job, owner)
            if row.status not in ENDED:
                raise StatusError(
                    f"job {job} is {row.status}: it must have ended before it is deleted; cancel it first"
                )
            connection.execute(tables.jobs.delete().where(J.id == row.id))

    def counts(self) -> dict[JobStatus, int]:
        """How many jobs there are in each status, those without one included."""
        with self._database.read() as connection:
            rows = connection.execute(sa.select(J.status, sa.func.count()).group_by(J.status))
            found = {row[0]: row[1] for row in rows}
        return {status: found.get(status, 0) for status in JobStatus}


PAUSED = NewEvent("paused", "The job is paused.")
CANCELLED = NewEvent("cancelled", "The job is cancelled.")


def _same(connection: sa.Connection, owner: str, key: str | None, digest: str) -> Job | None:
    """The job that came with the same key."""
    if key is None:
        return None
    known = sa.select(J.id, J.request_sha256).where(J.owner == owner, J.idempotency_key == key)
    row = connection.execute(known).one_or_none()
    if row is None:
        return None
    if row.request_sha256 != digest:
        raise KeyConflictError(f"the idempotency key {key!r} came with another request before, which made {row.id}")
    return read_job(connection, row.id)


def _check_files(connection: sa.Connection, owner: str, files: Collection[str]) -> None:
    """Each is there, and stays so until the transaction ends."""
    columns = tables.files.c
    for file in files:
        select = sa.select(columns.id).where(columns.id == file, columns.owner == owner)
        if connection.execute(select.with_for_update(read=True)).first() is None:
            raise MissingError(f"there is no file {file!r}")


def _digest(request: Mapping[str, Any], metadata: Mapping[str, str]) -> str:
    content = json.dumps([finite(dict(request)), dict(metadata)], sort_keys=True)
    return hashlib.sha256(content.encode()).hexdigest()
