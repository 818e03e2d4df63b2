"""Jobs of a service, from outside."""

import json
import time
import uuid
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from blackbox.client.connection import Connection
from blackbox.client.errors import UnreachableError
from blackbox.client.values import Answer, Event, Job, Page, Result, made, page

_JOBS = "/v1/tuning/jobs"
_PATIENCE = 120.0  # s that a service may be away while a job is watched


class Jobs:
    """See the module."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def create(
        self,
        *,
        backend: str,
        training_file: str,
        dev_file: str | None = None,
        test_file: str | None = None,
        settings: Mapping[str, Any] | None = None,
        name: str | None = None,
        metadata: Mapping[str, str] | None = None,
        proposer: str | None = None,
        idempotency_key: str | None = None,
    ) -> Job:
        """Hand in a job.

        Args:
            backend: a model of the service, by its name.
            training_file, dev_file, test_file: ids of files.
            settings: of the search, by the names of docs/settings.md.
            proposer: the model that writes new instructions, by its name.
            idempotency_key: the same key with the same request gives the same job; default: a new one, so that a call
                whose answer is lost is safely repeated.
        """
        given = {
            "backend": backend,
            "training_file": training_file,
            "dev_file": dev_file,
            "test_file": test_file,
            "name": name,
            "proposer": proposer,
        }
        body: dict[str, Any] = {key: value for key, value in given.items() if value is not None}
        body |= {"settings": dict(settings or {}), "metadata": dict(metadata or {})}
        headers = {"idempotency-key": idempotency_key or str(uuid.uuid4())}
        return made(Job, self._connection.call("POST", _JOBS, repeatable=True, json=body, headers=headers))

    def list(
        self,
        *,
        after: str | None = None,
        limit: int = 20,
        status: str | Sequence[str] | None = None,
        metadata: Mapping[str, str] | None = None,
    ) -> Page[Job]:
        """Jobs, the newest first, behind the job `after`, with one of some statuses and all of some metadata."""
        params = {"after": after, "limit": limit, "status": status}
        params |= {f"metadata[{key}]": value for key, value in (metadata or {}).items()}
        return page(Job, self._connection.call("GET", _JOBS, params=params))

    def get(self, job: str) -> Job:
        """A job as it stands."""
        return made(Job, self._connection.call("GET", f"{_JOBS}/{job}"))

    def cancel(self, job: str) -> Job:
        """End a job; what it has found is kept."""
        return self._act(job, "cancel")

    def pause(self, job: str) -> Job:
        """Stop a job, to go on later."""
        return self._act(job, "pause")

    def resume(self, job: str) -> Job:
        """Let a paused job go on."""
        return self._act(job, "resume")

    def delete(self, job: str) -> None:
        """Remove a job that has ended."""
        self._connection.call("DELETE", f"{_JOBS}/{job}")

    def events(self, job: str, *, after: int = 0, limit: int = 100) -> Page[Event]:
        """A page of what happened to a job."""
        params = {"after": after, "limit": limit}
        return page(Event, self._connection.call("GET", f"{_JOBS}/{job}/events", params=params))

    def evaluations(self, job: str, *, after: int = -1, limit: int = 100) -> Page[dict[str, Any]]:
        """A page of the evaluations of a job, as the service's documentation describes them."""
        params = {"after": after, "limit": limit}
        values = self._connection.call("GET", f"{_JOBS}/{job}/evaluations", params=params)
        return Page(tuple(values["data"]), values["has_more"], values["last_id"])

    def checkpoints(self, job: str, *, after: int = -1, limit: int = 100) -> Page[dict[str, Any]]:
        """A page of the generations in which another prompt was selected, as the documentation describes them."""
        params = {"after": after, "limit": limit}
        values = self._connection.call("GET", f"{_JOBS}/{job}/checkpoints", params=params)
        return Page(tuple(values["data"]), values["has_more"], values["last_id"])

    def watch(self, job: str, *, after: int = 0) -> Iterator[Event]:
        """The events of a job behind number `after`, then as they happen, until it has ended.

        A connection that breaks is made again, and no event is lost or comes twice.

        Raises:
            UnreachableError: the service has been away for two minutes.
        """
        since: float | None = None
        while True:
            try:
                for kind, number, data in self._messages(job, after):
                    since = None
                    if kind == "end":
                        return
                    after = number
                    yield made(Event, data)
            except UnreachableError:
                since = since or time.monotonic()
                if time.monotonic() - since > _PATIENCE:
                    raise
            time.sleep(0.5)

    def wait(self, job: str, *, on_event: Callable[[Event], None] | None = None) -> Job:
        """The job once it has ended."""
        for event in self.watch(job):
            if on_event is not None:
                on_event(event)
        return self.get(job)

    def result(self, job: str) -> Result:
        """What a job has found so far."""
        return made(Result, self._connection.call("GET", f"{_JOBS}/{job}/result"))

    def download(self, job: str, path: str | Path) -> None:
        """Write the saved prompt's files as a zip; unpacked, `SavedPrompt.load` reads them."""
        content = self._connection.answer("GET", f"{_JOBS}/{job}/result", params={"format": "zip"}).content
        Path(path).expanduser().write_bytes(content)

    def predict(self, job: str, rows: Sequence[Mapping[str, Any]]) -> tuple[Answer, ...]:
        """Answers to rows, in their order, from the prompt that a job has found."""
        body = {"rows": [dict(row) for row in rows]}
        values = self._connection.call("POST", f"{_JOBS}/{job}/predict", json=body)
        return tuple(made(Answer, item) for item in values["data"])

    def _act(self, job: str, what: str) -> Job:
        return made(Job, self._connection.call("POST", f"{_JOBS}/{job}/{what}", repeatable=True))

    def _messages(self, job: str, after: int) -> Iterator[tuple[str, int, Any]]:
        """Messages of the stream: their kind, number and data."""
        headers = {"accept": "text/event-stream", "last-event-id": str(after)}
        kind, number, data = "", after, ""
        for line in self._connection.lines(f"{_JOBS}/{job}/events", headers=headers, params={"stream": "true"}):
            name, _, value = line.partition(":")
            value = value.removeprefix(" ")
            if name == "event":
                kind = value
            elif name == "id" and value.isdigit():
                number = int(value)
            elif name == "data":
                data += value
            elif not line and data:
                yield kind, number, json.loads(data)
                kind, data = "", ""
