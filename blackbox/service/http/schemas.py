"""What the API answers with. Times are seconds since 1970 (UTC)."""

import json
from collections.abc import Iterable, Mapping
from typing import Any, Generic, Literal, TypeVar

from pydantic import BaseModel, ConfigDict, Field

from blackbox.service.jobs import JobStatus
from blackbox.service.store import Event, Job, JobCheckpoint, JobEvaluation, StoredFile

Item = TypeVar("Item")

_BRIEF = 500  # characters of a setting that a list has

JOB_EXAMPLE: dict[str, Any] = {
    "id": "job-0193f2a5c1d87b3e",
    "object": "tuning.job",
    "name": "reviews",
    "status": "running",
    "stop_reason": None,
    "error": None,
    "backend": "small",
    "training_file": "file-0193f2a4a7c01f55",
    "dev_file": None,
    "test_file": None,
    "settings": {"space": "deep", "template": "{text} It was {label}."},
    "seed": 0,
    "metadata": {"team": "support"},
    "budget": {"evaluations": 300, "usd": None},
    "progress": {"evaluations": 120, "generation": 6, "train_loss": 0.41, "usd": 0.0, "seconds": 63.5},
    "summary": None,
    "take_overs": 0,
    "created_at": 1764400000.0,
    "started_at": 1764400002.5,
    "ended_at": None,
    "updated_at": 1764400066.0,
}


class ListOf(BaseModel, Generic[Item]):
    """A page of a list: `after` of the next one is `last_id` of this one."""

    object: Literal["list"] = "list"
    data: list[Item]
    has_more: bool = Field(description="Whether there is more behind the last one.")
    first_id: str | None
    last_id: str | None


class BudgetView(BaseModel):
    """What a job may use."""

    evaluations: int
    usd: float | None = Field(None, description="USD; null: no limit, or a model that costs nothing.")


class ProgressView(BaseModel):
    """How far a job is, as of its last generation."""

    model_config = ConfigDict(from_attributes=True)

    evaluations: int = Field(0, description="As the budget counts them.")
    generation: int = 0
    train_loss: float | None = Field(None, description="The lowest so far, nats a row.")
    dev: dict[str, Any] | None = Field(
        None,
        description="The metric of the selected prompt on the dev rows, with its 95% interval.",
        examples=[{"metric": "accuracy", "value": 0.85, "low": 0.71, "high": 0.93, "rows": 40}],
    )
    requests: int = 0
    prompt_tokens: int = 0
    completion_tokens: int = 0
    usd: float = 0.0
    seconds: float = 0.0


class JobView(BaseModel):
    """A tuning job."""

    model_config = ConfigDict(json_schema_extra={"examples": [JOB_EXAMPLE]})

    id: str
    object: Literal["tuning.job"] = "tuning.job"
    name: str | None
    status: JobStatus
    stop_reason: str | None = Field(description="Why it ended; null until then.")
    error: str | None = Field(description="Of a failed job, what went wrong.")
    backend: str
    training_file: str
    dev_file: str | None
    test_file: str | None
    settings: dict[str, Any]
    seed: int
    metadata: dict[str, str]
    budget: BudgetView
    progress: ProgressView
    summary: dict[str, Any] | None = Field(description="What was found and what it cost; null until it has ended.")
    take_overs: int = Field(description="How often a worker was lost and another one went on.")
    created_at: float
    started_at: float | None
    ended_at: float | None
    updated_at: float

    @classmethod
    def brief(cls, job: Job) -> "JobView":
        """The view of a job in a list, without settings that are long: prompts, instructions, ..."""
        view = cls.of(job)
        short = {name: value for name, value in view.settings.items() if len(json.dumps(value)) <= _BRIEF}
        return view.model_copy(update={"settings": short})

    @classmethod
    def of(cls, job: Job) -> "JobView":
        """The view of a job; who owns it and which worker has it stay inside."""
        request = job.request
        return cls(
            id=job.id,
            name=request.get("name"),
            status=job.status,
            stop_reason=job.stop_reason,
            error=job.error,
            backend=job.backend,
            training_file=request["training_file"],
            dev_file=request.get("dev_file"),
            test_file=request.get("test_file"),
            settings=dict(request.get("settings") or {}),
            seed=request.get("seed") or 0,
            metadata=dict(job.metadata),
            budget=BudgetView(evaluations=job.budget.evaluations, usd=job.budget.usd),
            progress=ProgressView.model_validate(job.progress),
            summary=dict(job.summary) if job.summary is not None else None,
            take_overs=job.take_overs,
            created_at=job.created_at,
            started_at=job.started_at,
            ended_at=job.ended_at,
            updated_at=job.updated_at,
        )


class EventView(BaseModel):
    """Something that happened to a job."""

    id: int = Field(description="1, 2, ... of the job, without gaps.")
    object: Literal["tuning.job.event"] = "tuning.job.event"
    type: str = Field(examples=["generation"])
    message: str
    data: dict[str, Any]
    created_at: float

    @classmethod
    def of(cls, event: Event) -> "EventView":
        return cls(
            id=event.number,
            type=event.type,
            message=event.message,
            data=dict(event.data),
            created_at=event.created_at,
        )


class EvaluationView(BaseModel):
    """One prompt scored on the rows of one split."""

    model_config = ConfigDict(extra="ignore")

    number: int
    object: Literal["tuning.job.evaluation"] = "tuning.job.evaluation"
    split: str = Field(examples=["train"])
    generation: int
    block: int | None = None
    candidate: str
    loss: float | None = Field(description="Nats a row; null where no row could be scored.")
    measured: dict[str, Any] | None = None
    rows: int
    failed_rows: int
    unreadable_rows: int = 0
    usage: dict[str, Any]
    elapsed: float = Field(description="Seconds since the run began.")
    prompt: dict[str, Any] | None = Field(None, description="A text prompt; null for vectors.")

    @classmethod
    def of(cls, evaluation: JobEvaluation) -> "EvaluationView":
        return cls(**_finite(json.loads(evaluation.line)))


class CheckpointView(BaseModel):
    """A generation that selected another prompt."""

    generation: int
    object: Literal["tuning.job.checkpoint"] = "tuning.job.checkpoint"
    evaluations: int = Field(description="Spent until then.")
    train_loss: float | None
    dev: dict[str, Any] | None
    prompt: str = Field(description="The prompt's text, for people to read.")
    created_at: float

    @classmethod
    def of(cls, checkpoint: JobCheckpoint) -> "CheckpointView":
        return cls(
            generation=checkpoint.generation,
            evaluations=checkpoint.evaluations,
            train_loss=checkpoint.train_loss,
            dev=dict(checkpoint.dev) if checkpoint.dev else None,
            prompt=checkpoint.prompt,
            created_at=checkpoint.created_at,
        )


class FileView(BaseModel):
    """A file of rows."""

    model_config = ConfigDict(from_attributes=True)

    id: str = Field(examples=["file-0193f2a4a7c01f55"])
    object: Literal["file"] = "file"
    filename: str
    purpose: str
    bytes: int
    rows: int
    format: str
    sha256: str
    created_at: float

    @classmethod
    def of(cls, file: StoredFile) -> "FileView":
        return cls(
            id=file.id,
            filename=file.name,
            purpose=file.purpose,
            bytes=file.size,
            rows=file.rows,
            format=file.format,
            sha256=file.sha256,
            created_at=file.created_at,
        )


class Deleted(BaseModel):
    """Something that is no more."""

    id: str
    object: str
    deleted: Literal[True] = True


class ArtifactView(BaseModel):
    """A file that a job has made."""

    name: str = Field(examples=["prompt.json"])
    bytes: int
    sha256: str


class ResultView(BaseModel):
    """What a job has found."""

    id: str
    object: Literal["tuning.job.result"] = "tuning.job.result"
    status: JobStatus
    stop_reason: str | None
    summary: dict[str, Any] | None
    prompt: dict[str, Any] = Field(
        description="The saved prompt as `prompt.json` has it: kind, text, template, label words, scores."
    )
    files: list[ArtifactView] = Field(description="What there is to download: `result?format=zip` has it all.")


class Answer(BaseModel):
    """The answer to one row."""

    answer: str | float | list[str | None] | None = Field(
        description="The label, the number, the tags of a sentence, or the text that was written; null where there is "
        "none."
    )
    probabilities: dict[str, float] = Field(description="Label -> its share; empty for written texts.")


class Predictions(BaseModel):
    """Answers to rows, in their order."""

    object: Literal["list"] = "list"
    data: list[Answer]


def page_of(items: Iterable[Item], ids: Iterable[str], *, has_more: bool) -> dict[str, Any]:
    """The values of a `ListOf`."""
    names = list(ids)
    return {
        "data": list(items),
        "has_more": has_more,
        "first_id": names[0] if names else None,
        "last_id": names[-1] if names else None,
    }


def _finite(values: Mapping[str, Any]) -> dict[str, Any]:
    """JSON has no numbers for a prompt that failed on all rows: null stands for infinity."""
    loss = values.get("loss")
    endless = isinstance(loss, float) and abs(loss) == float("inf")
    return {**values, "loss": None if endless else loss}
