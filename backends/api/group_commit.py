"""One write for many threads: who comes while a write is on its way waits and goes with the next.

There is no thread of its own. The first that comes leads: it writes for all that wait, wakes them, and hands the lead
to the first of those that have come meanwhile. A flush to the disk then costs 64 threads what it costs one.
"""

import threading
from collections.abc import Callable, Sequence
from typing import Generic, TypeVar

Item = TypeVar("Item")
Result = TypeVar("Result")


class _Waiting(Generic[Item, Result]):
    """A thread that waits until its item is written, or until it is to lead."""

    def __init__(self, item: Item) -> None:
        self.item = item
        self.leads = self.awake = False
        self.results: list[Result] = []
        self.error: Exception | None = None
        self._asleep = threading.Lock()
        self._asleep.acquire()

    def sleep(self) -> None:
        """Until `wake`; an interruption (Ctrl-C) is raised then and not before, for the item is on its way."""
        try:
            self._asleep.acquire()
        finally:
            if not self.awake:
                self.sleep()

    def wake(self) -> None:
        self.awake = True
        self._asleep.release()


class GroupCommit(Generic[Item, Result]):
    """Calls `write` with the items of all threads that wait, one call at a time.

    Args:
        write: writes all items or none; returns one result for each.
    """

    def __init__(self, write: Callable[[Sequence[Item]], Sequence[Result]]) -> None:
        self._write = write
        self._lock = threading.Lock()
        self._queue: list[_Waiting[Item, Result]] = []
        self._led = False

    def __call__(self, item: Item) -> Result:
        """The result of an item, once it is written. What `write` raises is raised to all that it wrote for."""
        own = _Waiting[Item, Result](item)
        with self._lock:
            self._queue.append(own)
            own.leads, self._led = not self._led, True
        try:
            if not own.leads:
                own.sleep()
        finally:
            if own.leads:
                self._lead(own)
        if own.error:
            raise own.error
        return own.results[0]

    def _lead(self, own: _Waiting[Item, Result]) -> None:
        with self._lock:
            group, self._queue = self._queue, []
        others = [waiting for waiting in group if waiting is not own]
        try:
            results = self._write([waiting.item for waiting in group])
            for waiting, result in zip(group, results, strict=True):
                waiting.results.append(result)
        except Exception as error:
            for waiting in others:
                waiting.error = error
            raise
        except BaseException:  # Ctrl-C while it leads: the others' items go with the next write
            with self._lock:
                self._queue[:0] = others
            others = []
            raise
        finally:
            self._hand_over()
            for waiting in others:
                waiting.wake()

    def _hand_over(self) -> None:
        with self._lock:
            self._led = bool(self._queue)
            if self._led:
                self._queue[0].leads = True
                self._queue[0].wake()
