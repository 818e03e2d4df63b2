"""Writes what is new in a run's folder into the database, once, whatever a worker or the connection went through."""

from collections.abc import Mapping
from dataclasses import asdict, replace
from typing import Any

import sqlalchemy as sa

from blackbox.service.store import tables
from blackbox.service.store.answers import add_answers
from blackbox.service.store.artifacts import write_artifacts
from blackbox.service.store.columns import Now, storable
from blackbox.service.store.job_rows import change
from blackbox.service.store.lease import Mirrored, Selected
from blackbox.service.store.rows import JobProgress

_T, _C = tables.tokens.c, tables.checkpoints.c


def mirror(connection: sa.Connection, row: sa.Row[Any], new: Mirrored) -> None:
    """Write what is new into a locked job.

    Lines whose numbers are there are passed over; so is the event of a generation that is not behind the job's last:
    a run that goes on from an older checkpoint comes by its generations again.
    """
    further = new.progress.generation > row.generation
    _add_lines(connection, row, new)
    add_answers(connection, row.id, new.answers)
    _account(connection, row, new.progress)
    write_artifacts(connection, row.id, new.artifacts)
    selected = new.selected is not None and _add_checkpoint(connection, row, new.progress, new.selected)
    events = []
    if new.event is not None and further:
        events.append(replace(new.event, data={**new.event.data, "selected": selected}))
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


def _add_checkpoint(connection: sa.Connection, row: sa.Row[Any], progress: JobProgress, selected: Selected) -> bool:
    """Write a prompt down that is another than the last; whether it is."""
    last = sa.select(_C.checksum, _C.generation).where(_C.job == row.id).order_by(_C.generation.desc()).limit(1)
    known = connection.execute(last).one_or_none()
    if known is not None and (known.checksum == selected.checksum or known.generation > progress.generation):
        return False
    told = {
        "generation": progress.generation,
        "evaluations": progress.evaluations,
        "train_loss": progress.train_loss,
        "dev": progress.dev,
        "checksum": selected.checksum,
        "prompt": storable(selected.text),
        "created_at": Now(),
    }
    if known is not None and known.generation == progress.generation:  # what was found after the search
        of_generation = (_C.job == row.id, _C.generation == progress.generation)
        connection.execute(tables.checkpoints.update().where(*of_generation).values(told))
    else:
        connection.execute(tables.checkpoints.insert().values(job=row.id, **told))
    return True
