"""What workers do with jobs: claim one, keep it, write down how far it is, end it or hand it back.

A claim is a lease: it ends by itself unless it is extended. Each has an epoch, one greater than the job's last; what a
worker writes carries it, and where the job has another by now nothing is written (fencing).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum

from blackbox.service.store.database import Database
from blackbox.service.store.rows import Job, JobProgress, NewEvent


class Wish(StrEnum):
    """What the owner of a running job asks for."""

    GO_ON = "go_on"
    PAUSE = "pause"
    CANCEL = "cancel"


@dataclass(frozen=True)
class Lease:
    """The right of a worker to a job."""

    job: str
    worker: str
    epoch: int


@dataclass(frozen=True)
class NewCheckpoint:
    """A newly selected prompt; see `JobCheckpoint`."""

    prompt: str


@dataclass(frozen=True)
class Mirrored:
    """What is new in a run's folder since it was last written to the database, all of it one transaction.

    Attributes:
        progress: as of now; `progress.entries` counts the lines too.
        lines: of the journal, from the number on that the database has so far (`first`).
        events: to be added; those of a generation that has one already are not.
        artifacts: contents by name, new or changed; None removes one.
        selected: where another prompt is selected.
    """

    progress: JobProgress
    first: int
    lines: Sequence[str]
    events: Sequence[NewEvent] = ()
    artifacts: Mapping[str, bytes | None] = field(default_factory=dict)
    selected: NewCheckpoint | None = None


class Leases:
    """See the module."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def claim(self, worker: str, *, seconds: float) -> tuple[Job, Lease] | None:
        """The oldest job that waits, or whose worker was lost; None where there is none.

        A lost job that its owner wants paused or cancelled is that at once, and one that lost three workers without
        getting further has failed.
        """
        raise NotImplementedError
