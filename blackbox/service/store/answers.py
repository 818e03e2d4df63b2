"""Answers of endpoints that jobs have paid for: the lines of their runs' own journals of answers."""

from collections.abc import Iterator, Sequence
from typing import Any

import sqlalchemy as sa

from blackbox.service.store import tables
from blackbox.service.store.database import Database

_A = tables.answers.c
_PAGE = 1000


class PaidAnswers:
    """See the module."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def last(self, job: str) -> int:
        """The number of a job's last one; 0 where there is none."""
        with self._database.read() as connection:
            return int(connection.execute(_last(job)).scalar() or 0)

    def all(self, job: str) -> Iterator[tuple[int, str]]:
        """All of a job's with their numbers, in order."""
        after = 0
        while True:
            select = sa.select(_A.number, _A.line).where(_A.job == job, _A.number > after).order_by(_A.number)
            with self._database.read() as connection:
                rows = connection.execute(select.limit(_PAGE)).all()
            for number, line in rows:
                after = number
                yield number, line
            if len(rows) < _PAGE:
                return


def add_answers(connection: sa.Connection, job: str, answers: Sequence[tuple[int, str]]) -> None:
    """Write down those whose numbers are not there yet."""
    if not answers:
        return
    last = int(connection.execute(_last(job)).scalar() or 0)
    new = [{"job": job, "number": number, "line": line} for number, line in answers if number > last]
    if new:
        connection.execute(tables.answers.insert(), new)


def _last(job: str) -> sa.Select[Any]:
    return sa.select(sa.func.max(_A.number)).where(_A.job == job)
