"""Events as they happen, to many watchers: server-sent events (WHATWG HTML, section 9.2).

One reader asks the database, in one query, which of all jobs that are watched have new events. The watchers of a job
share the last of them in the form in which they are sent. Each watcher has nothing but the number of its last event:
one that is slow, or comes back with Last-Event-ID, finds what it lacks in the shared events or, further back, in the
database. Nothing is queued for it, and nothing is lost.
"""

import asyncio
import json
import logging
from collections import deque
from collections.abc import AsyncIterator, Iterator, Sequence

from starlette.concurrency import run_in_threadpool

from blackbox.service.errors import ServiceError
from blackbox.service.http.errors import RATE, UNAVAILABLE, RefusalError
from blackbox.service.http.limits import Limits
from blackbox.service.http.metrics import Counters
from blackbox.service.http.schemas import EventView
from blackbox.service.jobs import ENDED
from blackbox.service.store import Event, Job, Store

_LAST = frozenset(str(status) for status in ENDED)  # the events after which there are no more
_PAGE = 200
_KEPT = 400  # events of a job that its watchers share
_AT_ONCE = 500  # jobs of one query
_log = logging.getLogger("blackbox.service")


class Streams:
    """The streams of a service.

    Args:
        poll: seconds between two looks at the events of a job that is watched.
        heartbeat: seconds without an event after which a comment is sent, so that nobody in between hangs up.
    """

    def __init__(
        self, store: Store, *, limits: Limits, counters: Counters, poll: float = 0.5, heartbeat: float = 15.0
    ) -> None:
        self._store, self._limits, self._counters = store, limits, counters
        self._poll, self._heartbeat = poll, heartbeat
        self._topics: dict[str, _Topic] = {}
        self._watching: dict[str, int] = {}
        self._reader: asyncio.Task[None] | None = None

    def enter(self, owner: str) -> None:
        """Count a watcher in, before its answer begins; `leave` must follow.

        Raises:
            RefusalError: there are too many (503), or too many of this owner (429).
        """
        if self._counters.watchers >= self._limits.watchers:
            raise RefusalError(UNAVAILABLE, "too many streams are open; try again later", headers={"retry-after": "30"})
        if self._watching.get(owner, 0) >= self._limits.watchers_each:
            each = self._limits.watchers_each
            raise RefusalError(RATE, f"a token may have {each} streams open", headers={"retry-after": "30"})
        self._counters.watchers += 1
        self._watching[owner] = self._watching.get(owner, 0) + 1

    def leave(self, owner: str) -> None:
        """Count a watcher out."""
        self._counters.watchers -= 1
        self._watching[owner] -= 1
        if not self._watching[owner]:
            del self._watching[owner]

    async def follow(self, job: Job, *, after: int) -> AsyncIterator[bytes]:
        """The events of a job behind number `after`, then those that come, until it has ended."""
        yield b"retry: 2000\n\n"
        if str(job.status) in _LAST and after >= job.events:
            yield _END
            return
        topic = self._join(job)
        try:
            async for part in self._parts(topic, after):
                yield part
        finally:
            self._part(topic)

    async def _parts(self, topic: "_Topic", after: int) -> AsyncIterator[bytes]:
        while True:
            events = topic.behind(after)
            if events is None:  # further back than what is shared
                page = await run_in_threadpool(self._store.events.list, topic.job, after=after, limit=_PAGE)
                events = [_Sent.of(event) for event in page.rows]
                if not events:  # the job was removed
                    return
            for event in events:
                yield event.content
                after = event.number
                if event.last:
                    yield _END
                    return
            if topic.gone:
                return
            if not events and not await topic.news(after, self._heartbeat):
                yield b": still here\n\n"

    def _join(self, job: Job) -> "_Topic":
        topic = self._topics.get(job.id)
        if topic is None:
            topic = self._topics[job.id] = _Topic(job.id, job.events)
        topic.watchers += 1
        if self._reader is None or self._reader.done():
            self._reader = asyncio.create_task(self._read())
        return topic

    def _part(self, topic: "_Topic") -> None:
        topic.watchers -= 1
        if not topic.watchers and self._topics.get(topic.job) is topic:
            del self._topics[topic.job]

    async def _read(self) -> None:
        """As long as a job is watched. A database that fails for a while is asked again."""
        while self._topics:
            try:
                for group in batched(list(self._topics), _AT_ONCE):
                    await self._look(group)
            except ServiceError as error:
                _log.warning("events cannot be read: %s", error)
            await asyncio.sleep(self._poll)

    async def _look(self, jobs: Sequence[str]) -> None:
        counts = await run_in_threadpool(self._store.events.counts, jobs)
        for job in jobs:
            topic = self._topics.get(job)
            if topic is None:
                continue
            if job not in counts:
                self._topics.pop(job).end()
            while topic.number < counts.get(job, 0):
                page = await run_in_threadpool(self._store.events.list, job, after=topic.number, limit=_PAGE)
                if not page.rows:
                    break
                topic.publish([_Sent.of(event) for event in page.rows])


class _Sent:
    """An event in the form in which it is sent."""

    __slots__ = ("content", "last", "number")

    def __init__(self, number: int, content: bytes, *, last: bool) -> None:
        self.number, self.content, self.last = number, content, last

    @classmethod
    def of(cls, event: Event) -> "_Sent":
        data = json.dumps(EventView.of(event).model_dump(), separators=(",", ":"))
        kind = "".join(character for character in event.type if character.isalnum() or character == "_")
        content = f"id: {event.number}\nevent: {kind}\ndata: {data}\n\n".encode()
        return cls(event.number, content, last=event.type in _LAST)


class _Topic:
    """What the watchers of one job share.

    Attributes:
        number: of the last event that was read.
        gone: whether the job is no more.
    """

    def __init__(self, job: str, number: int) -> None:
        self.job, self.number, self.watchers, self.gone = job, number, 0, False
        self._kept: deque[_Sent] = deque(maxlen=_KEPT)
        self._news = asyncio.Event()

    def behind(self, after: int) -> list[_Sent] | None:
        """The shared events behind a number; None where they do not reach back to it."""
        if after >= self.number:
            return []
        if not self._kept or self._kept[0].number > after + 1:
            return None
        return [event for event in self._kept if event.number > after]

    def publish(self, events: list[_Sent]) -> None:
        """Share what was read, and wake the watchers."""
        if not events:
            return
        self._kept.extend(events)
        self.number = events[-1].number
        self._wake()

    async def news(self, after: int, seconds: float) -> bool:
        """Wait for an event behind a number; False where none has come."""
        if after < self.number:
            return True
        try:
            async with asyncio.timeout(seconds):
                await self._news.wait()
        except TimeoutError:
            return False
        return True

    def end(self) -> None:
        """The job is no more: let go of whoever waits."""
        self.gone = True
        self._wake()

    def _wake(self) -> None:
        self._news.set()
        self._news = asyncio.Event()


def batched(jobs: Sequence[str], size: int) -> Iterator[Sequence[str]]:
    """Parts of a list; `itertools.batched` needs Python 3.12."""
    for start in range(0, len(jobs), size):
        yield jobs[start : start + size]


_END = b"event: end\ndata: {}\n\n"
