"""Evaluations of jobs: the lines of their runs' journals."""

from blackbox.service.store.database import Database
from blackbox.service.store.rows import JobCheckpoint, JobEvaluation, Page


class Evaluations:
    """See the module."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def list(self, job: str, *, after: int = -1, limit: int = 100) -> Page[JobEvaluation]:
        """The evaluations behind number `after`, in order; none where there is no such job. Asks for no owner."""
        raise NotImplementedError

    def checkpoints(self, job: str, *, after: int = -1, limit: int = 100) -> Page[JobCheckpoint]:
        """The generations behind generation `after` that selected another prompt, in order. Asks for no owner."""
        raise NotImplementedError
