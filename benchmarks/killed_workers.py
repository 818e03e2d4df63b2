"""Workers of Ray on this machine, killed at random moments."""

import os
import random
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from blackbox.callbacks import Callback, Progress

NAME = b"ray::Host"  # of the process of an actor of `blackbox.parallel.ray_pool`


def hosts() -> list[int]:
    """The processes of all workers."""
    found = []
    for folder in Path("/proc").iterdir():
        with suppress(OSError):
            if folder.name.isdigit() and (folder / "cmdline").read_bytes().startswith(NAME):
                found.append(int(folder.name))
    return found


class Killer(Callback):
    """Kills a worker after every fifth generation or so, however fast the machine is."""

    def __init__(self, seed: int) -> None:
        self._rng = random.Random(seed)
        self.killed: list[int] = []

    def on_generation(self, progress: Progress) -> None:
        if self._rng.random() < 0.2:
            _kill_one(self._rng, self.killed)


@contextmanager
def killing(seed: int, *, least: float = 0.5, most: float = 3.0) -> Iterator[list[int]]:
    """Kill a worker every `least` to `most` seconds; gives the processes killed so far."""
    ended, killed, rng = threading.Event(), list[int](), random.Random(seed)

    def kill() -> None:
        while not ended.wait(rng.uniform(least, most)):
            _kill_one(rng, killed)

    thread = threading.Thread(target=kill)
    thread.start()
    try:
        yield killed
    finally:
        ended.set()
        thread.join()


def _kill_one(rng: random.Random, killed: list[int]) -> None:
    if processes := hosts():
        victim = rng.choice(sorted(processes))
        with suppress(ProcessLookupError):
            os.kill(victim, signal.SIGKILL)
            killed.append(victim)
