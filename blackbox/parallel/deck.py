"""The jobs of one call of `map`: which are to be dealt, which are done, and whose answer is next."""

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from typing import Any

from blackbox.errors import WorkersLostError
from blackbox.parallel.executor import Job

DEATHS, LOST = 3, 20  # workers that one job may take with it; answers to one job that may be lost on the way


class Deck:
    """Jobs are drawn from their source when they are dealt; one whose worker was lost comes back and is dealt first.

    A job's number is its key: whichever answer comes first is its answer, and later ones are dropped.

    Args:
        jobs: their source.
        in_order: whether answers wait for those to earlier jobs.
        give_up: makes the answer to a job that was dealt too often, of the reason; None: that is an error.
    """

    def __init__(
        self,
        jobs: Iterable[Job[Any, Any]],
        *,
        in_order: bool = True,
        give_up: Callable[[Job[Any, Any], str], Any] | None = None,
    ) -> None:
        self._in_order, self._give_up = in_order, give_up
        self._source = enumerate(jobs)
        self._again = deque[int]()
        self._out: dict[int, Job[Any, Any]] = {}
        self._answers: dict[int, Any] = {}
        self._deaths: dict[int, int] = {}
        self._losses: dict[int, int] = {}
        self._taken, self._all_drawn = 0, False

    def draw(self) -> tuple[int, Job[Any, Any]] | None:
        """The next job to be dealt, with its number; None where there is none at present."""
        while self._again:
            number = self._again.popleft()
            if number in self._out:
                return number, self._out[number]
        drawn = next(self._source, None)
        if drawn is None:
            self._all_drawn = True
        else:
            self._out[drawn[0]] = drawn[1]
        return drawn

    def job(self, number: int) -> Job[Any, Any]:
        """A job that is out."""
        return self._out[number]

    def is_out(self, number: int) -> bool:
        """Whether a job has been drawn and has no answer yet."""
        return number in self._out

    def answer(self, number: int, value: Any) -> None:
        """Take the answer to a job, the first one."""
        if self._out.pop(number, None) is not None:
            self._answers[number] = value

    def put_back(self, number: int, *, died: bool, why: str) -> None:
        """Deal a job again whose worker has died, or whose answer was lost.

        Raises:
            WorkersLostError: it was dealt too often.
        """
        if number not in self._out:
            return
        counts, most = (self._deaths, DEATHS) if died else (self._losses, LOST)
        counts[number] = counts.get(number, 0) + 1
        if counts[number] < most:
            self._again.append(number)
        elif self._give_up is None:
            raise WorkersLostError(f"the same job has taken {most} workers with it, the last one: {why}")
        else:
            self.answer(number, self._give_up(self._out[number], why))

    def ready(self) -> Iterator[Any]:
        """The answers that are next in order, or all that have come."""
        while self._answers and not self._in_order:
            yield self._answers.pop(next(iter(self._answers)))
        while self._taken in self._answers:
            yield self._answers.pop(self._taken)
            self._taken += 1

    @property
    def is_dealt(self) -> bool:
        """Whether no job waits to be dealt."""
        return self._all_drawn and not self._again

    @property
    def is_done(self) -> bool:
        """Whether every job has its answer."""
        return self._all_drawn and not self._out
