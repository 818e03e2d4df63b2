"""One thread in BLAS while an optimizer computes.

Its matrices are small: an eigendecomposition at d = 500 took 35 times longer with two threads than with one. And the
number of threads changes the order of sums, so that a run would depend on it bit for bit.
"""

from __future__ import annotations

from functools import cache
from threading import Lock

from threadpoolctl import ThreadpoolController  # type: ignore[import-untyped]


class _OneThread:
    """Entered by several searches at once, in threads, it limits with the first and restores with the last."""

    def __init__(self) -> None:
        # Looking for the libraries that are loaded takes 5 ms, once; a limit takes 10 us.
        self._controller = ThreadpoolController()
        self._lock = Lock()
        self._inside = 0

    def __enter__(self) -> None:
        with self._lock:
            if self._inside == 0:
                self._limit = self._controller.limit(limits=1, user_api="blas")
            self._inside += 1

    def __exit__(self, *exception: object) -> None:
        with self._lock:
            self._inside -= 1
            if self._inside == 0:
                self._limit.restore_original_limits()


@cache
def one_blas_thread() -> _OneThread:
    """Limits numpy's BLAS to one thread in this process while it is entered."""
    return _OneThread()
