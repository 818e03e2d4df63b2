"""A faulty endpoint in a process of its own, so that no kill and no thread of a run reaches its counts."""

import multiprocessing
from collections.abc import Callable
from dataclasses import dataclass
from multiprocessing.connection import Connection
from types import TracebackType
from typing import Any

from benchmarks.faults.task import USD_PER_MILLION, answer
from benchmarks.faulty import FaultyServer, Plan, upstream


@dataclass(frozen=True)
class Bill:
    """What the endpoint has given out, by its own count.

    Attributes:
        usd: at the benchmark's prices.
        answers: that were sent whole.
        again: answers among them to a question, all its parameters included, that had been answered before.
    """

    requests: int
    prompt_tokens: int
    completion_tokens: int
    usd: float
    answers: int
    again: int


class Endpoint:
    """As a context manager, it ends with its process.

    Args:
        seconds: that an answer takes.
        retry_after: what the faults with a wait ask for, s.
        behind: the base URL of a real endpoint that it stands in front of.
    """

    def __init__(self, *, seconds: float = 0.0, retry_after: float = 0.02, behind: str | None = None) -> None:
        context = multiprocessing.get_context("spawn")
        self._pipe, other = context.Pipe()
        self._process = context.Process(target=_serve, args=(other, seconds, retry_after, behind), daemon=True)
        self._process.start()
        self.base_url: str = self._pipe.recv()

    def __enter__(self) -> "Endpoint":
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._process.kill()
        self._process.join()

    def begin(self, plan: Plan) -> None:
        """Count anew, with these faults."""
        self._do(_begin, plan)

    def plan(self, plan: Plan) -> None:
        """These faults from now on."""
        self._do(_plan, plan)

    def refuse(self, refused: bool) -> None:
        """Break all connections and take no new ones, or take them again."""
        self._do(FaultyServer.begin_outage if refused else FaultyServer.end_outage)

    def bill(self) -> Bill:
        """The counts since the beginning."""
        return Bill(*self._do(_bill))

    def _do(self, what: Callable[..., Any], *arguments: object) -> Any:
        self._pipe.send((what, arguments))
        return self._pipe.recv()


def _serve(pipe: Connection, seconds: float, retry_after: float, behind: str | None) -> None:
    answers = answer if behind is None else upstream(behind)
    with FaultyServer(answer=answers, seconds=seconds, retry_after=retry_after, slow_seconds=0.02) as server:
        pipe.send(server.base_url)
        while True:
            what, arguments = pipe.recv()
            pipe.send(what(server, *arguments))


def _begin(server: FaultyServer, plan: Plan) -> None:
    with server.lock:
        server.plan, server.counts = plan, type(server.counts)()


def _plan(server: FaultyServer, plan: Plan) -> None:
    with server.lock:
        server.plan = plan


def _bill(server: FaultyServer) -> tuple[float, ...]:
    with server.lock:
        counts = server.counts
        tokens = counts.prompt_tokens, counts.completion_tokens
        usd = sum(price * count for price, count in zip(USD_PER_MILLION, tokens, strict=True)) / 1e6
        again = sum(count - 1 for count in counts.asked.values())
        return counts.requests, *tokens, usd, counts.answered, again
