"""The one thread that owns the model, and the calls that wait for it.

Calls are done in the order in which they came; those that fit go with the first one (`together`). Where other calls are
being received just then, the thread waits for them for a few milliseconds. A call that is sent again, since the
connection broke or the client's patience ended, joins the first one, or finds its answer.
"""

import logging
import threading
import time
from collections import OrderedDict
from collections.abc import Iterator
from concurrent.futures import Future
from contextlib import contextmanager
from typing import cast

from blackbox.backends import BackendError
from blackbox.backends.remote import answers
from blackbox.model_server.calls import Call, ScoreCall
from blackbox.model_server.served import ServableBackend
from blackbox.model_server.together import Shares, joined, scored

log = logging.getLogger(__name__)

KEPT_SECONDS, KEPT_BYTES = 120.0, 32 * 1024 * 1024
"""For so long, and up to so many bytes, answers are kept for a client that did not get its own."""

PATIENCE = 5.0
"""A call that nobody waits for any more is done all the same if it is sent again within this time, s."""

STOP_SECONDS = 10.0
"""A call that is being done when the server ends is waited for, s."""


class Job:
    """A call on its way; made by `Worker.submit`.

    Attributes:
        answer: of the call.
        watchers: who wait for it.
        left: when the last of them went away; None while there are some.
    """

    def __init__(self, key: bytes, call: Call) -> None:
        self.key, self.call = key, call
        self.answer: Future[bytes] = Future()
        self.answer.set_running_or_notify_cancel()  # nobody who waits for it can cancel it for the others
        self.watchers, self.left = 1, cast("float | None", None)


class Worker:
    """See the module.

    Args:
        backend: that answers.
        shares: which calls cannot be put together.
        most_prompts: of a call of the backend.
        wait_seconds: how long calls that are being received are waited for.
    """

    def __init__(
        self, backend: ServableBackend, shares: Shares, *, most_prompts: int = 1024, wait_seconds: float = 0.003
    ) -> None:
        self._backend, self._shares = backend, shares
        self._most_prompts, self._wait_seconds = most_prompts, wait_seconds
        self._jobs: dict[bytes, Job] = {}  # that wait, or are being done
        self._queue: list[Job] = []
        self._kept: OrderedDict[bytes, tuple[float, bytes]] = OrderedDict()
        self._kept_bytes, self._coming, self._ended = 0, 0, False
        self._changed = threading.Condition()
        self._thread = threading.Thread(target=self._run, name="model", daemon=True)

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def stop(self) -> None:
        """End when the call that is being done has its answer, or in a while; those that wait have none."""
        with self._changed:
            self._ended = True
            self._changed.notify_all()
        self._thread.join(timeout=STOP_SECONDS)

    @contextmanager
    def coming(self) -> Iterator[None]:
        """While open, a call is being received."""
        self._count(1)
        try:
            yield
        finally:
            self._count(-1)

    def known(self, key: bytes) -> Job | bytes | None:
        """The job of a call that was sent before, with one more watcher, or its answer; None for a new one."""
        with self._changed:
            self._forget()
            if key in self._kept:
                return self._kept[key][1]
            job = self._jobs.get(key)
            if job is not None:
                job.watchers, job.left = job.watchers + 1, None
            return job

    def submit(self, key: bytes, call: Call) -> Job:
        """Let a call wait for its turn, or join the same call; `key` is the same for the same call only."""
        with self._changed:
            if (job := self._jobs.get(key)) is not None:
                job.watchers, job.left = job.watchers + 1, None
                return job
            job = self._jobs[key] = Job(key, call)
            self._queue.append(job)
            self._changed.notify_all()
            return job

    def leave(self, job: Job) -> None:
        """Somebody waits for it no longer."""
        with self._changed:
            job.watchers -= 1
            if not job.watchers:
                job.left = time.monotonic()

    def _count(self, change: int) -> None:
        with self._changed:
            self._coming += change
            self._changed.notify_all()

    def _run(self) -> None:
        while jobs := self._next():
            self._do(jobs)

    def _next(self) -> list[Job]:
        """The jobs to be done now; none when it is time to end."""
        waiting: list[Job] = []
        while not waiting:
            with self._changed:
                self._changed.wait_for(lambda: self._queue or self._ended)
                self._changed.wait_for(lambda: not self._coming or self._ended, timeout=self._wait_seconds)
                if self._ended:
                    return []
                self._drop()
                waiting = list(self._queue)
        chosen = joined([job.call for job in waiting], self._shares, most_prompts=self._most_prompts)
        jobs = [waiting[number] for number in chosen]
        with self._changed:
            self._queue = [job for job in self._queue if job not in jobs]
        return jobs

    def _drop(self) -> None:
        """Let go of jobs that nobody has waited for in a while."""
        limit = time.monotonic() - PATIENCE
        for job in [job for job in self._queue if job.left is not None and job.left < limit]:
            self._queue.remove(job)
            del self._jobs[job.key]

    def _do(self, jobs: list[Job]) -> None:
        if len(jobs) == 1 or not self._done_together(jobs):
            for job in jobs:
                self._done_alone(job)

    def _done_together(self, jobs: list[Job]) -> bool:
        """False where one of them has failed: each is done alone then, so that none suffers for another."""
        calls = [job.call for job in jobs if isinstance(job.call, ScoreCall)]
        try:
            contents = [answers.packed_scores(scores) for scores in scored(calls, self._backend)]
        except Exception as error:  # noqa: BLE001 - it comes up again where it belongs
            log.debug("calls that were put together have failed: %s", error)
            return False
        for job, content in zip(jobs, contents, strict=True):
            self._end(job, content)
        return True

    def _done_alone(self, job: Job) -> None:
        try:
            content = job.call(self._backend)
        except Exception as error:
            if not isinstance(error, BackendError):
                log.exception("a call has failed")
            self._end(job, None, error)
        else:
            self._end(job, content)

    def _end(self, job: Job, content: bytes | None, error: Exception | None = None) -> None:
        """A job is done: its answer is kept, an error is not."""
        with self._changed:
            del self._jobs[job.key]
            if content is not None:
                self._keep(job.key, content)
        if error is not None:
            job.answer.set_exception(error)
        else:
            job.answer.set_result(content or b"")

    def _keep(self, key: bytes, content: bytes) -> None:
        self._kept[key] = (time.monotonic(), content)
        self._kept_bytes += len(content)
        self._forget()

    def _forget(self) -> None:
        limit = time.monotonic() - KEPT_SECONDS
        while self._kept:
            key, (since, content) = next(iter(self._kept.items()))
            if since > limit and self._kept_bytes <= KEPT_BYTES:
                return
            del self._kept[key]
            self._kept_bytes -= len(content)
