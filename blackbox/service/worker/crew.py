"""Several workers on one machine: a process each, so that one that runs out of memory takes no other with it."""

import logging
import os
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence

from blackbox.service.worker.stopping import Stopping

log = logging.getLogger(__name__)

_LOOK_S, _PAUSE_S, _LONGEST_S, _GOOD_S = 0.2, 1.0, 60.0, 60.0


class Crew:
    """Starts workers, starts those again that die, and ends with all of them.

    Args:
        command: of a worker. It ends when its stdin does, however this process ends.
        count: of workers.
        environment: of theirs, beside this process's.
    """

    def __init__(self, command: Sequence[str], count: int, *, environment: Mapping[str, str]) -> None:
        self._command, self._environment = list(command), {**os.environ, **environment}
        self._members = [_Member() for _ in range(count)]

    def run(self, stopping: Stopping) -> None:
        """Keep the workers going until it is time to end; then wait for theirs."""
        try:
            while not stopping:
                for member in self._members:
                    member.see_to(self._command, self._environment)
                stopping.wait(_LOOK_S)
        finally:
            for member in self._members:
                member.ask_to_end()
            for member in self._members:
                member.wait()


class _Member:
    """One worker process after the other."""

    def __init__(self) -> None:
        self._process: subprocess.Popen[bytes] | None = None
        self._started, self._pause, self._not_before = 0.0, _PAUSE_S, 0.0

    def see_to(self, command: Sequence[str], environment: Mapping[str, str]) -> None:
        """Start it if it does not run; more and more seldom where it dies at once."""
        now = time.monotonic()
        if self._process is not None and self._process.poll() is not None:
            code = self._process.returncode
            self._pause = _PAUSE_S if now - self._started > _GOOD_S else min(2 * self._pause, _LONGEST_S)
            log.warning("a worker has ended with code %s; another is started in %.0f s", code, self._pause)
            self._process, self._not_before = None, now + self._pause
        if self._process is None and now >= self._not_before:
            self._started = now
            self._process = subprocess.Popen(command, env=dict(environment), stdin=subprocess.PIPE)

    def ask_to_end(self) -> None:
        """By the end of its stdin, not by a signal: Ctrl-C has reached it already, and a second one ends it at once."""
        if self._process is not None and self._process.stdin:
            self._process.stdin.close()

    def wait(self) -> None:
        """For its end."""
        if self._process is not None:
            self._process.wait()


def worker_command(*options: str) -> list[str]:
    """The command of one worker that ends when its stdin does."""
    return [sys.executable, "-m", "blackbox", "worker", "--while-stdin-is-open", *options]
