"""What the store hands out: frozen values. Times are seconds since 1970 (UTC), by the database's clock."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Generic, Literal, TypeAlias, TypeVar

from blackbox.service.jobs.status import JobStatus

Role: TypeAlias = Literal["read", "submit", "admin"]
Row = TypeVar("Row")

LOCAL_OWNER = "local"
"""The owner of what is handed in where there are no tokens."""


@dataclass(frozen=True)
class Page(Generic[Row]):
    """Some rows of a list.

    Attributes:
        rows: in the order of the list.
        has_more: whether there are further ones behind the last.
    """

    rows: tuple[Row, ...]
    has_more: bool


@dataclass(frozen=True)
class Quotas:
    """What a token may use; None: no limit.

    Attributes:
        jobs: that have not ended, at once.
        evaluations: over all jobs, the budgets of those that have not ended included.
        usd: likewise.
    """

    jobs: int | None = None
    evaluations: int | None = None
    usd: float | None = None


@dataclass(frozen=True)
class Token:
    """A bearer token; its secret is stored nowhere.

    Attributes:
        id: "token-...".
        owner: whose things it is for: of most tokens their own id, of others that of the token whose things they read.
        quotas: of all that its owner hands in; of a token with another owner, they are the owner's that count.
        used_evaluations, used_usd: by all its jobs so far, deleted ones included.
        revoked_at: None while it is good.
    """

    id: str
    owner: str
    name: str
    role: Role
    quotas: Quotas
    used_evaluations: int
    used_usd: float
    created_at: float
    revoked_at: float | None


@dataclass(frozen=True)
class StoredFile:
    """A file of task data.

    Attributes:
        id: "file-...".
        size: bytes.
        rows: of the task.
        format: "jsonl" or "csv".
        sha256: of the content, hexadecimal.
    """

    id: str
    owner: str
    name: str
    purpose: str
    size: int
    rows: int
    format: str
    sha256: str
    created_at: float


@dataclass(frozen=True)
class JobBudget:
    """What a job may use at most; it counts against its owner's quotas until the job has ended.

    Attributes:
        evaluations: the job's setting.
        usd: None where the job has no limit in USD, or costs none.
    """

    evaluations: int
    usd: float | None = None


@dataclass(frozen=True)
class JobProgress:
    """How far a job is, as of its last generation.

    Attributes:
        evaluations: as the budget counts them.
        generation: of the search; 0 until the first is scored.
        entries: evaluations of any split in the run's journal, all of which the database holds.
        train_loss: the lowest; None before the first.
        dev: what the selected prompt is judged by on the dev rows, {"metric": ..., "value": ..., ...} as
            `Figure.to_dict` writes it; None where there are none.
        requests, prompt_tokens, completion_tokens, usd: spent so far.
        seconds: over all sessions of the run.
    """

    evaluations: int = 0
    generation: int = 0
    entries: int = 0
    train_loss: float | None = None
    dev: Mapping[str, Any] | None = None
    requests: int = 0
    prompt_tokens: int = 0
    completion_tokens: int = 0
    usd: float = 0.0
    seconds: float = 0.0


@dataclass(frozen=True)
class Job:
    """A job.

    Attributes:
        id: "job-..."; later jobs have greater ids.
        owner: a token's id, or `LOCAL_OWNER`.
        stop_reason: why it ended (`jobs.reasons`, or the search's own); None until then.
        error: of a failed job, one line for its owner.
        request: what was handed in, as `JobRequest.model_dump` writes it.
        metadata: the owner's own keys and values.
        backend: the operator's name for the model.
        budget: what it may use.
        progress: how far it is.
        summary: of the run, as `Summary` writes it; None until a job has ended that scored something.
        events: how many there are; the last one's number.
        take_overs: how often a worker was lost.
        worker: the id of the worker that has it, if one has.
        created_at, started_at, ended_at: None while it has not come to that.
        updated_at: of the last change.
    """

    id: str
    owner: str
    status: JobStatus
    stop_reason: str | None
    error: str | None
    request: Mapping[str, Any]
    metadata: Mapping[str, str]
    backend: str
    budget: JobBudget
    progress: JobProgress
    summary: Mapping[str, Any] | None
    events: int
    take_overs: int
    worker: str | None
    created_at: float
    started_at: float | None
    ended_at: float | None
    updated_at: float


@dataclass(frozen=True)
class Event:
    """Something that happened to a job.

    Attributes:
        number: 1, 2, ... of the job, without gaps.
        type: "created", "validating", "running", "generation", "pause_requested", "paused", "resumed",
            "cancel_requested", "cancelled", "taken_over", "handed_back", "succeeded" or "failed".
        message: for people.
        data: for programs; JSON values.
    """

    job: str
    number: int
    type: str
    message: str
    data: Mapping[str, Any]
    created_at: float


@dataclass(frozen=True)
class NewEvent:
    """An event that is to be written with a change."""

    type: str
    message: str
    data: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class JobEvaluation:
    """One evaluation of a job's run.

    Attributes:
        number: from 0.
        line: as it stands in the run's journal: JSON that `Evaluation.from_dict` reads, but for the line's end.
    """

    job: str
    number: int
    line: str


@dataclass(frozen=True)
class Artifact:
    """A file of a job's run folder.

    Attributes:
        name: its path in the folder: "prompt/prompt.json", "summary.json", "report.html", "curve.png", ...
        size: bytes.
    """

    job: str
    name: str
    size: int
    sha256: str
    updated_at: float


@dataclass(frozen=True)
class JobCheckpoint:
    """A generation in which another prompt was selected.

    Attributes:
        generation: of the search; 0 is the starting prompt.
        evaluations: spent until then.
        train_loss, dev: as in `JobProgress`.
        prompt: the prompt's text, for people to read.
    """

    job: str
    generation: int
    evaluations: int
    train_loss: float | None
    dev: Mapping[str, Any] | None
    prompt: str
    created_at: float
