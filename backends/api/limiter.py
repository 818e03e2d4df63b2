"""How many calls are in flight at an endpoint, and when the next may go.

As TCP finds its window (RFC 5681): slow start doubles it with each window of answers; from the first refusal on each
window of answers adds one, and a refusal halves it. Endpoints that tell how much is left are taken at their word.
"""

import math
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager

from blackbox.backends.api.waiting import LONGEST, TICK, number, span
from blackbox.backends.errors import BackendSettingError

FIRST = 4
"""Calls in flight at the start."""


class Limiter:
    """One for everything that goes to an endpoint. Safe for threads."""

    def __init__(self, parallel: int, *, clock: Callable[[], float] = time.monotonic) -> None:
        """A limiter that lets at most `parallel` calls be in flight.

        Raises:
            BackendSettingError: `parallel` is less than 1.
        """
        if parallel < 1:
            raise BackendSettingError(f"parallel must be 1 or more, got {parallel}")
        self._parallel, self._clock = parallel, clock
        self._window = float(min(FIRST, parallel))
        self._slow_start_up_to = float(parallel)
        self._in_flight, self._waiting, self._bursts = 0, 0, 0
        self._not_before = -math.inf
        self._changed = threading.Condition()

    def widen(self, parallel: int) -> None:
        """Let so many calls be in flight, if that is more than before."""
        with self._changed:
            if parallel <= self._parallel:
                return
            if self._slow_start_up_to == float(self._parallel):  # no refusal yet
                self._slow_start_up_to = float(parallel)
                self._window = max(self._window, float(min(FIRST, parallel)))
            self._parallel = parallel
            self._changed.notify_all()

    @property
    def window(self) -> int:
        """How many calls may be in flight now."""
        return int(self._window)

    @property
    def in_flight(self) -> int:
        """How many calls are."""
        return self._in_flight

    @contextmanager
    def slot(self, check: Callable[[], None]) -> Iterator[int]:
        """Wait until one more call may go, and let the next one go at the end.

        Args:
            check: called while waiting; an error that it raises ends the wait.

        Yields:
            The number of the burst of refusals that came last; `limited` takes it.
        """
        with self._changed:
            self._waiting += 1
            try:
                while (seconds := self._wait_seconds()) > 0:
                    check()
                    self._changed.wait(min(seconds, TICK))
            finally:
                self._waiting -= 1
            self._in_flight += 1
            burst = self._bursts
        try:
            yield burst
        finally:
            with self._changed:
                self._in_flight -= 1
                if self._waiting:
                    self._changed.notify(2)  # its own place, and one by which the window may have grown

    def succeeded(self) -> None:
        """A call was answered."""
        with self._changed:
            grown = self._window + (1.0 if self._window < self._slow_start_up_to else 1.0 / self._window)
            self._window = min(grown, float(self._parallel))

    def limited(self, burst: int, seconds: float | None = None) -> None:
        """A call was refused for now. Of all that were in flight together only the first refusal halves the window.

        Args:
            burst: what `slot` gave for this call.
            seconds: that the endpoint asks to wait, if it does; this holds all calls back.
        """
        with self._changed:
            if burst == self._bursts:
                self._bursts += 1
                self._window = self._slow_start_up_to = max(1.0, self._window / 2.0)
            if seconds is not None:
                self._hold(seconds)

    def told(self, headers: Mapping[str, str], *, tokens: int) -> None:
        """Hold all calls back where the endpoint says that nothing is left for one more.

        Args:
            headers: of an answer; `x-ratelimit-{limit,remaining,reset}-{requests,tokens}` are read.
            tokens: what one call takes.
        """
        if "x-ratelimit-remaining-requests" not in headers and "x-ratelimit-remaining-tokens" not in headers:
            return
        seconds = max(_refill(headers, "requests", 1), _refill(headers, "tokens", tokens))
        if seconds > 0:
            with self._changed:
                self._hold(seconds)

    def _hold(self, seconds: float) -> None:
        self._not_before = max(self._not_before, self._clock() + seconds)

    def _wait_seconds(self) -> float:
        """At most so long until the next look; 0 for a call that may go."""
        if self._in_flight >= int(self._window):
            return TICK
        return max(0.0, self._not_before - self._clock())


def _refill(headers: Mapping[str, str], what: str, needed: int) -> float:
    """Seconds until so much is there again; 0 where it is.

    `reset` is when all is. Where the whole is told, too, the part of that time which fills up what is missing.
    """
    remaining = number(headers.get(f"x-ratelimit-remaining-{what}"))
    reset = span(headers.get(f"x-ratelimit-reset-{what}"))
    if remaining is None or reset is None or remaining >= needed:
        return 0.0
    whole = number(headers.get(f"x-ratelimit-limit-{what}"))
    share = (needed - remaining) / (whole - remaining) if whole is not None and whole > remaining else 1.0
    return min(max(reset, 0.0) * min(share, 1.0), LONGEST)
