"""Files of task data, in chunks."""

import hashlib
from collections.abc import Iterable, Iterator

import sqlalchemy as sa

from blackbox.service.errors import ConflictError, MissingError
from blackbox.service.jobs.status import ENDED
from blackbox.service.store import tables
from blackbox.service.store.columns import Now, storable
from blackbox.service.store.database import Database
from blackbox.service.store.ids import new_id
from blackbox.service.store.paging import page
from blackbox.service.store.rows import Page, StoredFile

CHUNK = 1 << 20
"""Bytes of a part at most."""

_F, _C = tables.files.c, tables.file_chunks.c


class Files:
    """See the module."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def create(
        self, owner: str, *, name: str, purpose: str, format: str, rows: int, content: Iterable[bytes]
    ) -> StoredFile:
        """Keep a file; `content` is its bytes in parts of any size, and is read within the write transaction."""
        file, size, digest = new_id("file"), 0, hashlib.sha256()
        values = {"id": file, "owner": owner, "name": storable(name), "purpose": purpose, "format": format}
        with self._database.write() as connection:
            unknown = {"size": 0, "rows": rows, "sha256": "", "created_at": Now()}
            connection.execute(tables.files.insert().values(**values, **unknown))
            for number, part in enumerate(_chunks(content)):
                size += len(part)
                digest.update(part)
                connection.execute(tables.file_chunks.insert().values(file=file, number=number, content=part))
            told = {"size": size, "sha256": digest.hexdigest()}
            connection.execute(tables.files.update().where(_F.id == file).values(told))
            return _file(connection, file, owner)

    def get(self, file: str, *, owner: str | None) -> StoredFile:
        """A file; `owner` None asks for anybody's.

        Raises:
            MissingError: there is none, or it is another owner's.
        """
        with self._database.read() as connection:
            return _file(connection, file, owner)

    def content(self, file: str, *, owner: str | None) -> Iterator[bytes]:
        """The bytes of a file, in parts of up to a MiB; each part is read when it is asked for.

        Raises:
            MissingError: there is none, or it is another owner's; at the call, not at the first part.
        """
        return self._parts(self.get(file, owner=owner).id)

    def list(self, *, owner: str | None, after: str | None = None, limit: int = 20) -> Page[StoredFile]:
        """Files, the newest first, behind the file `after`."""
        select = sa.select(tables.files).order_by(_F.id.desc())
        if owner is not None:
            select = select.where(_F.owner == owner)
        if after is not None:
            select = select.where(_F.id < storable(after))
        with self._database.read() as connection:
            return page(connection, select, limit, lambda row: StoredFile(**row._asdict()))

    def delete(self, file: str, *, owner: str | None) -> None:
        """Remove a file.

        Raises:
            MissingError: there is none, or it is another owner's.
            ConflictError: a job that has not ended needs it.
        """
        of_jobs = tables.job_files.join(tables.jobs, tables.jobs.c.id == tables.job_files.c.job)
        with self._database.write() as connection:
            found = _file(connection, file, owner, lock=True)
            needed = sa.select(tables.jobs.c.id).select_from(of_jobs).where(tables.job_files.c.file == found.id)
            job = connection.execute(needed.where(tables.jobs.c.status.not_in(ENDED)).limit(1)).scalar()
            if job is not None:
                raise ConflictError(f"file {found.id} is needed by {job}; cancel the job, or wait for its end")
            connection.execute(tables.files.delete().where(_F.id == found.id))

    def bytes_of(self, owner: str) -> int:
        """The size of all files of an owner together."""
        with self._database.read() as connection:
            return int(connection.execute(sa.select(sa.func.sum(_F.size)).where(_F.owner == owner)).scalar() or 0)

    def _parts(self, file: str) -> Iterator[bytes]:
        number = 0
        while True:
            with self._database.read() as connection:
                select = sa.select(_C.content).where(_C.file == file, _C.number == number)
                part: bytes | None = connection.execute(select).scalar()
            if part is None:
                return
            yield part
            number += 1


def _file(connection: sa.Connection, file: str, owner: str | None, *, lock: bool = False) -> StoredFile:
    """A file; `lock` holds it until the transaction ends, against jobs that are being made for it."""
    select = sa.select(tables.files).where(_F.id == storable(file))
    row = connection.execute(select.with_for_update() if lock else select).one_or_none()
    if row is None or owner not in (None, row.owner):
        raise MissingError(f"there is no file {file!r}")
    return StoredFile(**row._asdict())


def _chunks(content: Iterable[bytes]) -> Iterator[bytes]:
    """The same bytes in parts of `CHUNK`, the last one smaller."""
    held = bytearray()
    for part in content:
        held += part
        while len(held) >= CHUNK:
            yield bytes(held[:CHUNK])
            del held[:CHUNK]
    if held:
        yield bytes(held)
