"""Clients that read, in a process of their own: each asks at moments of its own, whether the last answer came or not.

The time of an answer counts from the moment at which it was to be asked for, so that a service that is slow for a while
is not asked less in that while.
"""

import asyncio
import multiprocessing
import random
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from statistics import median
from typing import Any

from benchmarks.service.asking import Connection


@dataclass(frozen=True)
class Target:
    """Addresses of one kind; each time one of them is asked for."""

    kind: str
    paths: Sequence[str]


@dataclass(frozen=True)
class Load:
    """Who asks for what.

    Attributes:
        rate: requests a second of all clients together.
        seconds: for how long.
    """

    port: int
    token: str
    targets: Sequence[Target]
    clients: int
    rate: float
    seconds: float


@dataclass(frozen=True)
class Answered:
    """One request: the seconds until its answer had arrived, of those `late` until it was sent."""

    kind: str
    seconds: float
    late: float
    status: int


def apart(call: Callable[..., Any], *arguments: Any) -> Any:
    """What a function gives in a process of its own."""
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        return pool.apply(call, arguments)


def read(load: Load) -> list[Answered]:
    """All answers; run it `apart`."""
    return asyncio.run(_read(load))


async def _read(load: Load) -> list[Answered]:
    answers: list[Answered] = []
    begin = time.monotonic() + 0.5
    await asyncio.gather(*(_client(load, number, begin, answers) for number in range(load.clients)))
    return answers


async def _client(load: Load, number: int, begin: float, answers: list[Answered]) -> None:
    rng, connection, due = random.Random(number), Connection(load.port, load.token), begin
    while (due := due + rng.expovariate(load.rate / load.clients)) < begin + load.seconds:
        await asyncio.sleep(max(0.0, due - time.monotonic()))
        target = rng.choice(load.targets)
        sent = time.monotonic()
        try:
            async with asyncio.timeout(30):
                status, _ = await connection.get(rng.choice(target.paths))
        except (OSError, EOFError, TimeoutError, asyncio.LimitOverrunError):
            status = 0
            connection.close()
        answers.append(Answered(target.kind, time.monotonic() - due, sent - due, status))
    connection.close()


def figures(answers: Sequence[Answered]) -> dict[str, Any]:
    """Of some answers; times in ms."""
    if not answers:
        return {"requests": 0}
    times = [1e3 * answer.seconds for answer in answers]
    return {
        "requests": len(answers),
        "errors": sum(answer.status != 200 for answer in answers),
        "p50_ms": round(median(times), 1),
        "p99_ms": round(percentile(times, 99), 1),
        "max_ms": round(max(times), 1),
        "sent_late_p99_ms": round(percentile([1e3 * answer.late for answer in answers], 99), 1),
    }


def percentile(values: Sequence[float], percent: float) -> float:
    """The smallest value that so many of a hundred do not pass."""
    ordered = sorted(values)
    return ordered[max(0, -int(-len(ordered) * percent // 100) - 1)]


def time_of(port: int, token: str, path: str, times: int) -> list[float]:
    """Seconds of one address, asked for again and again on one connection; the first answers do not count."""
    return asyncio.run(_time_of(port, token, path, times))


async def _time_of(port: int, token: str, path: str, times: int) -> list[float]:
    connection, found = Connection(port, token), []
    for _ in range(times + 5):
        began = time.perf_counter()
        status, body = await connection.get(path)
        found.append(time.perf_counter() - began)
        if status != 200:
            raise RuntimeError(f"{path}: {status} {body[:200]!r}")
    connection.close()
    return found[5:]
