"""The hard budget over all calls.

Before a request is sent, what it may cost at most is set aside; when its outcome is known, what it did cost takes that
place. So the sum of what is spent and what is in flight never passes a limit, whatever fails and however many threads
ask. Only an endpoint that uses more than it was asked for could pass one; that is written down as it is, and logged.
"""

import logging
import threading
import time
from collections.abc import Callable
from copy import copy
from types import TracebackType

from blackbox.backends.api.account import Account
from blackbox.backends.api.limits import COUNTED, Amounts, Limits, counted, unit
from blackbox.backends.api.pricing import Price
from blackbox.backends.api.waiting import TICK
from blackbox.backends.base import Usage
from blackbox.backends.errors import BackendSettingError

log = logging.getLogger(__name__)


class Ledger:
    """The account of a run, and what a token of one model costs. Safe for threads.

    Models of different prices share one budget: see `at_price`.
    """

    def __init__(
        self,
        limits: Limits,
        price: Price | None = None,
        *,
        spent: Usage = Usage(),  # noqa: B008 - frozen
        elapsed: float = 0.0,
        within: Account | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """A ledger, begun or continued.

        Args:
            limits: of all calls.
            price: makes USD of tokens. Without one the USD are those of the usages themselves.
            spent: by earlier sessions of the same run. A wider account knows it already.
            elapsed: seconds that earlier sessions took.
            within: an account of several runs, whose limits hold as well.
            clock: seconds from any moment.

        Raises:
            BackendSettingError: a USD limit without a price.
        """
        self._account = Account(limits, spent=spent, elapsed=elapsed, within=within, clock=clock)
        check_price(limits, price)
        if within:
            check_price(within.limits, price)
        self.price = price

    def at_price(self, price: Price | None) -> "Ledger":
        """The same ledger for calls to another model: what is spent and set aside at either price counts for both.

        Raises:
            BackendSettingError: a USD limit without a price.
        """
        check_price(self.limits, price)
        if self._account.within:
            check_price(self._account.within.limits, price)
        other = copy(self)
        other.price = price
        return other

    @property
    def limits(self) -> Limits:
        """Of all calls of the run."""
        return self._account.limits

    @property
    def spent(self) -> Usage:
        """What all calls of the run that have ended did cost, or may have."""
        return self._account.spent

    @property
    def elapsed(self) -> float:
        """Seconds since the first start, earlier sessions' included."""
        return self._account.elapsed

    @property
    def seconds_left(self) -> float:
        """Seconds up to the limit, 0 at least; infinite where there is none."""
        return self._account.seconds_left

    def check_time(self) -> None:
        """Raise where the time is up.

        Raises:
            SpentError: a limit of seconds is reached.
        """
        self._account.check_time()

    def reserve(self, most: Usage, *, check: Callable[[], None] | None = None) -> "Reservation":
        """Set aside what one request may cost at most.

        Where only what is set aside for calls in flight stands in the way, this waits until one of them has ended.

        Args:
            most: an upper bound; its seconds do not count.
            check: called while waiting; an error that it raises ends the wait.

        Raises:
            SpentError: a limit could be passed, or the time is up.
        """
        account, amounts = self._account, (*counted(most)[:-1], self.cost(most))
        with account.changed:
            while True:
                account.check_time()
                account.check(amounts)
                if account.fits(amounts):
                    break
                if check is not None:
                    check()
                account.changed.wait(TICK)
            account.hold(amounts)
        return Reservation(self, amounts)

    def cost(self, usage: Usage) -> float:
        """USD of a usage: from the price, if there is one."""
        return usage.usd if self.price is None else self.price.usd(usage)

    def _close(self, reserved: Amounts, usage: Usage) -> None:
        with self._account.changed:
            self._account.close(reserved, usage)
            self._account.changed.notify_all()


class Reservation:
    """What is set aside for one request. It ends once: by `settle`, `charge` or `release`; what comes later is nothing.

    As a context manager it ends with `release` where nothing else was said.
    """

    def __init__(self, ledger: Ledger, amounts: Amounts) -> None:
        """`Ledger.reserve` makes reservations."""
        self._ledger, self._amounts = ledger, amounts
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
            f"{used:.6g} {unit(name)} of {held:.6g}"
            for name, used, held in zip(COUNTED, counted(priced), self._amounts, strict=True)
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


def check_price(limits: Limits, price: Price | None) -> None:
    """Refuse a limit that cannot be kept.

    Raises:
        BackendSettingError: a USD limit without a price.
    """
    if limits.usd is not None and price is None:
        raise BackendSettingError(
            f"a limit of {limits.usd} USD needs the model's price, which is not known here; "
            "give the USD per million tokens of prompts and completions, or limit tokens instead"
        )
