"""What the client hands out: frozen values, made of the service's JSON. Keys that are not known here are left out."""

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import Any, Generic, TypeVar

from blackbox.client.errors import UnreachableError

ENDED = frozenset({"succeeded", "failed", "cancelled"})

Value = TypeVar("Value")


@dataclass(frozen=True)
class File:
    """A file of rows in the service."""

    id: str
    filename: str
    bytes: int
    rows: int
    format: str
    sha256: str
    created_at: float


@dataclass(frozen=True)
class Job:
    """A job; see the service's documentation for its parts. Times are seconds since 1970 (UTC)."""

    id: str
    name: str | None
    status: str
    stop_reason: str | None
    error: str | None
    backend: str
    settings: Mapping[str, Any]
    metadata: Mapping[str, str]
    budget: Mapping[str, Any]
    progress: Mapping[str, Any]
    summary: Mapping[str, Any] | None
    created_at: float
    started_at: float | None
    ended_at: float | None

    @property
    def has_ended(self) -> bool:
        """Whether nothing will happen to it any more."""
        return self.status in ENDED


@dataclass(frozen=True)
class Event:
    """Something that happened to a job; `id` counts from 1."""

    id: int
    type: str
    message: str
    data: Mapping[str, Any] = field(default_factory=dict)
    created_at: float = 0.0


@dataclass(frozen=True)
class Result:
    """What a job has found; `prompt` is the saved prompt's `prompt.json`."""

    id: str
    status: str
    stop_reason: str | None
    summary: Mapping[str, Any] | None
    prompt: Mapping[str, Any]


@dataclass(frozen=True)
class Answer:
    """The answer to one row; `probabilities` of the labels."""

    answer: str | float | list[str | None] | None
    probabilities: Mapping[str, float]


@dataclass(frozen=True)
class Page(Generic[Value]):
    """Some of a list, in its order; `last_id` is `after` of the next page."""

    data: tuple[Value, ...]
    has_more: bool
    last_id: str | None


def made(kind: type[Value], values: Any) -> Value:
    """A value of a JSON object.

    Raises:
        UnreachableError: it is none of this kind: another program answers there.
    """
    try:
        names = {part.name for part in fields(kind)}  # type: ignore[arg-type]
        return kind(**{name: value for name, value in values.items() if name in names})
    except (AttributeError, TypeError) as error:
        raise UnreachableError(f"what answers is no tuning service, or of another version ({error})") from error


def page(kind: type[Value], values: Any) -> Page[Value]:
    """A page of a list's JSON.

    Raises:
        UnreachableError: it is none.
    """
    try:
        return Page(tuple(made(kind, item) for item in values["data"]), values["has_more"], values["last_id"])
    except (KeyError, TypeError) as error:
        raise UnreachableError(f"what answers is no tuning service, or of another version ({error})") from error
