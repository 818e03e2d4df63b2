"""Events of jobs: numbered 1, 2, ... in each, written in the transaction of what they tell of."""

from blackbox.service.store.database import Database
from blackbox.service.store.rows import Event, Page


class Events:
    """See the module."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def list(self, job: str, *, after: int = 0, limit: int = 100) -> Page[Event]:
        """The events behind number `after`, in order; none where there is no such job. Asks for no owner."""
        raise NotImplementedError
