"""What all calls to one endpoint with one key go through: its limits, its outages, and what ends them all.

One run has a gate of its own. Runs of one process that ask the same endpoint share one (`Gates`), so that they keep to
one rate together, find out about an outage together, and none asks again what has refused another for good.
"""

import hashlib
import itertools
import math
import threading
import time
from collections.abc import Callable

from blackbox.backends.api.breaker import Breaker
from blackbox.backends.api.endpoint import Endpoint
from blackbox.backends.api.limiter import Limiter
from blackbox.backends.api.patience import Patience


class Gate:
    """See the module. Safe for threads.

    Attributes:
        limiter: how many calls are in flight, and when the next may go.
        breaker: whether calls are paused.
        clock: seconds from any moment.
        answered: when the last call was answered, on this clock.
    """

    def __init__(
        self,
        parallel: int,
        *,
        patience: Patience = Patience(),  # noqa: B008 - frozen
        on_pause: Callable[[bool, str], None] | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """A gate that is open.

        Args:
            parallel: calls in flight, at most.
            patience: with outages.
            on_pause: told when an outage begins (true) and ends (false), and why. It must return soon.
            clock: seconds from any moment; a call's own time is on the wall.

        Raises:
            BackendSettingError: `parallel` is less than 1.
        """
        self.limiter = Limiter(parallel, clock=clock)
        self.breaker = Breaker(
            outage_seconds=patience.outage_seconds,
            first_seconds=patience.first_try,
            longest_seconds=patience.longest_try,
            on_change=on_pause,
            clock=clock,
        )
        self.clock, self.answered = clock, -math.inf
        self._numbers = itertools.count(1)
        self._closed: BaseException | None = None

    def number(self) -> int:
        """A number for a call, which no other has."""
        return next(self._numbers)

    def close(self, error: BaseException) -> None:
        """Let no further attempt begin: all calls that wait, and later ones, raise this error, or an earlier one."""
        if self._closed is None:
            self._closed = error

    def check(self) -> None:
        """Raise the error that the gate was closed with, if it was."""
        if self._closed is not None:
            raise self._closed.with_traceback(None)  # else it grows with each call that raises it


class Gates:
    """The gates of the endpoints that the runs of one process ask. Safe for threads."""

    def __init__(self) -> None:
        self._gates: dict[str, Gate] = {}
        self._closed: BaseException | None = None
        self._lock = threading.Lock()

    def of(self, endpoint: Endpoint, *, parallel: int, patience: Patience) -> Gate:
        """The gate of an address and its key: the one that is there, else one of these figures.

        Of several runs the one that allows the most calls in flight counts, and the patience of the first.
        """
        asked = f"{endpoint} {endpoint.query} {sorted(endpoint.headers.items())}"
        key = hashlib.sha256(asked.encode()).hexdigest()  # no key of an account is kept here
        with self._lock:
            gate = self._gates.setdefault(key, Gate(parallel, patience=patience))
            gate.limiter.widen(parallel)
            if self._closed is not None:
                gate.close(self._closed)
            return gate

    def close(self, error: BaseException) -> None:
        """Close all gates, and those to come, with this error."""
        with self._lock:
            self._closed = self._closed or error
            for gate in self._gates.values():
                gate.close(error)
