"""Threads of this process, for runs that wait for endpoints.

Their runs share what an endpoint allows, and the budget of the sweep. A run that has a model in this process as well is
done by the first of them, so that no two threads need the processor or load the model twice.
"""

import queue
import threading
from collections import deque
from collections.abc import Callable, Sequence

from blackbox.callbacks import Callback, Progress
from blackbox.config import make_config
from blackbox.evaluation import Evaluation
from blackbox.shared_endpoints import SharedEndpoints
from blackbox.sweeps.budget import WHOSE
from blackbox.sweeps.dealing import needs_processor
from blackbox.sweeps.plan import PlannedRun
from blackbox.sweeps.pool import Began, Ended, Event, LeftOut, Pool, Tell
from blackbox.sweeps.worker import Worker

BEAT = 1.0
"""Seconds between two beats."""


class Threads(Pool):
    """See the module. Once the budget has refused a call, no further run is begun.

    Args:
        count: of runs at once.
        shared: what they share.
        beat: called once a second at least and at the end, in the caller's thread.
    """

    def __init__(self, count: int, shared: SharedEndpoints, *, beat: Callable[[], None] = lambda: None) -> None:
        self._count, self._shared, self._beat = count, shared, beat

    def run(self, runs: Sequence[PlannedRun], tell: Tell) -> None:
        crew = _Crew(runs, self._shared)
        crew.start(min(self._count, len(runs)))
        try:
            while crew.alive:
                event = crew.next_event(BEAT)
                if event is not None:
                    tell(event)
                self._beat()
        finally:
            crew.stop()
            self._beat()


class _Crew:
    """The threads, what is left to do, and what they tell."""

    def __init__(self, runs: Sequence[PlannedRun], shared: SharedEndpoints) -> None:
        self._shared = shared
        self._heavy, self._light = deque[PlannedRun](), deque[PlannedRun]()
        for run in runs:
            (self._heavy if needs_processor(make_config(run.settings)) else self._light).append(run)
        self._events = queue.Queue[Event | None]()
        self._stopping = threading.Event()
        self._threads: list[threading.Thread] = []
        self.alive = 0

    def start(self, count: int) -> None:
        """Begin with so many threads; only the first does the runs that need the processor."""
        for number in range(count):
            sources = (self._heavy, self._light) if number == 0 else (self._light,)
            # Those that a second Ctrl-C leaves behind must not keep the process from ending.
            thread = threading.Thread(target=self._serve, args=(sources,), name=f"run {number}", daemon=True)
            self._threads.append(thread)
            self.alive += 1
            thread.start()

    def next_event(self, seconds: float) -> Event | None:
        """What is told next; None where nothing is told in this time, or a thread has ended."""
        try:
            event = self._events.get(timeout=seconds)
        except queue.Empty:
            return None
        if event is None:
            self.alive -= 1
        return event

    def stop(self) -> None:
        """Stop runs under way as Ctrl-C would: calls in flight are written down, no other is made."""
        if self.alive:
            self._stopping.set()
            self._shared.gates.close(KeyboardInterrupt())
        for thread in self._threads:
            thread.join()

    def _serve(self, sources: Sequence[deque[PlannedRun]]) -> None:
        """The life of a thread."""
        worker = Worker([_Stop(self._stopping)])
        try:
            with self._shared.share():
                while not self._stopping.is_set() and (run := _next(sources)):
                    self._do(worker, run)
        except KeyboardInterrupt:
            return
        finally:
            self._events.put(None)

    def _do(self, worker: Worker, run: PlannedRun) -> None:
        if (refused := self._shared.account.refused) is not None:
            self._events.put(LeftOut(run, str(refused)))
            return
        self._events.put(Began(run))
        error = worker.attempt(run)
        short = error is not None and f" of {WHOSE}" in error  # before it had scored what it starts from
        self._events.put(LeftOut(run, str(self._shared.account.refused)) if short else Ended(run, error))


def _next(sources: Sequence[deque[PlannedRun]]) -> PlannedRun | None:
    for source in sources:
        try:
            return source.popleft()
        except IndexError:
            continue
    return None


class _Stop(Callback):
    """Ctrl-C, which reaches the main thread only, for a run in another thread."""

    def __init__(self, stopping: threading.Event) -> None:
        self._stopping = stopping

    def on_evaluations(self, evaluations: tuple[Evaluation, ...], progress: Progress) -> None:
        if self._stopping.is_set():
            raise KeyboardInterrupt
