"""How long one call to an endpoint is tried: its time, its attempts, and what it waits between them."""

from collections.abc import Callable
from dataclasses import dataclass, field

from blackbox.backends.api.waiting import Backoff
from blackbox.backends.errors import BackendSettingError, EndpointDownError, NoAnswerError


@dataclass(frozen=True)
class Patience:
    """With an endpoint.

    Attributes:
        call_seconds: for one attempt as a whole.
        outage_seconds: the endpoint may fail for all calls, or tell one to wait, for so long.
        attempts: failures of its own after which a call has none left.
        backoff: between a call's attempts.
        try_seconds: from the beginning of an outage to the first try, and the longest between two.

    Raises:
        BackendSettingError: a figure that is not positive.
    """

    call_seconds: float = 60.0
    outage_seconds: float = 600.0
    attempts: int = 6
    backoff: Backoff = field(default_factory=Backoff)
    try_seconds: tuple[float, float] = (1.0, 30.0)

    def __post_init__(self) -> None:
        for name in ("call_seconds", "outage_seconds", "attempts"):
            if not getattr(self, name) > 0:
                raise BackendSettingError(f"{name} must be above 0, got {getattr(self, name)}")


@dataclass(frozen=True)
class Again:
    """An attempt that was no success, and what the endpoint asked for: `limited` is to wait, without a failure."""

    why: str
    limited: bool = False
    seconds: float | None = None


class Tries:
    """Those of one call.

    Args:
        patience: with the endpoint.
        endpoint: named in errors.
        clock: seconds from any moment.
    """

    def __init__(self, patience: Patience, endpoint: object, *, clock: Callable[[], float]) -> None:
        self._patience, self._endpoint, self._clock = patience, endpoint, clock
        self._failures, self._refusals = 0, 0
        self._limited_since: float | None = None

    def begin_anew(self) -> None:
        """What has failed was the outage's, not this call's."""
        self._failures, self._limited_since = 0, None

    def seconds_until_next(self, again: Again, *, outage: bool, answered: float) -> float:
        """How long the call waits before its next attempt, beyond what holds back all.

        Args:
            again: what has come of the last attempt.
            outage: whether the endpoint fails for all calls.
            answered: when it has last answered any call, by the clock.

        Raises:
            NoAnswerError, EndpointDownError: there is no next attempt.
        """
        if again.limited:
            self._bear(again, answered)
            self._refusals += 1
            return 0.0 if again.seconds is not None else self._patience.backoff.seconds(self._refusals)
        if outage:
            return 0.0
        self._failures += 1
        if self._failures >= self._patience.attempts:
            raise NoAnswerError(
                f"{self._endpoint}: no answer after {self._failures} attempts; the last one: {again.why}"
            )
        return max(self._patience.backoff.seconds(self._failures), again.seconds or 0.0)

    def _bear(self, again: Again, answered: float) -> None:
        """Be told to wait, for as long as an outage may last."""
        now, longest = self._clock(), self._patience.outage_seconds
        if self._limited_since is None:
            self._limited_since = now
        if now - self._limited_since + (again.seconds or 0.0) <= longest:
            return
        told = f"{self._endpoint} tells to wait for longer than the {longest:g} s allowed: {again.why}"
        if answered > self._limited_since:
            raise NoAnswerError(f"{told}; other calls were answered, so this one may be more than it takes at a time")
        raise EndpointDownError(told)
