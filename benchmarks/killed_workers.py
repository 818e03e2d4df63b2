"""Workers of Ray on this machine, killed at random moments."""

import os
import random
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

NAME = b"ray::Host"  # of the process of an actor of `blackbox.parallel.ray_pool`


def hosts() -> list[int]:
    """The processes of all workers."""
    found = []
    for folder in Path("/proc").iterdir():
        with suppress(OSError):
            if folder.name.isdigit() and (folder / "cmdline").read_bytes().startswith(NAME):
                found.append(int(folder.name))
    return found


@contextmanager
def killing(seed: int, *, least: float = 0.5, most: float = 3.0) -> Iterator[list[int]]:
    """Kill a worker every `least` to `most` seconds; gives the processes killed so far."""
    ended, killed, rng = threading.Event(), list[int](), random.Random(seed)

    def kill() -> None:
        while not ended.wait(rng.uniform(least, most)):
            if processes := hosts():
                victim = rng.choice(sorted(processes))
                with suppress(ProcessLookupError):
                    os.kill(victim, signal.SIGKILL)
                    killed.append(victim)

    thread = threading.Thread(target=kill)
    thread.start()
    try:
        yield killed
    finally:
        ended.set()
        thread.join()
