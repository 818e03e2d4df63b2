import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor

import pytest

from blackbox.backends.api.group_commit import GroupCommit


class Disk:
    """Writes when it is let; keeps what was written in each call."""

    def __init__(self) -> None:
        self.groups: list[list[int]] = []
        self.begun, self.may_end = threading.Event(), threading.Event()
        self.errors: dict[int, BaseException] = {}

    def write(self, items: Sequence[int]) -> list[int]:
        self.begun.set()
        assert self.may_end.wait(60)
        if self.errors.keys() & set(items):
            raise self.errors.pop(items[0])
        self.groups.append(list(items))
        return [10 * item for item in items]


def until(true: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 60
    while not true():
        assert time.monotonic() < deadline
        time.sleep(0.001)


def first_and_then(disk: Disk, threads: ThreadPoolExecutor, others: Sequence[int]) -> list[Future[int]]:
    """Item 0 is being written while the others come; then the disk goes on."""
    commit = GroupCommit(disk.write)
    futures = [threads.submit(commit, 0)]
    assert disk.begun.wait(60)
    for other in others:
        futures.append(threads.submit(commit, other))
        until(lambda: len(commit._queue) == len(futures) - 1)
    disk.may_end.set()
    return futures


def test_who_comes_during_a_write_goes_with_the_next_and_gets_the_own_result() -> None:
    disk = Disk()
    with ThreadPoolExecutor(4) as threads:
        futures = first_and_then(disk, threads, [1, 2, 3])
        assert [future.result(60) for future in futures] == [0, 10, 20, 30]
    assert disk.groups == [[0], [1, 2, 3]]


def test_an_error_is_raised_to_all_that_were_written_together_and_to_no_other() -> None:
    disk = Disk()
    disk.errors[1] = OSError("full")
    with ThreadPoolExecutor(4) as threads:
        first, *others = first_and_then(disk, threads, [1, 2, 3])
        assert first.result(60) == 0
        for other in others:
            with pytest.raises(OSError, match="full"):
                other.result(60)
    assert disk.groups == [[0]]


def test_it_goes_on_after_an_error() -> None:
    disk = Disk()
    disk.may_end.set()
    disk.errors[1] = OSError("full")
    commit = GroupCommit(disk.write)
    with pytest.raises(OSError, match="full"):
        commit(1)
    assert commit(1) == 10


def test_what_others_wait_for_is_written_even_if_the_thread_that_leads_is_interrupted() -> None:
    disk = Disk()
    disk.errors[1] = KeyboardInterrupt()
    with ThreadPoolExecutor(4) as threads:
        first, leads, *others = first_and_then(disk, threads, [1, 2, 3])
        assert first.result(60) == 0
        with pytest.raises(KeyboardInterrupt):
            leads.result(60)
        assert [other.result(60) for other in others] == [20, 30]
    assert disk.groups == [[0], [2, 3]]


def test_many_threads_lose_nothing() -> None:
    written: list[int] = []

    def write(items: Sequence[int]) -> list[int]:
        written.extend(items)
        return list(items)

    commit = GroupCommit(write)
    with ThreadPoolExecutor(64) as threads:
        assert list(threads.map(commit, range(5000))) == list(range(5000))
    assert sorted(written) == list(range(5000))
