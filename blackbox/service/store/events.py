"""Events of jobs: numbered 1, 2, ... in each, written in the transaction of what they tell of."""

from collections.abc import Collection

import sqlalchemy as sa

from blackbox.service.store import tables
from blackbox.service.store.columns import storable
from blackbox.service.store.database import Database
from blackbox.service.store.paging import page
from blackbox.service.store.rows import Event, Page

_E, _J = tables.events.c, tables.jobs.c


class Events:
    """See the module."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def list(self, job: str, *, after: int = 0, limit: int = 100) -> Page[Event]:
        """The events behind number `after`, in order; none where there is no such job. Asks for no owner."""
        select = sa.select(tables.events).where(_E.job == storable(job), _E.number > after).order_by(_E.number)
        with self._database.read() as connection:
            return page(connection, select, limit, lambda row: Event(**row._asdict()))

    def counts(self, jobs: Collection[str]) -> dict[str, int]:
        """Of each of some jobs, how many events it has: the last one's number. Jobs that are not there are left out."""
        with self._database.read() as connection:
            rows = connection.execute(sa.select(_J.id, _J.events).where(_J.id.in_(list(jobs))))
            return {row.id: row.events for row in rows}
