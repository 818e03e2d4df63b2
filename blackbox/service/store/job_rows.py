"""Jobs as rows of the database: read, locked, changed together with the events that tell of it."""

from collections.abc import Mapping, Sequence
from typing import Any

import sqlalchemy as sa

from blackbox.service.errors import MissingError
from blackbox.service.jobs.status import JobStatus
from blackbox.service.store import tables
from blackbox.service.store.columns import Now, storable
from blackbox.service.store.rows import Job, JobBudget, JobProgress, NewEvent

J = tables.jobs.c
_PROGRESS = tuple(JobProgress.__dataclass_fields__)
_PLAIN = tuple(name for name in Job.__dataclass_fields__ if name not in ("status", "progress", "budget"))
_READ = [J[name] for name in (*_PLAIN, *_PROGRESS, "status", "budget_evaluations", "budget_usd")]
LIVE = sa.and_(J.lease_until.is_not(None), J.lease_until > Now()).label("live")
"""Whether a worker's lease on the job has not run out."""


def select_jobs() -> sa.Select[Any]:
    """All that `job_of` needs."""
    return sa.select(*_READ)


def job_of(row: sa.Row[Any]) -> Job:
    """The job of a row."""
    values = row._asdict()
    return Job(
        **{name: values[name] for name in _PLAIN},
        status=JobStatus(values["status"]),
        budget=JobBudget(values["budget_evaluations"], values["budget_usd"]),
        progress=JobProgress(**{name: values[name] for name in _PROGRESS}),
    )


def read_job(connection: sa.Connection, job: str, owner: str | None = None) -> Job:
    """A job; `owner` None asks for anybody's.

    Raises:
        MissingError: there is none, or it is another owner's.
    """
    return job_of(_seen(connection.execute(select_jobs().where(J.id == storable(job))).one_or_none(), job, owner))


def locked(connection: sa.Connection, job: str, owner: str | None = None) -> sa.Row[Any]:
    """The whole row of a job and whether its lease is live; nobody changes it until the transaction ends.

    Raises:
        MissingError: there is none, or it is another owner's.
    """
    select = sa.select(tables.jobs, LIVE).where(J.id == storable(job)).with_for_update()
    return _seen(connection.execute(select).one_or_none(), job, owner)


def change(
    connection: sa.Connection,
    row: sa.Row[Any],
    events: Sequence[NewEvent],
    *,
    status: JobStatus | None = None,
    values: Mapping[str, Any] | None = None,
) -> None:
    """Change a locked job once in this transaction, and write down what happened under the next numbers."""
    told = {**(values or {}), "events": row.events + len(events), "updated_at": Now()}
    if status is not None:
        told["status"] = status
    connection.execute(tables.jobs.update().where(J.id == row.id).values(told))
    add_events(connection, row.id, row.events, events)


def add_events(connection: sa.Connection, job: str, before: int, events: Sequence[NewEvent]) -> None:
    """Write events down behind number `before`; the caller counts them in the job."""
    for number, event in enumerate(events, start=before + 1):
        told = {"job": job, "number": number, "type": event.type, "message": storable(event.message)}
        connection.execute(tables.events.insert().values(**told, data=dict(event.data), created_at=Now()))


FREE: Mapping[str, Any] = {"worker": None, "lease_until": None}
"""Of a job that no worker has."""


def ended_values(stop_reason: str, error: str | None = None) -> dict[str, Any]:
    """What changes in a job that ends."""
    told = None if error is None else storable(error)
    return {**FREE, "stop_reason": storable(stop_reason), "error": told, "ended_at": Now()}


def _seen(row: sa.Row[Any] | None, job: str, owner: str | None) -> sa.Row[Any]:
    if row is None or owner not in (None, row.owner):
        raise MissingError(f"there is no job {job!r}")
    return row
