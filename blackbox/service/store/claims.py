"""Which job a worker takes next."""

from collections.abc import Collection

import sqlalchemy as sa

from blackbox.service.jobs.status import HELD, JobStatus
from blackbox.service.store.columns import Now
from blackbox.service.store.job_rows import J

STALLED_AT_MOST = 5
"""Take-overs of a job without progress in between."""


def next_job(connection: sa.Connection, backends: Collection[str] | None, *, lock: bool = False) -> str | None:
    """The job whose worker has been lost for longest, else the oldest that waits; None where there is none.

    Args:
        backends: of these only; None: of any.
        lock: it until the transaction ends; jobs that another worker is taking at this moment are passed over.
    """
    leased = J.lease_until.is_not(None)  # an index finds these; PostgreSQL compares nothing in it with a running clock
    lost = sa.select(J.id).where(leased, J.lease_until < Now(), J.status.in_(HELD)).order_by(J.lease_until)
    waiting = sa.select(J.id).where(J.status == JobStatus.QUEUED).order_by(J.id)
    for jobs in (lost, waiting):
        select = (jobs if backends is None else jobs.where(J.backend.in_(backends))).limit(1)
        job: str | None = connection.execute(select.with_for_update(skip_locked=True) if lock else select).scalar()
        if job is not None:
            return job
    return None
