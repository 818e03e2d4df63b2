"""Writes what is new in a run's folder into the database, once, whatever a worker or the connection went through."""

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

import sqlalchemy as sa

from blackbox.service.store import tables
from blackbox.service.store.artifacts import write_artifacts
from blackbox.service.store.columns import Now, storable
from blackbox.service.store.job_rows import change
from blackbox.service.store.lease import Mirrored
from blackbox.service.store.rows import JobProgress

_T, _C = tables.tokens.c, tables.checkpoints.c


def mirror(connection: sa.Connection, row: sa.Row[Any], new: Mirrored) -> None:
    """Write what is new into a locked job.

    Lines whose numbers are there are passed over; so is the event of a generation that is not behind the job's last:
    a run that goes on from an older checkpoint comes by its generations again.
    """
    further = new.progress.generation > row.generation
    _add_lines(connection, row, new)
    _account(connection, row, new.progress)
    write_artifacts(connection, row.id, new.artifacts)
    if new.selected is not None:
        _add_checkpoint(connection, row.id, new.progress, new.selected)
    events = [new.event] if new.event is not None and further else []
    change(connection, row, events, values=_values(row, new.progress, further))


def _values(row: sa.Row[Any], progress: JobProgress, further: bool) -> Mapping[str, Any]:
    """A run that is behind what is known replays: nothing of it is news."""
    if progress.generation < row.generation or progress.evaluations < row.evaluations:
        return {"entries": max(row.entries, progress.entries)}
    moved = {"stalled": 0} if further or progress.entries > row.entries else {}
    return {**asdict(progress), "entries": max(row.entries, progress.entries), **moved}


def _add_lines(connection: sa.Connection, row: sa.Row[Any], new: Mirrored) -> None:
    lines = [
        {"job": row.id, "number": number, "line": line}
        for number, line in enumerate(new.lines, start=new.first)
        if number >= row.entries
    ]
    if lines:
        connection.execute(tables.evaluations.insert(), lines)


def _account(connection: sa.Connection, row: sa.Row[Any], progress: JobProgress) -> None:
    """What the job has used since counts against its owner's quotas."""
    evaluations = max(0, progress.evaluations - row.evaluations)
    usd = max(0.0, progress.usd - row.usd)
    if evaluations or usd:
        used = {"used_evaluations": _T.used_evaluations + evaluations, "used_usd": _T.used_usd + usd}
        connection.execute(tables.tokens.update().where(_T.id == row.owner).values(used))


def _add_checkpoint(connection: sa.Connection, job: str, progress: JobProgress, prompt: str) -> None:
    generation = progress.generation
    told = {"evaluations": progress.evaluations, "train_loss": progress.train_loss, "dev": progress.dev}
    connection.execute(tables.checkpoints.delete().where(_C.job == job, _C.generation == generation))
    connection.execute(
        tables.checkpoints.insert().values(
            job=job, generation=generation, prompt=storable(prompt), created_at=Now(), **told
        )
    )
