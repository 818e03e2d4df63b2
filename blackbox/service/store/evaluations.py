"""Evaluations of jobs: the lines of their runs' journals, and the prompts that were selected on the way."""

import sqlalchemy as sa

from blackbox.service.store import tables
from blackbox.service.store.columns import storable
from blackbox.service.store.database import Database
from blackbox.service.store.paging import page
from blackbox.service.store.rows import JobCheckpoint, JobEvaluation, Page

_E, _C = tables.evaluations.c, tables.checkpoints.c
_SHOWN = [column for column in _C if column.name != "checksum"]


class Evaluations:
    """See the module."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def list(self, job: str, *, after: int = -1, limit: int = 100) -> Page[JobEvaluation]:
        """The evaluations behind number `after`, in order; none where there is no such job. Asks for no owner."""
        select = sa.select(tables.evaluations).where(_E.job == storable(job), _E.number > after).order_by(_E.number)
        with self._database.read() as connection:
            return page(connection, select, limit, lambda row: JobEvaluation(**row._asdict()))

    def checkpoints(self, job: str, *, after: int = -1, limit: int = 100) -> Page[JobCheckpoint]:
        """The generations behind generation `after` that selected another prompt, in order. Asks for no owner."""
        of_job = sa.select(*_SHOWN).where(_C.job == storable(job), _C.generation > after)
        with self._database.read() as connection:
            return page(connection, of_job.order_by(_C.generation), limit, lambda row: JobCheckpoint(**row._asdict()))
