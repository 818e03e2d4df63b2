"""Workers of Ray: plain actors, each with a worker of its own, on one machine or many.

The worker is put into the object store once: the arrays in it, a model's weights or a projection's matrix, are shared
by all actors of a node. Retries are this file's, not Ray's: a job counts once, however often it is done.
"""

import logging
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass, field
from statistics import median
from typing import Any

from blackbox.errors import ExecutorError, WorkersLostError
from blackbox.parallel.cluster import connected
from blackbox.parallel.deck import LOST, Deck
from blackbox.parallel.executor import Executor, Job, R, W

log = logging.getLogger(__name__)

STARTS = 3  # actors in a row that may fail to start while there is none
SLOW = 10  # times the usual duration after which a job is given to an idle worker as well


class Host:
    """What an actor is: it holds a worker and does jobs, one at a time, all in one thread.

    The actor's own threads read the next job and send the last answer meanwhile, which takes Ray 1 ms or more.
    """

    def __init__(self, worker: Any, settle: Callable[[Any], Any] | None) -> None:
        self._thread = ThreadPoolExecutor(1)
        self._worker = self._thread.submit(settle, worker).result() if settle else worker

    def ready(self) -> None:
        """Answer as soon as the worker is there."""

    def do(self, job: Job[Any, Any]) -> tuple[Any, Exception | None]:
        """The answer, or the error that the job has raised."""
        return self._thread.submit(self._done, job).result()

    def _done(self, job: Job[Any, Any]) -> tuple[Any, Exception | None]:
        try:
            return job(self._worker), None
        except Exception as error:  # noqa: BLE001 - raised again by the driver
            return None, error


@dataclass(eq=False)
class _Actor:
    handle: Any
    starting: Any  # the reference of `ready`; None once it has answered
    unheard: int = 0  # answers of `ready` that were lost
    jobs: int = 0
    lost: bool = False


@dataclass(frozen=True, eq=False)
class _Flight:
    deck: Deck
    number: int
    actor: _Actor
    began: float = field(default_factory=time.monotonic)


class RayPool(Executor[W]):
    """Does jobs in actors of Ray.

    An actor that dies, with its process or with its node, is replaced, and its jobs are dealt again; where the cluster
    has no room for it, the others go on and it starts when there is. A job that takes far longer than usual is given to
    an idle actor as well.

    Args:
        worker: what each actor has; it is pickled, its arrays are shared by the actors of a node.
        count: of actors; None: as many as the cluster has room for now.
        cpus, gpus: of each.
        address: see `connected`.
        package: see `connected`.
        settle: called in each actor with its worker, which it may put in another's place.
        patience: seconds that are waited for where no actor is left.
        slow: seconds that a job must take before it may count as slow.
        in_flight: jobs that are sent to an actor at once: the next one is there when one is done.

    Raises:
        ExecutorError: no cluster, or the worker cannot be pickled.
    """

    def __init__(
        self,
        worker: W,
        count: int | None = None,
        *,
        cpus: float = 1,
        gpus: float = 0,
        address: str | None = None,
        package: str | None = None,
        settle: Callable[[W], W] | None = None,
        patience: float = 600.0,
        slow: float = 30.0,
        in_flight: int = 2,
    ) -> None:
        self._stack = ExitStack()
        self._ray = self._stack.enter_context(connected(address, package))
        self._patience, self._slow, self._in_flight = patience, slow, in_flight
        self._flights: dict[Any, _Flight] = {}
        self._durations = deque[float](maxlen=100)
        self._failed_starts = 0
        self._last_seen = time.monotonic()  # when an actor was last heard of, or missed for the first time
        self._what = f"{cpus:g} CPU" + (f" and {gpus:g} GPU" if gpus else "")
        try:
            self._arguments = (self._ray.put(worker), settle)
        except Exception as error:
            self._stack.close()
            raise ExecutorError(f"the worker cannot be sent to Ray: {_reason(error.__cause__ or error)}") from error
        remote = self._ray.remote(Host)
        self._make = remote.options(
            num_cpus=cpus, num_gpus=gpus, max_restarts=0, max_task_retries=0, max_concurrency=in_flight
        ).remote
        self._actors = [self._start() for _ in range(count or self._room(cpus, gpus))]

    def map(
        self,
        jobs: Iterable[Job[W, R]],
        *,
        in_order: bool = True,
        give_up: Callable[[Job[W, R], str], R] | None = None,
    ) -> Iterator[R]:
        """See `Executor.map`, and `Deck` for the further arguments."""
        deck = Deck(jobs, in_order=in_order, give_up=give_up)
        while True:
            self._deal(deck)
            yield from deck.ready()
            if deck.is_done:
                return
            self._wait()
            self._help_out(deck)

    def close(self) -> None:
        """End the actors, and the cluster if it was started for them."""
        for actor in self._actors:
            self._ray.kill(actor.handle)
        self._actors.clear()
        self._stack.close()

    def _room(self, cpus: float, gpus: float) -> int:
        there = self._ray.cluster_resources()
        by_gpu = [int(there.get("GPU", 0) / gpus)] if gpus else []
        return max(1, min(int(there.get("CPU", 1) / cpus), *by_gpu))

    def _start(self) -> _Actor:
        handle = self._make(*self._arguments)
        return _Actor(handle, handle.ready.remote())

    def _deal(self, deck: Deck) -> None:
        """Give jobs to actors that have room for one, those with fewer first."""
        for room in range(self._in_flight):
            for actor in self._actors:
                if actor.starting is None and actor.jobs == room and (drawn := deck.draw()):
                    self._send(deck, *drawn, actor)

    def _send(self, deck: Deck, number: int, job: Job[Any, Any], actor: _Actor) -> None:
        self._flights[actor.handle.do.remote(job)] = _Flight(deck, number, actor)
        actor.jobs += 1

    def _wait(self) -> None:
        """Wait until something is heard of an actor."""
        starting = {actor.starting: actor for actor in self._actors if actor.starting is not None}
        try:
            heard, _ = self._ray.wait([*self._flights, *starting], num_returns=1, timeout=1.0)
        except SystemExit as error:  # Ray ends a process that its cluster has given up
            raise WorkersLostError("the cluster has given this process up; resume the run") from error
        for reference in heard:
            if reference in starting:
                self._started(starting[reference])
            else:
                self._landed(reference, self._flights.pop(reference))
        if any(actor.starting is None for actor in self._actors):
            self._last_seen = time.monotonic()
        elif time.monotonic() - self._last_seen > self._patience:
            raise WorkersLostError(
                f"no worker for {self._patience:g} s: the cluster has no room for one with {self._what}, or its nodes "
                "are gone; what is scored is kept, resume the run when it is back"
            )

    def _started(self, actor: _Actor) -> None:
        try:
            self._ray.get(actor.starting)
        except self._ray.exceptions.RayError as error:
            actor.unheard += 1
            if isinstance(error, self._ray.exceptions.ActorUnavailableError) and actor.unheard < LOST:
                actor.starting = actor.handle.ready.remote()  # only the call has failed
                return
            self._failed_starts += 1
            if self._failed_starts >= STARTS and all(one.starting is not None for one in self._actors):
                raise WorkersLostError(f"workers do not start: {_reason(error)}") from error
            self._replace(actor, error)
        else:
            actor.starting, self._failed_starts = None, 0

    def _landed(self, reference: Any, flight: _Flight) -> None:
        flight.actor.jobs -= 1
        errors = self._ray.exceptions
        try:
            answer, error = self._ray.get(reference)
        except errors.RayTaskError as task:  # the job could not be read where it was sent, or its answer not written
            raise ExecutorError(f"a worker cannot do its job: {_reason(task.cause)}") from task
        except errors.RayError as lost:
            died = not isinstance(lost, errors.ActorUnavailableError)
            if died:
                self._replace(flight.actor, lost)
            flight.deck.put_back(flight.number, died=died, why=_reason(lost))
            return
        if error is not None:
            raise error
        self._durations.append(time.monotonic() - flight.began)
        flight.deck.answer(flight.number, answer)

    def _replace(self, actor: _Actor, error: Exception) -> None:
        """Start another actor in the place of one that has died, once."""
        if actor.lost:
            return
        actor.lost = True
        place = self._actors.index(actor)
        self._actors[place] = self._start()
        left = sum(one.starting is None for one in self._actors)
        log.warning("a worker is lost, %d of %d are left, another starts: %s", left, len(self._actors), _reason(error))

    def _help_out(self, deck: Deck) -> None:
        """Give a job that takes far longer than usual to an idle actor as well."""
        idle = [actor for actor in self._actors if actor.starting is None and not actor.jobs]
        if not idle or not self._durations or not deck.is_dealt:
            return
        limit = time.monotonic() - max(self._slow, SLOW * median(self._durations))
        flights = [flight for flight in self._flights.values() if flight.deck is deck and deck.is_out(flight.number)]
        for flight in flights:
            alone = sum(other.number == flight.number for other in flights) == 1
            if idle and alone and flight.began < limit:
                log.warning("a worker is slow: its job is given to another as well")
                self._send(deck, flight.number, deck.job(flight.number), idle.pop())


def _reason(error: BaseException | None) -> str:
    """The last line of an error that has any: Ray's texts begin with tracebacks."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return lines[-1] if lines else type(error).__name__
