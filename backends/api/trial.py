"""One call on its way through its attempts, and how long it waits before the next."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from blackbox.backends.api.answer import Answer, Call
from blackbox.backends.api.gate import Gate
from blackbox.backends.api.patience import Patience
from blackbox.backends.base import Usage
from blackbox.backends.errors import EndpointDownError, NoAnswerError

Read = Callable[[object, Mapping[str, str]], Answer]
"""A dialect's parser: the JSON value and the headers of an answer. It raises `GarbageError` for what is no answer, and
where the endpoint does not tell a usage, it gives the upper bound `Call.most`."""


@dataclass(frozen=True)
class Again:
    """An attempt that was no success, and what the endpoint asked for: `limited` is to wait, without a failure."""

    why: str
    limited: bool = False
    seconds: float | None = None


@dataclass
class Trial:
    """See the module.

    Attributes:
        call: what is sent.
        payload: its body as it goes over the wire.
        read: makes an answer of what comes back.
        sending: called before each attempt is sent.
        charged: told what each attempt without an answer has cost.
        number: of the call at its gate.
        failures: attempts that were the call's own failures.
        refusals: attempts that it was told to make later.
        limited_since: when it was first told so, of late.
    """

    call: Call
    payload: bytes
    read: Read
    sending: Callable[[], None]
    charged: Callable[[Usage], None]
    number: int
    failures: int = 0
    refusals: int = 0
    limited_since: float | None = None

    def begin_anew(self) -> None:
        """What has failed was not the call's failure but an outage."""
        self.failures, self.limited_since = 0, None

    def seconds_until_next(self, again: Again, gate: Gate, patience: Patience, *, endpoint: str) -> float:
        """How long this call waits before its next attempt, beyond what holds back all.

        Raises:
            NoAnswerError, EndpointDownError: there is no next attempt.
        """
        if again.limited:
            self._bear(again, gate, patience, endpoint)
            self.refusals += 1
            return 0.0 if again.seconds is not None else patience.backoff.seconds(self.refusals)
        if gate.breaker.is_open:
            return 0.0
        self.failures += 1
        if self.failures >= patience.attempts:
            raise NoAnswerError(f"{endpoint}: no answer after {self.failures} attempts; the last one: {again.why}")
        return max(patience.backoff.seconds(self.failures), again.seconds or 0.0)

    def _bear(self, again: Again, gate: Gate, patience: Patience, endpoint: str) -> None:
        """Be told to wait, for as long as an outage may last."""
        now = gate.clock()
        if self.limited_since is None:
            self.limited_since = now
        if now - self.limited_since + (again.seconds or 0.0) <= patience.outage_seconds:
            return
        told = f"{endpoint} tells to wait for longer than the {patience.outage_seconds:g} s allowed: {again.why}"
        if gate.answered > self.limited_since:
            raise NoAnswerError(f"{told}; other calls were answered, so this one may be more than it takes at a time")
        raise EndpointDownError(told)
