"""Which jobs a page of a list has: by indexes alone, so that its time does not grow with the number of jobs."""

from collections.abc import Collection, Mapping
from typing import Any

import sqlalchemy as sa

from blackbox.service.jobs.status import JobStatus
from blackbox.service.store import tables
from blackbox.service.store.columns import storable
from blackbox.service.store.job_rows import J


def listed(
    *,
    owner: str | None,
    after: str | None,
    limit: int,
    statuses: Collection[JobStatus],
    metadata: Mapping[str, str],
) -> sa.Select[Any]:
    """The ids of the newest `limit + 1` jobs behind `after`.

    An index has the jobs of one status in order: of several, the newest of each are put together.
    """
    if metadata or len(statuses) < 2:
        return _newest(owner, after, limit, statuses, metadata)
    parts = [_newest(owner, after, limit, [status], {}).subquery() for status in sorted(set(statuses))]
    together = sa.union_all(*(sa.select(part.c.id) for part in parts)).subquery()
    return sa.select(together.c.id).order_by(together.c.id.desc()).limit(limit + 1)


def _newest(
    owner: str | None, after: str | None, limit: int, statuses: Collection[JobStatus], metadata: Mapping[str, str]
) -> sa.Select[Any]:
    of_keys = [tables.job_metadata.alias(f"m{number}").c for number in range(len(metadata))]
    at = of_keys[0].job if of_keys else J.id
    select = sa.select(at.label("id")).order_by(at.desc()).limit(limit + 1)
    for of_key, (key, value) in zip(of_keys, metadata.items(), strict=True):
        select = select.where(of_key.key == storable(key), of_key.value == storable(value))
        if of_key.job is not at:
            select = select.where(of_key.job == at)
        if owner is not None:
            select = select.where(of_key.owner == owner)
    if owner is not None and not metadata:
        select = select.where(J.owner == owner)
    if statuses:
        select = select.where(J.status.in_(statuses) if len(statuses) > 1 else J.status == next(iter(statuses)))
        if of_keys:
            select = select.where(J.id == at)
    if after is not None:
        select = select.where(at < storable(after))
    return select.correlate(None)  # by itself, not once for each job of the list around it
