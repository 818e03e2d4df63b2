"""What is spent and what is set aside, against limits; an account may stand within a wider one.

A run has an account of its own, and that may stand within the account of a sweep. What a call may cost at most is set
aside in both or in neither: they have one lock, so that nobody holds the one and waits for the other.
"""

import math
import threading
import time
from collections.abc import Callable

from blackbox.backends.api.limits import COUNTED, Amounts, Limits, counted, unit
from blackbox.backends.base import Usage
from blackbox.backends.errors import SpentError

_NOTHING: Amounts = (0.0,) * len(COUNTED)


class Account:
    """The amounts of all calls, whatever the price of each. Whoever changes them holds `changed`.

    Attributes:
        limits: of all calls.
        within: the wider account, if there is one.
        changed: the lock of this account and of those around it; told of every call that has ended.
        spent: what all calls that have ended did cost, or may have.
        refused: the first refusal for a limit of this account, not of a wider one; None before there was one.
    """

    def __init__(
        self,
        limits: Limits,
        *,
        spent: Usage = Usage(),  # noqa: B008 - frozen
        elapsed: float = 0.0,
        whose: str = "",
        within: "Account | None" = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """An account, begun or continued.

        Args:
            limits: of all calls.
            spent: by earlier sessions.
            elapsed: seconds that earlier sessions took.
            whose: it is, where refusals must tell it from others: "the sweep".
            within: a wider account.
            clock: seconds from any moment.
        """
        self.limits, self.within, self.spent = limits, within, spent
        self.changed: threading.Condition = within.changed if within else threading.Condition()
        self.refused: SpentError | None = None
        self._limits = tuple(getattr(limits, name) for name in COUNTED)
        self._whose = f" of {whose}" if whose else ""
        self._clock, self._began = clock, clock() - elapsed
        self._reserved, self._in_flight = _NOTHING, 0

    @property
    def elapsed(self) -> float:
        """Seconds since the first start, earlier sessions' included."""
        return self._clock() - self._began

    @property
    def seconds_left(self) -> float:
        """Seconds up to the first limit, 0 at least; infinite where there is none."""
        own = math.inf if self.limits.seconds is None else max(0.0, self.limits.seconds - self.elapsed)
        return min(own, self.within.seconds_left) if self.within else own

    def check_time(self) -> None:
        """Raise where the time is up.

        Raises:
            SpentError: a limit of seconds is reached.
        """
        if self.limits.seconds is not None and self.elapsed >= self.limits.seconds:
            self._refuse(f"the limit of {self.limits.seconds:g} s{self._whose} is reached", "seconds")
        if self.within:
            self.within.check_time()

    def check(self, amounts: Amounts) -> None:
        """Raise where a call would not fit even if nothing were in flight.

        Raises:
            SpentError: a limit could be passed.
        """
        for name, limit, used, amount in zip(COUNTED, self._limits, counted(self.spent), amounts, strict=True):
            if limit is not None and used + amount > limit:
                self._refuse(
                    f"the limit of {limit:g} {unit(name)}{self._whose} would be passed: "
                    f"{used:.6g} spent, and the next call may cost {amount:.6g}",
                    name,
                )
        if self.within:
            self.within.check(amounts)

    def fits(self, amounts: Amounts) -> bool:
        """Whether a call fits beside what is spent and what is set aside."""
        sums = zip(self._limits, counted(self.spent), self._reserved, amounts, strict=True)
        own = all(limit is None or used + held + amount <= limit for limit, used, held, amount in sums)
        return own and (self.within is None or self.within.fits(amounts))

    def hold(self, amounts: Amounts) -> None:
        """Set aside."""
        self._reserved = _added(self._reserved, amounts)
        self._in_flight += 1
        if self.within:
            self.within.hold(amounts)

    def close(self, reserved: Amounts, usage: Usage) -> None:
        """Put what was spent in the place of what was set aside."""
        self.spent = self.spent + usage
        self._in_flight -= 1
        # With nothing in flight nothing is set aside: rounding must not add up, or a wait might never end.
        self._reserved = _added(self._reserved, tuple(-one for one in reserved)) if self._in_flight else _NOTHING
        if self.within:
            self.within.close(reserved, usage)

    def _refuse(self, why: str, limit: str) -> None:
        error = SpentError(why, limit=f"{limit}{self._whose}")
        self.refused = self.refused or error
        raise error


def _added(one: Amounts, other: Amounts) -> Amounts:
    return tuple(a + b for a, b in zip(one, other, strict=True))
