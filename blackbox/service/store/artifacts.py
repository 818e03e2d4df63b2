"""Files of jobs' run folders: the selected prompt, the summary, the report, and what a run is resumed from."""

import hashlib
from collections.abc import Mapping

import sqlalchemy as sa

from blackbox.service.errors import MissingError
from blackbox.service.store import tables
from blackbox.service.store.columns import Now, storable
from blackbox.service.store.database import Database
from blackbox.service.store.rows import Artifact

_A = tables.artifacts.c
_SHOWN = [column for column in _A if column.name != "content"]


class Artifacts:
    """See the module."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def list(self, job: str) -> tuple[Artifact, ...]:
        """The files of a job by name; none where there is no such job. Asks for no owner."""
        select = sa.select(*_SHOWN).where(_A.job == storable(job)).order_by(_A.name)
        with self._database.read() as connection:
            return tuple(Artifact(**row._asdict()) for row in connection.execute(select))

    def read(self, job: str, name: str) -> bytes:
        """The content of a file. Asks for no owner.

        Raises:
            MissingError: there is none of this name.
        """
        select = sa.select(_A.content).where(_A.job == storable(job), _A.name == storable(name))
        with self._database.read() as connection:
            content: bytes | None = connection.execute(select).scalar()
        if content is None:
            raise MissingError(f"there is no {name!r} of job {job!r}")
        return content


def write_artifacts(connection: sa.Connection, job: str, contents: Mapping[str, bytes | None]) -> None:
    """Write files of a job, in place of others of the same names; None removes one."""
    for name, content in contents.items():
        connection.execute(tables.artifacts.delete().where(_A.job == job, _A.name == name))
        if content is not None:
            told = {"size": len(content), "sha256": hashlib.sha256(content).hexdigest(), "updated_at": Now()}
            connection.execute(tables.artifacts.insert().values(job=job, name=name, content=content, **told))
