"""What every executor does."""

import threading
import time
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import pytest

from blackbox.errors import DataError
from blackbox.parallel import Executor

MakeExecutor = Callable[[Any], Executor[Any]]


def add(worker: int, number: int) -> int:
    return worker + number


def add_late(worker: int, number: int) -> int:
    """The earlier jobs take longer."""
    time.sleep(0.2 if number % 4 == 0 else 0.0)
    return worker + number


def refuse(worker: int) -> int:
    raise DataError("this row has no label")


class ExecutorContract:
    """Subclasses give `make`, which makes an executor around a worker."""

    def test_answers_come_in_the_order_of_the_jobs(self, make: MakeExecutor) -> None:
        executor = make(100)
        assert list(executor.map(partial(add_late, number=n) for n in range(9))) == [100 + n for n in range(9)]

    def test_it_can_be_used_again(self, make: MakeExecutor) -> None:
        executor = make(1)
        for _ in range(3):
            assert list(executor.map([partial(add, number=1), partial(add, number=2)])) == [2, 3]
        assert list(executor.map([])) == []

    def test_the_error_of_a_job_is_raised_as_it_is(self, make: MakeExecutor) -> None:
        executor = make(1)
        answers = executor.map([partial(add, number=1), refuse, partial(add, number=2)])
        with pytest.raises(DataError, match="^this row has no label$"):
            list(answers)
        assert list(executor.map([partial(add, number=5)])) == [6]

    def test_jobs_may_be_left_before_all_are_done(self, make: MakeExecutor) -> None:
        executor = make(1)
        answers = executor.map(partial(add_late, number=n) for n in range(20))
        assert next(answers) == 1
        answers.close()  # type: ignore[attr-defined]
        assert list(executor.map([partial(add, number=7)])) == [8]

    def test_the_source_is_not_run_through_beforehand(self, make: MakeExecutor) -> None:
        seen = []

        def source() -> Iterator[Callable[[int], int]]:
            for n in range(1000):
                seen.append(n)
                yield partial(add, number=n)

        answers = make(0).map(source())
        assert next(answers) == 0
        assert len(seen) < 50

    def test_the_source_is_drawn_by_the_caller(self, make: MakeExecutor) -> None:
        """A search decides there whether it has time for another slice."""
        names = set()

        def source() -> Iterator[Callable[[int], int]]:
            for n in range(5):
                names.add(threading.current_thread().name)
                yield partial(add, number=n)

        list(make(0).map(source()))
        assert names == {threading.current_thread().name}
