"""Watchers of one job's stream, in a process of their own: some are slow, some break off and come back."""

import asyncio
import hashlib
import json
import random
import time
from dataclasses import dataclass
from typing import Any

from benchmarks.service.asking import Connection
from benchmarks.service.readers import percentile

_ARRIVE_S = 10.0
_SLOW, _RESTLESS = 0.05, 0.3
_AGAIN = 5


@dataclass(frozen=True)
class Seen:
    """What one watcher has seen.

    Attributes:
        ids: numbers of the events in the order in which they came.
        sha256: over all data, as they came.
        delays: of each event since the connection stood, s from the moment that it bears.
        connections: how many it took.
    """

    ids: tuple[int, ...]
    sha256: str
    delays: tuple[float, ...]
    connections: int


def watch(port: int, token: str, job: str, number: int) -> list[Seen]:
    """What so many watchers see until the job has ended; run it `apart`."""
    return asyncio.run(_watch(port, token, job, number))


async def _watch(port: int, token: str, job: str, number: int) -> list[Seen]:
    path = f"/v1/tuning/jobs/{job}/events?stream=true"
    return list(await asyncio.gather(*(_Watcher(path, random.Random(n)).run(port, token) for n in range(number))))


class _Watcher:
    """One watcher."""

    def __init__(self, path: str, rng: random.Random) -> None:
        self._path, self._rng = path, rng
        self._ids: list[int] = []
        self._delays: list[float] = []
        self._digest = hashlib.sha256()
        self._slow = rng.random() < _SLOW
        self._breaks = _AGAIN if rng.random() < _RESTLESS else 0
        self._since = 0.0

    async def run(self, port: int, token: str) -> Seen:
        await asyncio.sleep(self._rng.uniform(0, _ARRIVE_S))
        connection, ended = Connection(port, token), False
        while not ended:
            self._since = time.time()
            try:
                ended = await self._listen(connection)
            except (OSError, EOFError):
                await asyncio.sleep(0.5)
            finally:
                connection.close()
        return Seen(tuple(self._ids), self._digest.hexdigest(), tuple(self._delays), connection.opened)

    async def _listen(self, connection: Connection) -> bool:
        """Whether the stream has come to its end."""
        leave = self._rng.randint(1, 100) if self._breaks else -1
        last = self._ids[-1] if self._ids else 0
        async for line in connection.stream(self._path, last_event_id=last):
            name, _, value = line.partition(b": ")
            if line == b"event: end":
                return True
            if name == b"id":
                self._ids.append(int(value))
                leave -= 1
            elif name == b"data":
                self._take(value)
                if leave == 0:
                    self._breaks -= 1
                    await asyncio.sleep(self._rng.uniform(0, 2))
                    return False
                if self._slow:
                    await asyncio.sleep(0.05)
        return False

    def _take(self, data: bytes) -> None:
        self._digest.update(data + b"\n")
        created = json.loads(data)["created_at"]
        if created > self._since + 1 and not self._slow:
            self._delays.append(time.time() - created)


def figures(seen: list[Seen], events: int) -> dict[str, Any]:
    """Of all watchers of a job that has had so many events."""
    whole = tuple(range(1, events + 1))
    delays = [delay for one in seen for delay in one.delays] or [0.0]
    return {
        "watchers": len(seen),
        "events": events,
        "saw_all_in_order": sum(one.ids == whole for one in seen),
        "different_contents": len({one.sha256 for one in seen}),
        "connections": sum(one.connections for one in seen),
        "delay_p50_s": round(percentile(delays, 50), 2),
        "delay_p99_s": round(percentile(delays, 99), 2),
    }
