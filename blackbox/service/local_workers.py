"""Workers as child processes of the service, started again when they end."""

import logging
import os
import subprocess
import sys
import threading
import time
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

_log = logging.getLogger("blackbox.service")
_FIRST_WAIT, _LONGEST_WAIT = 1.0, 60.0  # s between two starts of a worker that ends at once
_SOUND = 30.0  # s after which a worker counts as one that works
DATABASE_VARIABLE = "BLACKBOX_DATABASE"


class LocalWorkers:
    """Processes of `blackbox worker`, each with a thread that watches over it.

    Args:
        database: the URL; given by the environment, since everybody sees the arguments of a process.
        folder: of the runs.
        backends: the operator's file.
        number: of workers.
    """

    def __init__(self, database: str, *, folder: Path, backends: Path | None, number: int) -> None:
        given: Sequence[str] = ["--backends", str(backends)] if backends else []
        self._command = [
            *(sys.executable, "-m", "blackbox", "worker", "--folder", str(folder), "--while-stdin-is-open"),
            *given,
        ]
        self._environment = {**os.environ, DATABASE_VARIABLE: database}
        self._stopping = threading.Event()
        self._processes: dict[int, subprocess.Popen[bytes]] = {}
        self._watchers = [threading.Thread(target=self._watch, args=(i,), daemon=True) for i in range(number)]

    def start(self) -> None:
        """Start them all."""
        for watcher in self._watchers:
            watcher.start()

    def stop(self, *, seconds: float) -> None:
        """Let each finish its generation and hand back its job; after `seconds` they are killed, and lose no job."""
        self._stopping.set()
        for process in self._processes.values():
            with suppress(ProcessLookupError):
                process.terminate()
        deadline = time.monotonic() + seconds
        for process in self._processes.values():
            try:
                process.wait(max(0.0, deadline - time.monotonic()))
            except subprocess.TimeoutExpired:
                _log.warning("worker %d is killed: it did not end within %g s", process.pid, seconds)
                process.kill()
        for watcher in self._watchers:
            watcher.join(5)

    @property
    def pids(self) -> list[int]:
        """Of the processes that run."""
        return [process.pid for process in self._processes.values() if process.poll() is None]

    def _watch(self, number: int) -> None:
        wait = _FIRST_WAIT
        while not self._stopping.is_set():
            began = time.monotonic()
            # A session of its own: Ctrl-C in a terminal is for the service, which ends its workers in order.
            process = subprocess.Popen(
                self._command, env=self._environment, stdin=subprocess.PIPE, start_new_session=True
            )
            self._processes[number] = process
            if self._stopping.is_set():
                process.terminate()
            code = process.wait()
            if self._stopping.is_set():
                return
            wait = _FIRST_WAIT if time.monotonic() - began > _SOUND else min(_LONGEST_WAIT, 2 * wait)
            _log.warning("worker %d has ended with code %d; another one starts in %g s", process.pid, code, wait)
            self._stopping.wait(wait)
