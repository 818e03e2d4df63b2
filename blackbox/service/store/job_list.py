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
    select, at = sa.select(J.id), J.id
    for number, (key, value) in enumerate(metadata.items()):
        of_key = tables.job_metadata.alias(f"m{number}").c
        select = select.where(of_key.job == J.id, of_key.key == storable(key), of_key.value == storable(value))
        if owner is not None:
            select = select.where(of_key.owner == owner)
        if number == 0:
            at = of_key.job
    if owner is not None and not metadata:
        select = select.where(J.owner == owner)
    if statuses:
        select = select.where(J.status.in_(statuses) if len(statuses) > 1 else J.status == next(iter(statuses)))
    if after is not None:
        select = select.where(at < storable(after))
    return select.order_by(at.desc()).limit(limit + 1)
