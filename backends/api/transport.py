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

import json
import logging
from collections.abc import Callable
from dataclasses import replace
from types import TracebackType

from blackbox.backends.api.answer import Answer, Call
from blackbox.backends.api.endpoint import Endpoint
from blackbox.backends.api.gate import Gate
from blackbox.backends.api.ledger import Ledger, Reservation
from blackbox.backends.api.patience import Patience
from blackbox.backends.api.refusals import error_within, parsed, refusal
from blackbox.backends.api.trial import Again, Read, Trial
from blackbox.backends.api.waiting import pause, retry_after
from blackbox.backends.api.wire import Lost, Reply, Wire
from blackbox.backends.base import Usage
from blackbox.backends.errors import EndpointDownError, GarbageError, KeyRefusedError, QuotaError, StoppedError

log = logging.getLogger(__name__)

_SLOW_DOWN = {429, 503, 529}

_SHORTEST = 1e-3
"""The shortest time-out, s: 0 would be none."""


class Transport:
    """All that goes to one endpoint. Safe for threads; the caller's threads are the only ones.

    Its text holds no key, nor do its errors and logs.
    """

    def __init__(
        self,
        endpoint: Endpoint,
        *,
        ledger: Ledger,
        parallel: int = 16,
        patience: Patience = Patience(),  # noqa: B008 - frozen
        gate: Gate | None = None,
    ) -> None:
        """A transport; nothing is sent yet.

        Args:
            endpoint: where calls go, and the key.
            ledger: the budget.
            parallel: calls in flight, at most.
            patience: with the endpoint.
            gate: what calls go through, shared with other transports to the endpoint; None makes one.

        Raises:
            BackendSettingError: `parallel` is less than 1.
        """
        self.ledger, self.parallel = ledger, parallel
        self._endpoint, self._patience = endpoint, patience
        self._gate = gate or Gate(parallel, patience=patience)
        self._clock, self._limiter, self._breaker = self._gate.clock, self._gate.limiter, self._gate.breaker
        self._wire = Wire(endpoint, connections=parallel)
        self._stopped: StoppedError | None = None

    def ask(
        self,
        call: Call,
        read: Read,
        *,
        sending: Callable[[], None] = lambda: None,
        charged: Callable[[Usage], None] = lambda usage: None,
    ) -> Answer:
        """The answer to a call. Its usage is that of the attempt which was answered; the ledger has the others too.

        A `SpentError` is this call's alone: one that costs less may still fit. A used-up quota and a key that is
        refused (401) are for all that share the gate, an endpoint that is down for all of this transport: calls that
        wait, and all later ones, raise the same; those in flight still bring what is paid for.

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
        trial = Trial(call, payload, read, sending, charged, self._gate.number())
        try:
            while True:
                self._check()
                outcome = self._attempt(trial)
                if isinstance(outcome, Answer):
                    return outcome
                log.debug("%s: %s", self._endpoint, outcome.why)
                if (seconds := self._seconds_until_next(outcome, trial)) > 0:
                    pause(seconds, self._check, clock=self._clock)
        except QuotaError as error:
            self._gate.close(error)
            raise
        except KeyRefusedError as error:
            if error.status == 401:  # what a filter refuses in one row may be a 403
                self._gate.close(error)
            raise
        except EndpointDownError as error:
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
        self._gate.check()
        if self._stopped is not None:
            raise self._stopped.with_traceback(None)  # else it grows with each call that raises it
        self.ledger.check_time()

    def _seconds_until_next(self, again: Again, trial: Trial) -> float:
        self._check()
        return trial.seconds_until_next(again, self._gate, self._patience, endpoint=str(self._endpoint))

    def _attempt(self, trial: Trial) -> Answer | Again:
        """One request, once it is its turn."""
        with (
            self.ledger.reserve(trial.call.most, check=self._check) as reservation,
            self._limiter.slot(self._check) as burst,
        ):
            if self._breaker.enter(trial.number, self._check):
                trial.begin_anew()
            try:
                self._check()
                return self._exchange(trial, reservation, burst)
            finally:
                self._breaker.left(trial.number)

    def _exchange(self, trial: Trial, reservation: Reservation, burst: int) -> Answer | Again:
        """Send, and make sense of what comes back. The reservation has ended afterwards, however this ends."""
        trial.sending()
        began = self._clock()
        try:
            seconds = max(min(self._patience.call_seconds, self.ledger.seconds_left), _SHORTEST)
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

    def _lost(self, lost: Lost, trial: Trial, reservation: Reservation, burst: int) -> Again:
        if not lost.sent:
            reservation.release()
            trial.charged(Usage())
        if lost.lasting:
            raise EndpointDownError(f"{self._endpoint}: {lost.why}")
        if lost.timed_out:
            self._limiter.limited(burst)
        return self._failed(lost.why, trial, reached=lost.sent)

    def _read(self, reply: Reply, trial: Trial, reservation: Reservation, burst: int, began: float) -> Answer | Again:
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
        answered = self._gate.answered = self._clock()
        usage = reservation.settle(replace(usage, requests=1, seconds=answered - began))
        self._breaker.succeeded(trial.number)
        self._limiter.succeeded()
        self._limiter.told(reply.headers, tokens=usage.prompt_tokens + usage.completion_tokens)
        return replace(answer, usage=usage)

    def _refused(self, reply: Reply, trial: Trial, burst: int) -> Again:
        if reply.status < 500:
            self._breaker.succeeded(trial.number)
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
        return Again(why, limited, seconds)

    def _failed(self, why: str, trial: Trial, *, reached: bool = True) -> Again:
        self._breaker.failed(trial.number, why, in_flight=self._limiter.in_flight, reached=reached)
        return Again(why)


def _checked(usage: Usage) -> Usage:
    """A usage that can be written down.

    Raises:
        GarbageError: a number of tokens that is none.
    """
    counts = (usage.prompt_tokens, usage.completion_tokens, usage.cached_tokens)
    if not all(type(count) is int and count >= 0 for count in counts):
        raise GarbageError(f"the usage must have whole numbers of tokens, got {counts}")
    return usage
