"""Worker processes on this machine.

Each is spawned, so that it begins without the threads and the GPU context of this one, and is given one run at a time
through a pipe. Ctrl-C reaches this process only, which stops them; if this process is killed they end at once, for a
sweep that goes on wants the folders of their runs.
"""

import os
import signal
import sys
import threading
import time
from collections import deque
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from multiprocessing import get_context, parent_process
from multiprocessing.connection import Connection, wait

from blackbox.stop_signal import stop_at_sigterm
from blackbox.sweeps.plan import PlannedRun
from blackbox.sweeps.pool import Began, Ended, Pool, Tell
from blackbox.sweeps.worker import Worker

_THREADS = "OMP_NUM_THREADS"


class Processes(Pool):
    """See the module.

    Args:
        count: of workers.
        patience: how long a run that is told to stop may take until its worker is killed, s.
    """

    def __init__(self, count: int, *, patience: float = 30.0) -> None:
        self._count, self._patience = count, patience

    def run(self, runs: Sequence[PlannedRun], tell: Tell) -> None:
        waiting = deque(runs)
        busy: list[_Process] = []
        try:
            for _ in range(min(self._count, len(runs))):
                self._begin(busy, _Process(self._count), waiting, tell)
            while busy:
                ready = wait([process.connection for process in busy])
                for process in [process for process in busy if process.connection in ready]:
                    busy.remove(process)
                    tell(Ended(process.run, process.outcome()))
                    if not waiting:
                        process.stop()
                        continue
                    self._begin(busy, process if process.alive else _Process(self._count), waiting, tell)
        finally:
            _end(busy, self._patience)

    def _begin(self, busy: "list[_Process]", process: "_Process", waiting: deque[PlannedRun], tell: Tell) -> None:
        busy.append(process)
        run = waiting.popleft()
        process.give(run)
        tell(Began(run))


class _Process:
    """One worker process and the run that it has."""

    run: PlannedRun

    def __init__(self, count: int) -> None:
        context = get_context("spawn")
        self.connection, theirs = context.Pipe()
        self._process = context.Process(target=_serve, args=(theirs,), daemon=True)
        with _without_interrupts(), _share_of_cores(count):
            self._process.start()
        theirs.close()
        self.alive = True

    def give(self, run: PlannedRun) -> None:
        self.run = run
        try:
            self.connection.send(run)
        except OSError:  # it is gone: `outcome` will say so
            return

    def outcome(self) -> str | None:
        """The error of its run; of a process that is gone, how it ended."""
        try:
            error: str | None = self.connection.recv()
        except (EOFError, OSError):
            self.stop()
            code = self._process.exitcode
            how = f"killed by signal {-code}" if code and code < 0 else f"exit code {code}"
            return f"the worker process ended ({how}); out of memory?"
        return error

    def interrupt(self) -> None:
        """Stop its run as Ctrl-C would."""
        self._process.terminate()

    def wait(self, until: float) -> None:
        """For its end, up to a moment of `time.monotonic`."""
        self._process.join(max(0.0, until - time.monotonic()))

    def stop(self) -> None:
        """End it when it has nothing to do."""
        self.alive = False
        self.connection.close()
        self._process.join(5)
        self.kill()

    def kill(self) -> None:
        """End it, whatever it does."""
        self._process.kill()
        self._process.join()


def _end(busy: "Sequence[_Process]", patience: float) -> None:
    """Let all write down what they have; a second Ctrl-C kills them."""
    try:
        for process in busy:
            process.interrupt()
        until = time.monotonic() + patience
        for process in busy:
            process.wait(until)
    finally:
        for process in busy:
            process.kill()


@contextmanager
def _without_interrupts() -> Iterator[None]:
    """What is started inside never hears Ctrl-C: signals that are blocked stay so in children."""
    if sys.platform == "win32":
        yield
        return
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


@contextmanager
def _share_of_cores(count: int) -> Iterator[None]:
    """Processes that are started inside take their share of the cores, unless the user has said how many."""
    if _THREADS in os.environ:
        yield
        return
    os.environ[_THREADS] = str(max(1, (os.cpu_count() or 1) // count))
    try:
        yield
    finally:
        del os.environ[_THREADS]


def _serve(connection: Connection) -> None:
    """The life of a worker process."""
    stop_at_sigterm()
    threading.Thread(target=_end_with_parent, daemon=True).start()
    worker = Worker()
    try:
        while True:
            connection.send(worker.attempt(connection.recv()))
    except (EOFError, KeyboardInterrupt):
        return


def _end_with_parent() -> None:
    parent = parent_process()
    if parent:
        parent.join()
    os._exit(1)
