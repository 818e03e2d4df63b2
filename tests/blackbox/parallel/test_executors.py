import threading
from collections.abc import Iterator
from contextvars import ContextVar
from functools import partial
from typing import Any

import pytest

from blackbox.parallel import Serial
from blackbox.parallel.threads import Threads
from tests.blackbox.parallel.contract import ExecutorContract, MakeExecutor, add


class TestSerial(ExecutorContract):
    @pytest.fixture
    def make(self) -> MakeExecutor:
        return Serial

    def test_a_job_is_drawn_when_the_last_answer_was_taken(self) -> None:
        seen = []
        answers = Serial(0).map(seen.append(n) or partial(add, number=n) for n in range(9))  # type: ignore[func-returns-value]
        next(answers)
        assert seen == [0]


class TestThreads(ExecutorContract):
    @pytest.fixture
    def make(self) -> Iterator[MakeExecutor]:
        made: list[Threads[Any]] = []

        def one(worker: Any) -> Threads[Any]:
            made.append(Threads(worker, 3))
            return made[-1]

        yield one
        for executor in made:
            executor.close()

    def test_as_many_jobs_as_threads_are_under_way_at_once(self, make: MakeExecutor) -> None:
        barrier = threading.Barrier(3, timeout=60)
        list(make(barrier).map([threading.Barrier.wait] * 6))

    def test_jobs_have_the_callers_context(self, make: MakeExecutor) -> None:
        who = ContextVar("who", default="nobody")
        who.set("a run")
        assert list(make(0).map([lambda worker: who.get()] * 3)) == ["a run"] * 3

    def test_a_slow_job_holds_up_no_others(self, make: MakeExecutor) -> None:
        others = threading.Semaphore(0)

        def slow(worker: int) -> str:
            assert all(others.acquire(timeout=60) for _ in range(10))
            return "slow"

        def quick(worker: int) -> str:
            others.release()
            return "quick"

        assert list(make(0).map([slow, *[quick] * 10])) == ["slow", *["quick"] * 10]
