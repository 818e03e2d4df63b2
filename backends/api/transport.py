"""Calls to an endpoint, each until it is answered or cannot be: within the budget, politely, and through outages.

| what comes back                            | what is spent        | then                                         |
|--------------------------------------------|----------------------|----------------------------------------------|
| an answer                                  | what it says         | it is given back                             |
| 429; 503 and 529 that say how long to wait | one request          | waited for, by all calls if it says how long |
| 408, 409, 425, other 5xx                   | one request          | an attempt of the call                       |
| no connection                              | nothing              | an attempt of the call                       |
| a time-out, a broken connection, garbage   | all that it may cost | an attempt of the call                       |
| a used-up quota                            | one request          | `QuotaError` for all calls                   |
| another 3xx or 4xx                         | one request          | `RefusedError`, `KeyRefusedError` at once    |
| a 200 that holds an error                  | 5xx: all it may cost | as the status that the error names, or 500   |

Attempts while the endpoint fails for all calls are no attempts of the call; see `breaker`.
"""

import itertools
import json
import logging
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from types import TracebackType

from blackbox.backends.api.answer import Answer, Call
from blackbox.backends.api.breaker import Breaker
from blackbox.backends.api.endpoint import Endpoint
from blackbox.backends.api.ledger import Ledger, Reservation
from blackbox.backends.api.limiter import Limiter
from blackbox.backends.api.refusals import error_within, parsed, refusal
from blackbox.backends.api.waiting import Backoff, pause, retry_after
from blackbox.backends.api.wire import Lost, Reply, Wire
from blackbox.backends.base import Usage
from blackbox.backends.errors import (
    BackendSettingError,
    EndpointDownError,
    GarbageError,
    NoAnswerError,
    QuotaError,
    StoppedError,
)

log = logging.getLogger(__name__)

Read = Callable[[object, Mapping[str, str]], Answer]
"""A dialect's parser: the JSON value and the headers of an answer. It raises `GarbageError` for what is no answer, and
where the endpoint does not tell a usage, it gives the upper bound `Call.most`."""

_SLOW_DOWN = {429, 503, 529}

_SHORTEST = 1e-3
"""The shortest time-out, s: 0 would be none."""


@dataclass
class _Trial:
    """One call on its way through its attempts."""

    call: Call
    read: Read
    sending: Callable[[], None]
    charged: Callable[[Usage], None]
    payload: bytes
    number: int
    failures: int = 0
    refusals: int = 0
    limited_since: float | None = None


@dataclass(frozen=True)
class _Again:
    """An attempt that was no success, and what the endpoint asked for: `limited` is to wait, without a failure."""

    why: str
    limited: bool = False
    seconds: float | None = None


class Transport:
    """All that goes to one endpoint. Safe for threads; the caller's threads are the only ones.

    Its text holds no key, nor do its errors and logs.
    """

    def __init__(
        self,
        base_url: str,
        *,
        headers: Mapping[str, str],
        ledger: Ledger,
        parallel: int = 16,
        call_seconds: float = 60.0,
        outage_seconds: float = 600.0,
        attempts: int = 6,
        on_pause: Callable[[bool, str], None] | None = None,
        backoff: Backoff | None = None,
        try_seconds: tuple[float, float] = (1.0, 30.0),
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """A transport; nothing is sent yet.

        Args:
            base_url: of the endpoint, e.g. "https://api.example.com/v1".
            headers: go to each call, the key among them.
            ledger: the budget.
            parallel: calls in flight, at most.
            call_seconds: for one attempt as a whole.
            outage_seconds: the endpoint may fail for all calls, or tell one to wait, for so long.
            attempts: failures of its own after which a call has none left.
            on_pause: told when an outage begins (true) and ends (false), and why. It must return soon.
            backoff: between a call's attempts.
            try_seconds: from the beginning of an outage to the first try, and the longest between two.
            clock: seconds from any moment; a call's own time is on the wall.

        Raises:
            BackendSettingError: a figure that is not positive, or as `Endpoint` says.
        """
        for name, value in (("call_seconds", call_seconds), ("outage_seconds", outage_seconds), ("attempts", attempts)):
            if not value > 0:
                raise BackendSettingError(f"{name} must be above 0, got {value}")
        self.ledger, self.parallel, self._clock = ledger, parallel, clock
        self._call_seconds, self._outage_seconds, self._attempts = call_seconds, outage_seconds, attempts
        self._endpoint = Endpoint(base_url, headers)
        self._limiter = Limiter(parallel, clock=clock)
        self._breaker = Breaker(
            outage_seconds=outage_seconds,
            first_seconds=try_seconds[0],
            longest_seconds=try_seconds[1],
            on_change=on_pause,
            clock=clock,
        )
        self._wire = Wire(self._endpoint, connections=parallel)
        self._backoff = backoff or Backoff()
        self._numbers = itertools.count(1)
        self._stopped: StoppedError | None = None
        self._answered = clock()

    def ask(
        self,
        call: Call,
        read: Read,
        *,
        sending: Callable[[], None] = lambda: None,
        charged: Callable[[Usage], None] = lambda usage: None,
    ) -> Answer:
        """The answer to a call. Its usage is that of the attempt which was answered; the ledger has the others too.

        A `SpentError` is this call's alone: one that costs less may still fit. The other `StoppedError` are for all:
        calls that wait, and all later ones, raise the same; those in flight still bring what is paid for.

        Args:
            call: what is sent.
            read: makes an answer of what comes back.
            sending: called before each attempt is sent; where it raises an error, it is not.
            charged: told what each attempt without an answer has cost, before the next; nothing where it was not sent.

        Raises:
            RefusedError, KeyRefusedError: the endpoint refuses the call, or the key.
            NoAnswerError: all attempts have failed.
            SpentError: a limit of the budget could be passed, or its time is up.
            QuotaError: the account has nothing left.
            EndpointDownError: the endpoint has failed for all calls for too long.
        """
        payload = json.dumps(call.body, allow_nan=False, separators=(",", ":")).encode()
        trial = _Trial(call, read, sending, charged, payload, next(self._numbers))
        try:
            while True:
                self._check()
                outcome = self._attempt(trial)
                if isinstance(outcome, Answer):
                    return outcome
                log.debug("%s: %s", self._endpoint, outcome.why)
                if (seconds := self._seconds_until_next(outcome, trial)) > 0:
                    pause(seconds, self._check, clock=self._clock)
        except (QuotaError, EndpointDownError) as error:
            self.stop(error)
            raise

    @property
    def base_url(self) -> str:
        """Of the endpoint, without what may be secret."""
        return str(self._endpoint)

    def stop(self, error: StoppedError) -> None:
        """Let no further attempt begin: all calls that wait, and later ones, raise this error, or an earlier one."""
        if self._stopped is None:
            self._stopped = error

    def close(self) -> None:
        """Close the connections."""
        self._wire.close()

    def __enter__(self) -> "Transport":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"Transport({str(self._endpoint)!r})"

    def _check(self) -> None:
        """What ends every wait."""
        if self._stopped is not None:
            raise self._stopped.with_traceback(None)  # else it grows with each call that raises it
        self.ledger.check_time()

    def _attempt(self, trial: _Trial) -> Answer | _Again:
        """One request, once it is its turn."""
        with (
            self.ledger.reserve(trial.call.most, check=self._check) as reservation,
            self._limiter.slot(self._check) as burst,
        ):
            if self._breaker.enter(trial.number, self._check):
                trial.failures, trial.limited_since = 0, None  # those were the outage's
            try:
                self._check()
                return self._exchange(trial, reservation, burst)
            finally:
                self._breaker.left(trial.number)

    def _exchange(self, trial: _Trial, reservation: Reservation, burst: int) -> Answer | _Again:
        """Send, and make sense of what comes back. The reservation has ended afterwards, however this ends."""
        trial.sending()
        began = self._clock()
        try:
            seconds = max(min(self._call_seconds, self.ledger.seconds_left), _SHORTEST)
            reply = self._wire.post(trial.call.path, trial.payload, seconds=seconds)
            if isinstance(reply, Lost):
                return self._lost(reply, trial, reservation, burst)
            if 200 <= reply.status < 300:
                return self._read(reply, trial, reservation, burst, began)
            trial.charged(reservation.settle(Usage(requests=1, seconds=self._clock() - began)))
            return self._refused(reply, trial, burst)
        finally:
            if (charged := reservation.charge(self._clock() - began)).requests:
                trial.charged(charged)

    def _lost(self, lost: Lost, trial: _Trial, reservation: Reservation, burst: int) -> _Again:
        if not lost.sent:
            reservation.release()
            trial.charged(Usage())
        if lost.lasting:
            raise EndpointDownError(f"{self._endpoint}: {lost.why}")
        if lost.timed_out:
            self._limiter.limited(burst)
        return self._failed(lost.why, trial, reached=lost.sent)

    def _read(self, reply: Reply, trial: _Trial, reservation: Reservation, burst: int, began: float) -> Answer | _Again:
        try:
            value = parsed(reply.body)
            if (status := error_within(value)) is not None:
                if status < 500:
                    trial.charged(reservation.settle(Usage(requests=1, seconds=self._clock() - began)))
                return self._refused(replace(reply, status=status), trial, burst)
            answer = trial.read(value, reply.headers)
            usage = _checked(answer.usage)
        except GarbageError as error:
            return self._failed(self._endpoint.hide(str(error)), trial)
        self._answered = self._clock()
        usage = reservation.settle(replace(usage, requests=1, seconds=self._answered - began))
        self._breaker.succeeded()
        self._limiter.succeeded()
        self._limiter.told(reply.headers, tokens=usage.prompt_tokens + usage.completion_tokens)
        return replace(answer, usage=usage)

    def _refused(self, reply: Reply, trial: _Trial, burst: int) -> _Again:
        if reply.status < 500:
            self._breaker.succeeded()
        error = refusal(reply.status, reply.body, self._endpoint)
        if error is not None:
            raise error
        seconds = retry_after(reply.headers)
        if reply.status in _SLOW_DOWN:
            self._limiter.limited(burst, seconds)
            most = trial.call.most
            self._limiter.told(reply.headers, tokens=most.prompt_tokens + most.completion_tokens)
        why = f"it answered {reply.status}"
        if reply.status >= 500:
            self._failed(why, trial)
        limited = reply.status == 429 or (reply.status in _SLOW_DOWN and seconds is not None)
        return _Again(why, limited, seconds)

    def _failed(self, why: str, trial: _Trial, *, reached: bool = True) -> _Again:
        self._breaker.failed(trial.number, why, in_flight=self._limiter.in_flight, reached=reached)
        return _Again(why)

    def _seconds_until_next(self, again: _Again, trial: _Trial) -> float:
        """How long this call waits before its next attempt, beyond what holds back all.

        Raises:
            NoAnswerError, EndpointDownError: there is no next attempt.
        """
        self._check()
        if again.limited:
            self._bear(again, trial)
            trial.refusals += 1
            return 0.0 if again.seconds is not None else self._backoff.seconds(trial.refusals)
        if self._breaker.is_open:
            return 0.0
        trial.failures += 1
        if trial.failures >= self._attempts:
            raise NoAnswerError(
                f"{self._endpoint}: no answer after {trial.failures} attempts; the last one: {again.why}"
            )
        return max(self._backoff.seconds(trial.failures), again.seconds or 0.0)

    def _bear(self, again: _Again, trial: _Trial) -> None:
        """Be told to wait, for as long as an outage may last."""
        now = self._clock()
        if trial.limited_since is None:
            trial.limited_since = now
        if now - trial.limited_since + (again.seconds or 0.0) <= self._outage_seconds:
            return
        told = f"{self._endpoint} tells to wait for longer than the {self._outage_seconds:g} s allowed: {again.why}"
        if self._answered > trial.limited_since:
            raise NoAnswerError(f"{told}; other calls were answered, so this one may be more than it takes at a time")
        raise EndpointDownError(told)


def _checked(usage: Usage) -> Usage:
    """A usage that can be written down.

    Raises:
        GarbageError: a number of tokens that is none.
    """
    counts = (usage.prompt_tokens, usage.completion_tokens, usage.cached_tokens)
    if not all(type(count) is int and count >= 0 for count in counts):
        raise GarbageError(f"the usage must have whole numbers of tokens, got {counts}")
    return usage
