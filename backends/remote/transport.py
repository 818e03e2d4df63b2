"""Calls to a model server, each until it is answered or cannot be.

A call is pure: the same call always has the same answer, so whatever went wrong on the way, it may be sent again. A
server joins a call that is sent again to the one that it works on.

| what comes back                           | then                                                               |
|-------------------------------------------|--------------------------------------------------------------------|
| an answer                                 | it is given back                                                   |
| 429, 503: the server is busy              | waited for as long as it says                                      |
| no connection, a broken one, a time-out   | sent again; where all calls fail, one at a time tries (`breaker`)  |
| another 5xx                               | sent again, a few times                                            |
| a refusal of the model                    | the error that the model raised                                    |
| another model than the call is for        | `StoppedError`                                                     |
| 401, 403                                  | `KeyRefusedError`; `StoppedError` where the key was taken before   |
| another 3xx or 4xx                        | `RefusedError`                                                     |
"""

import itertools
import logging
import time
from collections.abc import Callable
from dataclasses import dataclass

from blackbox.backends.api.breaker import Breaker
from blackbox.backends.api.endpoint import Endpoint
from blackbox.backends.api.refusals import refusal
from blackbox.backends.api.waiting import Backoff, pause, retry_after
from blackbox.backends.api.wire import Lost, Reply, Wire
from blackbox.backends.errors import (
    BackendSettingError,
    EndpointDownError,
    EndpointError,
    KeyRefusedError,
    StoppedError,
)
from blackbox.backends.remote.container import MEDIA_TYPE
from blackbox.backends.remote.refusals import OTHER_MODEL, code_of, raised

log = logging.getLogger(__name__)

MOST_BYTES = 512 * 1024 * 1024
"""An answer is not longer than this; the keys and values of a prefix are the longest."""

ATTEMPTS = 4
"""A call that the server fails at so often fails."""

_BUSY = {429, 503}


@dataclass(frozen=True)
class _Again:
    """An attempt that was no success.

    Attributes:
        why: in words.
        seconds: that the server asks to wait.
        failed: whether the server has failed at this very call.
    """

    why: str
    seconds: float | None = None
    failed: bool = False


class Transport:
    """All that goes to one model server. Safe for threads; the caller's threads are the only ones.

    Args:
        base_url: of the server, with or without "/v1".
        key: the token that the server wants; None is none.
        parallel: connections that are kept.
        call_seconds: for one attempt as a whole.
        outage_seconds: how long a server that cannot be reached, or says that it is busy, is waited for.
        backoff: between the attempts of a call.
        try_seconds: from the beginning of an outage to the first try, and the longest between two.
        clock: seconds from any moment.

    Raises:
        BackendSettingError: a figure that is not positive, or as `Endpoint` says.
    """

    def __init__(
        self,
        base_url: str,
        *,
        key: str | None = None,
        parallel: int = 16,
        call_seconds: float = 60.0,
        outage_seconds: float = 600.0,
        backoff: Backoff | None = None,
        try_seconds: tuple[float, float] = (1.0, 30.0),
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        for name, value in (("call_seconds", call_seconds), ("outage_seconds", outage_seconds), ("parallel", parallel)):
            if not value > 0:
                raise BackendSettingError(f"{name} must be above 0, got {value}")
        headers = {"Content-Type": MEDIA_TYPE, **({"Authorization": f"Bearer {key}"} if key else {})}
        self._endpoint = Endpoint(_root(base_url), headers)
        self._wire = Wire(self._endpoint, connections=parallel, most_bytes=MOST_BYTES)
        self._call_seconds, self._outage_seconds, self._clock = call_seconds, outage_seconds, clock
        self._backoff = backoff or Backoff()
        self._breaker = Breaker(
            outage_seconds=outage_seconds, first_seconds=try_seconds[0], longest_seconds=try_seconds[1], clock=clock
        )
        self._numbers = itertools.count(1)
        self._stopped: StoppedError | None = None
        self._taken = False  # whether the server has answered, and so taken the key

    def first(self, path: str) -> bytes:
        """The answer to a GET without much patience: whether there is a server is asked before a run begins.

        Raises:
            EndpointError: there is none, or it refuses the key.
        """
        last = ""
        for attempt in range(ATTEMPTS):
            reply = self._wire.get(path, seconds=self._call_seconds)
            outcome = self._outcome(reply)
            if isinstance(outcome, bytes):
                return outcome
            last = outcome.why
            if attempt < ATTEMPTS - 1:
                pause(outcome.seconds or self._backoff.seconds(1), lambda: None, clock=self._clock)
        raise EndpointError(f"{self._endpoint} cannot be asked: {last}; does `blackbox serve-model` run there?")

    def ask(self, path: str, body: bytes) -> bytes:
        """The answer to a POST.

        Raises:
            StoppedError: for all calls: the server has another model by now, takes the key no longer, is not to be had
                for longer than it may, or fails at a call.
            RefusedError: the server refuses the call itself.
            BackendError: what the model raises.
        """
        try:
            return self._answer(path, body, next(self._numbers))
        except StoppedError as error:
            self._stopped = self._stopped or error
            raise

    def close(self) -> None:
        """Close the connections."""
        self._wire.close()

    def __str__(self) -> str:
        return str(self._endpoint)

    def __repr__(self) -> str:
        return f"Transport({str(self._endpoint)!r})"

    def _answer(self, path: str, body: bytes, caller: int) -> bytes:
        failures, tries, since = 0, 0, self._clock()
        while True:
            self._check()
            if self._breaker.enter(caller, self._check):
                failures, tries, since = 0, 0, self._clock()  # those were the outage's
            try:
                outcome = self._outcome(self._wire.post(path, body, seconds=self._call_seconds), caller)
            finally:
                self._breaker.left(caller)
            if isinstance(outcome, bytes):
                return outcome
            log.debug("%s: %s", self._endpoint, outcome.why)
            failures, tries = failures + outcome.failed, tries + 1
            if failures >= ATTEMPTS:
                raise StoppedError(f"{self._endpoint} fails at a call: {outcome.why}; its log says why")
            if self._clock() - since > self._outage_seconds and not self._breaker.is_open:
                raise EndpointDownError(
                    f"{self._endpoint} has not answered a call in {self._outage_seconds:g} s; the last: {outcome.why}"
                )
            if not self._breaker.is_open:
                wait = self._backoff.seconds(tries) if outcome.seconds is None else outcome.seconds
                pause(wait, self._check, clock=self._clock)

    def _check(self) -> None:
        """What ends every wait."""
        if self._stopped is not None:
            raise self._stopped.with_traceback(None)

    def _outcome(self, reply: Reply | Lost, caller: int = 0) -> bytes | _Again:
        if isinstance(reply, Lost):
            if reply.lasting:
                raise EndpointDownError(f"{self._endpoint}: {reply.why}")
            self._breaker.failed(caller, reply.why, reached=reply.sent)
            return _Again(reply.why)
        if 200 <= reply.status < 300:
            self._taken = True
            self._breaker.succeeded(caller)
            return reply.body
        return self._refused(reply, caller)

    def _refused(self, reply: Reply, caller: int) -> _Again:
        code, message = code_of(reply.body)
        if code == OTHER_MODEL:
            raise StoppedError(f"{self._endpoint}: {message}")
        if (error := raised(reply.body)) is not None:
            self._breaker.succeeded(caller)
            raise error
        why = f"it answered {reply.status}" + (f": {self._endpoint.hide(message)}" if message else "")
        if reply.status in _BUSY:
            self._breaker.succeeded(caller)
            return _Again(why, retry_after(reply.headers))
        refused = refusal(reply.status, reply.body, self._endpoint)
        if refused is None:
            self._breaker.failed(caller, why)
            return _Again(why, failed=True)
        self._breaker.succeeded(caller)
        if isinstance(refused, KeyRefusedError) and self._taken:
            raise StoppedError(f"{refused}; it took the key before") from refused
        raise refused


def _root(base_url: str) -> str:
    """The URL without the "/v1" that other endpoints have in theirs: paths bring it."""
    return base_url.rstrip("/").removesuffix("/v1")
