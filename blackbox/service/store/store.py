"""The store: everything that the service keeps, in one database that all its processes share.

Safe to use from several threads. Every call is one transaction; no call waits for another process but for the
database's locks.
"""

from types import TracebackType

from blackbox.service.store.answers import PaidAnswers
from blackbox.service.store.artifacts import Artifacts
from blackbox.service.store.database import Database
from blackbox.service.store.evaluations import Evaluations
from blackbox.service.store.events import Events
from blackbox.service.store.files import Files
from blackbox.service.store.jobs import Jobs
from blackbox.service.store.leases import Leases
from blackbox.service.store.schema import open_database
from blackbox.service.store.tokens import Tokens


class Store:
    """See the module; `open_store` makes one.

    Attributes:
        tokens, files, jobs, events, evaluations, artifacts: what there is.
        leases, answers: for workers.
    """

    def __init__(self, database: Database) -> None:
        self._database = database
        self.tokens = Tokens(database)
        self.files = Files(database)
        self.jobs = Jobs(database)
        self.events = Events(database)
        self.evaluations = Evaluations(database)
        self.artifacts = Artifacts(database)
        self.leases = Leases(database)
        self.answers = PaidAnswers(database)

    def __enter__(self) -> "Store":
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()

    @property
    def address(self) -> str:
        """The database's URL without its password, for people."""
        return self._database.address

    def ping(self) -> None:
        """Ask the database for a sign of life.

        Raises:
            DatabaseError: it does not answer.
        """
        self._database.ping()

    def close(self) -> None:
        """Let go of all connections."""
        self._database.close()


def open_store(url: str) -> Store:
    """The store of a database, its tables brought up to date.

    Args:
        url: `sqlite:///path/to/file.db` (made where there is none) or `postgresql+psycopg://user:password@host/name`;
            `postgresql://` is taken as the latter.

    Raises:
        DatabaseError: the URL is none of these, or the database does not answer.
        SchemaError: a newer version of blackbox made the database.
    """
    return Store(open_database(url))
