"""Files of jobs' run folders: the selected prompt, the summary, the report, and what a run is resumed from."""

from blackbox.service.store.database import Database
from blackbox.service.store.rows import Artifact


class Artifacts:
    """See the module."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def list(self, job: str) -> tuple[Artifact, ...]:
        """The files of a job by name; none where there is no such job. Asks for no owner."""
        raise NotImplementedError

    def read(self, job: str, name: str) -> bytes:
        """The content of a file. Asks for no owner.

        Raises:
            MissingError: there is none of this name.
        """
        raise NotImplementedError
