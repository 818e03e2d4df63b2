"""Threads of this process that share one worker: for models that are waited for."""

from collections import deque
from collections.abc import Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from contextvars import copy_context
from itertools import islice

from blackbox.parallel.executor import Executor, Job, R, W


class Threads(Executor[W]):
    """Does jobs in threads, in copies of the caller's context; the worker must allow that.

    Args:
        worker: which all threads share.
        count: of threads.
    """

    def __init__(self, worker: W, count: int) -> None:
        self._worker, self._count = worker, count
        self._threads = ThreadPoolExecutor(count, thread_name_prefix="worker")

    def map(self, jobs: Iterable[Job[W, R]]) -> Iterator[R]:
        source = iter(jobs)
        begun: deque[Future[R]] = deque()
        try:
            while True:
                busy = [future for future in begun if not future.done()]
                new = [
                    self._threads.submit(copy_context().run, job, self._worker)
                    for job in islice(source, self._count - len(busy))
                ]
                begun.extend(new)
                if not begun:
                    return
                if begun[0].done():
                    yield begun.popleft().result()
                else:
                    wait([*busy, *new], return_when=FIRST_COMPLETED)
        finally:
            for future in begun:
                future.cancel()

    def close(self) -> None:
        """Wait for the jobs that have begun, and end the threads."""
        self._threads.shutdown(wait=True, cancel_futures=True)
