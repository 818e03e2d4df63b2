"""The contract of an executor, and the plainest one."""

from collections.abc import Callable, Iterable, Iterator
from typing import Protocol, TypeVar

W = TypeVar("W")
W_co = TypeVar("W_co", covariant=True)
R = TypeVar("R")

Job = Callable[[W], R]
"""What a worker is asked to do. It must give the same answer whichever worker does it, and may be done twice."""


class Executor(Protocol[W_co]):
    """Has one or many workers that are alike, and deals jobs among them."""

    def map(self, jobs: Iterable[Job[W_co, R]]) -> Iterator[R]:
        """The answers, in the order of the jobs.

        Further jobs are drawn as soon as a worker is free, before the answers to earlier ones are taken.

        Raises:
            WorkersLostError: no worker is left.
            Exception: of the first job that raises one. Jobs that have begun go on; their answers are lost.
        """
        ...

    def close(self) -> None:
        """Let the workers go."""
        ...


class Serial(Executor[W]):
    """One worker, in this process; a job is drawn when the answer to the last one has been taken."""

    def __init__(self, worker: W) -> None:
        self._worker = worker

    def map(self, jobs: Iterable[Job[W, R]]) -> Iterator[R]:
        return (job(self._worker) for job in jobs)

    def close(self) -> None:
        """Nothing to let go of."""
