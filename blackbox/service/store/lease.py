"""The values that pass between a worker and the store."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum

from blackbox.service.store.rows import JobProgress, NewEvent


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
class Selected:
    """The selected prompt.

    Attributes:
        checksum: tells it from others.
        text: for people to read.
    """

    checksum: str
    text: str


@dataclass(frozen=True)
class Mirrored:
    """What is new in a run's folder since it was last written to the database: all of it is one transaction.

    Attributes:
        progress: as of now; `progress.entries` lines of the journal are in the database then.
        lines: of the journal, from number `first` on; those that are there already are not written again.
        event: of the generation that `progress` names; not written if that generation has had one.
        answers: paid for since, lines of the run's own journal of answers by their numbers.
        artifacts: contents by name, new or changed; None removes one.
        selected: the selected prompt; a checkpoint is written where it is another than the last one's, and the event's
            data say so.
    """

    progress: JobProgress
    first: int
    lines: Sequence[str]
    event: NewEvent | None = None
    answers: Sequence[tuple[int, str]] = ()
    artifacts: Mapping[str, bytes | None] = field(default_factory=dict)
    selected: Selected | None = None
