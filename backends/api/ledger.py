"""The hard budget over all calls.

Before a request is sent, what it may cost at most is set aside; when its outcome is known, what it did cost takes that
place. So the sum of what is spent and what is in flight never passes a limit, whatever fails and however many threads
ask. Only an endpoint that uses more than it was asked for could pass one; that is written down as it is, and logged.
"""

import logging
import math
import threading
import time
from collections.abc import Callable
from copy import copy
from dataclasses import dataclass, fields
from types import TracebackType

from blackbox.backends.api.pricing import Price
from blackbox.backends.api.waiting import TICK
from blackbox.backends.base import Usage
from blackbox.backends.errors import BackendSettingError, SpentError

log = logging.getLogger(__name__)

COUNTED = ("requests", "prompt_tokens", "completion_tokens", "usd")
"""What is set aside for a call; the order of the amounts within this file."""

Amounts = tuple[float, ...]


@dataclass(frozen=True)
class Limits:
    """What all calls together may cost; None is no limit.

    Attributes:
        requests: HTTP requests, each attempt one.
        prompt_tokens: of all prompts, cached ones too.
        completion_tokens: of all that was written.
        usd: USD.
        seconds: from the first start, on the wall; a call that is in flight then is cut off.
    """

    requests: int | None = None
    prompt_tokens: int | None = None
    completion_tokens: int | None = None
    usd: float | None = None
    seconds: float | None = None

    def __post_init__(self) -> None:
        """Check the limits.

        Raises:
            BackendSettingError: one is not a positive number.
        """
        for field in fields(self):
            limit = getattr(self, field.name)
            if limit is not None and not (math.isfinite(limit) and limit > 0):
                raise BackendSettingError(f"the limit {field.name} must be above 0, or None for no limit; got {limit}")


class _Book:
    """The amounts of all calls, whatever the price of each."""

    def __init__(self, spent: Usage) -> None:
        self.spent = spent
        self.reserved: Amounts = (0.0,) * len(COUNTED)
        self.in_flight = 0
        self.changed = threading.Condition()


class Ledger:
    """What was spent, what is set aside for calls in flight, and the limits of their sum. Safe for threads.

    Models of different prices share one budget: see `at_price`.
    """

    def __init__(
        self,
        limits: Limits,
        price: Price | None = None,
        *,
        spent: Usage = Usage(),  # noqa: B008 - frozen
        elapsed: float = 0.0,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """A ledger, begun or continued.

        Args:
            limits: of all calls.
            price: makes USD of tokens. Without one the USD are those of the usages themselves.
            spent: by earlier sessions of the same run.
            elapsed: seconds that earlier sessions took.
            clock: seconds from any moment.

        Raises:
            BackendSettingError: a USD limit without a price.
        """
        _check_price(limits, price)
        self.limits, self.price = limits, price
        self._clock, self._began = clock, clock() - elapsed
        self._limits = tuple(getattr(limits, name) for name in COUNTED)
        self._book = _Book(spent)

    def at_price(self, price: Price | None) -> "Ledger":
        """The same ledger for calls to another model: what is spent and set aside at either price counts for both.

        Raises:
            BackendSettingError: a USD limit without a price.
        """
        _check_price(self.limits, price)
        other = copy(self)
        other.price = price
        return other

    @property
    def spent(self) -> Usage:
        """What all calls that have ended did cost, or may have."""
        return self._book.spent

    @property
    def elapsed(self) -> float:
        """Seconds since the first start, earlier sessions' included."""
        return self._clock() - self._began

    @property
    def seconds_left(self) -> float:
        """Seconds up to the limit, 0 at least; infinite where there is none."""
        return math.inf if self.limits.seconds is None else max(0.0, self.limits.seconds - self.elapsed)

    def check_time(self) -> None:
        """Raise where the time is up.

        Raises:
            SpentError: the limit of seconds is reached.
        """
        if self.seconds_left <= 0:
            raise SpentError(f"the limit of {self.limits.seconds:g} s is reached", limit="seconds")

    def reserve(self, most: Usage, *, check: Callable[[], None] | None = None) -> "Reservation":
        """Set aside what one request may cost at most.

        Where only what is set aside for calls in flight stands in the way, this waits until one of them has ended.

        Args:
            most: an upper bound; its seconds do not count.
            check: called while waiting; an error that it raises ends the wait.

        Raises:
            SpentError: a limit could be passed, or the time is up.
        """
        amounts = self._amounts(most)
        with self._book.changed:
            while True:
                self.check_time()
                self._refuse(amounts)
                if self._fits(amounts):
                    break
                if check is not None:
                    check()
                self._book.changed.wait(TICK)
            self._book.reserved = _added(self._book.reserved, amounts)
            self._book.in_flight += 1
        return Reservation(self, most, amounts)

    def cost(self, usage: Usage) -> float:
        """USD of a usage: from the price, if there is one."""
        return usage.usd if self.price is None else self.price.usd(usage)

    def _close(self, reserved: Amounts, usage: Usage) -> None:
        """Put what was spent in the place of what was set aside."""
        book = self._book
        with book.changed:
            book.spent = book.spent + usage
            book.in_flight -= 1
            # With nothing in flight nothing is set aside: rounding must not add up, or a wait might never end.
            negative = tuple(-amount for amount in reserved)
            book.reserved = _added(book.reserved, negative) if book.in_flight else (0.0,) * len(COUNTED)
            book.changed.notify_all()

    def _amounts(self, usage: Usage) -> Amounts:
        return (usage.requests, usage.prompt_tokens, usage.completion_tokens, self.cost(usage))

    def _refuse(self, amounts: Amounts) -> None:
        """Raise where the call would not fit even if nothing were in flight."""
        spent = self._book.spent
        for name, limit, used, amount in zip(COUNTED, self._limits, _counted(spent), amounts, strict=True):
            if limit is not None and used + amount > limit:
                raise SpentError(
                    f"the limit of {limit:g} {_unit(name)} would be passed: "
                    f"{used:.6g} spent, and the next call may cost {amount:.6g}",
                    limit=name,
                )

    def _fits(self, amounts: Amounts) -> bool:
        sums = zip(self._limits, _counted(self._book.spent), self._book.reserved, amounts, strict=True)
        return all(limit is None or used + held + amount <= limit for limit, used, held, amount in sums)


class Reservation:
    """What is set aside for one request. It ends once: by `settle`, `charge` or `release`; what comes later is nothing.

    As a context manager it ends with `release` where nothing else was said.
    """

    def __init__(self, ledger: Ledger, most: Usage, amounts: Amounts) -> None:
        """`Ledger.reserve` makes reservations."""
        self._ledger, self._most, self._amounts = ledger, most, amounts
        self._open, self._lock = True, threading.Lock()

    def settle(self, usage: Usage) -> Usage:
        """The request did cost this much; more than was set aside is written down as well, and logged.

        Returns:
            The usage with its USD by the ledger's price.
        """
        priced = Usage(
            usage.requests,
            usage.prompt_tokens,
            usage.completion_tokens,
            usage.cached_tokens,
            usage.seconds,
            self._ledger.cost(usage),
        )
        over = [
            f"{used:.6g} {_unit(name)} of {held:.6g}"
            for name, used, held in zip(COUNTED, _counted(priced), self._amounts, strict=True)
            if used > held
        ]
        if self._end(priced) and over:
            log.warning("a call cost more than it may: %s", ", ".join(over))
        return priced

    def charge(self, seconds: float = 0.0) -> Usage:
        """What the request cost is not known; the upper bound counts as spent. `seconds` is what it took.

        Returns:
            What counts; nothing where the reservation had ended.
        """
        requests, prompt, completion, usd = self._amounts
        most = Usage(int(requests), int(prompt), int(completion), 0, seconds, usd)
        return most if self._end(most) else Usage()

    def release(self) -> None:
        """The request was never sent: it cost nothing."""
        self._end(Usage())

    def __enter__(self) -> "Reservation":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.release()

    def _end(self, usage: Usage) -> bool:
        with self._lock:
            if not self._open:
                return False
            self._open = False
        self._ledger._close(self._amounts, usage)
        return True


def _check_price(limits: Limits, price: Price | None) -> None:
    if limits.usd is not None and price is None:
        raise BackendSettingError(
            f"a limit of {limits.usd} USD needs the model's price, which is not known here; "
            "give the USD per million tokens of prompts and completions, or limit tokens instead"
        )


def _counted(usage: Usage) -> Amounts:
    return (usage.requests, usage.prompt_tokens, usage.completion_tokens, usage.usd)


def _added(one: Amounts, other: Amounts) -> Amounts:
    return tuple(a + b for a, b in zip(one, other, strict=True))


def _unit(name: str) -> str:
    return "USD" if name == "usd" else name.replace("_", " ")
