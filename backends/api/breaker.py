"""A circuit breaker: when an endpoint fails for all calls, they wait, and one at a time tries whether it is back.

Nygard, "Release It!", chapter 5. No thread of its own: those that wait try.
"""

import logging
import threading
import time
from collections.abc import Callable

from blackbox.backends.api.waiting import TICK
from blackbox.backends.errors import EndpointDownError

log = logging.getLogger(__name__)

FEWEST = 5
"""So many failures one after the other, no answer between, or as many as calls are in flight, are an outage."""


class Breaker:
    """One for everything that goes to an endpoint. Safe for threads.

    Failures of one call alone are no outage, unless the endpoint cannot even be reached: the call may be the cause.
    """

    def __init__(
        self,
        *,
        outage_seconds: float = 600.0,
        first_seconds: float = 1.0,
        longest_seconds: float = 30.0,
        on_change: Callable[[bool, str], None] | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """A breaker that is closed: calls go through.

        Args:
            outage_seconds: an outage that lasts longer is given up.
            first_seconds: from the beginning of an outage to the first try; doubles with each that fails.
            longest_seconds: between two tries.
            on_change: told when calls are paused (true) and go on (false), and why. It must return soon.
            clock: seconds from any moment.
        """
        self._outage_seconds, self._first, self._longest = outage_seconds, first_seconds, longest_seconds
        self._on_change, self._clock = on_change or _silent, clock
        self._changed = threading.Condition()
        self._failures, self._callers, self._since, self._why = 0, set[int](), 0.0, ""
        self._open, self._trying, self._last_tried = False, False, 0
        self._interval, self._next_try, self._waiting = first_seconds, 0.0, set[int]()

    @property
    def is_open(self) -> bool:
        """Whether calls are paused."""
        return self._open

    def enter(self, caller: int, check: Callable[[], None]) -> bool:
        """Wait while calls are paused, unless it is this one's turn to try.

        `succeeded`, `failed` or `left` follows.

        Args:
            caller: the same number for all attempts of one call.
            check: called while waiting; an error that it raises ends the wait.

        Returns:
            Whether there was an outage when the call came.

        Raises:
            EndpointDownError: the outage has lasted for longer than it may.
        """
        if not self._open:
            return False
        with self._changed:
            self._waiting.add(caller)
            try:
                while self._open and not self._turn(caller):
                    self._give_up()
                    check()
                    self._changed.wait(TICK)
            finally:
                self._waiting.discard(caller)
        return True

    def succeeded(self, caller: int) -> None:
        """The endpoint has answered a call, be it with a refusal: it is there.

        In an outage only the one that tries counts: what was sent earlier may have been answered before it began.
        """
        if not (self._failures or self._open):
            return
        with self._changed:
            if self._open and not self._tries(caller):
                return
            was_open, seconds = self._open, self._clock() - self._since
            self._failures, self._open, self._trying, self._interval = 0, False, False, self._first
            self._callers.clear()
            self._changed.notify_all()
        if was_open:
            self._tell(False, f"the endpoint answers again after {seconds:.0f} s")

    def failed(self, caller: int, why: str, *, in_flight: int = 1, reached: bool = True) -> None:
        """A call has failed in a way that an outage explains.

        Args:
            caller: as in `enter`.
            why: for those who are told; holds no key.
            in_flight: calls that are, this one included.
            reached: false where no connection came about.
        """
        with self._changed:
            now = self._clock()
            if not self._failures:
                self._since = now
            self._failures += 1
            self._callers.add(caller)
            self._why = why
            if self._open:
                if self._tries(caller):
                    self._trying = False
                    self._interval = min(2.0 * self._interval, self._longest)
                    self._next_try = now + self._interval
                return
            several = len(self._callers) > 1 or not reached
            if self._failures < max(FEWEST, in_flight) or not several:
                return
            self._open, self._next_try = True, now + self._interval
        self._tell(True, f"{self._failures} calls have failed one after the other, the last one: {why}")

    def left(self, caller: int) -> None:
        """The call ended without a word about the endpoint; the next one may try."""
        if self._open:
            with self._changed:
                if self._tries(caller):
                    self._trying = False
                    self._changed.notify_all()

    def _turn(self, caller: int) -> bool:
        """Whether this call may try now. The one whose try failed lets another go first: it may be the cause."""
        others = len(self._waiting) > 1
        if self._trying or self._clock() < self._next_try or (others and caller == self._last_tried):
            return False
        self._trying, self._last_tried = True, caller
        return True

    def _tries(self, caller: int) -> bool:
        return self._trying and self._last_tried == caller

    def _give_up(self) -> None:
        if (seconds := self._clock() - self._since) > self._outage_seconds:
            raise EndpointDownError(
                f"the endpoint has failed for all calls for {seconds:.0f} s, longer than the "
                f"{self._outage_seconds:g} s that it may; the last failure: {self._why}"
            )

    def _tell(self, paused: bool, why: str) -> None:
        log.warning("calls %s: %s", "are paused" if paused else "go on", why)
        self._on_change(paused, why)


def _silent(paused: bool, why: str) -> None:
    """Tells nobody."""
