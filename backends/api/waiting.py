"""How long to wait: as the endpoint says, or longer and longer by chance."""

import math
import random
import re
import threading
import time
from collections.abc import Callable, Mapping
from email.utils import parsedate_to_datetime

TICK = 0.1
"""Whoever waits looks up this often, s: for Ctrl-C, for a stop and for the clock."""

LONGEST = 120.0
"""No endpoint is waited for longer than this at one go, s; then it is asked again."""

_UNITS = {"h": 3600.0, "m": 60.0, "s": 1.0, "ms": 1e-3}
_SPAN = re.compile(r"(?:\d+(?:\.\d+)?(?:ms|h|m|s))+")
_PART = re.compile(r"(\d+(?:\.\d+)?)(ms|h|m|s)")
_NUMBER = re.compile(r"[-+]?\d+(?:\.\d+)?")


def retry_after(headers: Mapping[str, str], *, longest: float = LONGEST, now: float | None = None) -> float | None:
    """How long the endpoint asks to wait, s; None where it does not say.

    `retry-after-ms` goes before `retry-after`, which is a number of seconds, a span or an HTTP date.

    Args:
        headers: names in small letters, or a mapping that does not tell them apart.
        longest: s; more is cut to this, less than 0 is 0.
        now: seconds since 1970 that an HTTP date is compared with; the time of day by default.
    """
    milliseconds = number(headers.get("retry-after-ms"))
    if milliseconds is not None:
        return _cut(milliseconds / 1e3, longest)
    text = headers.get("retry-after")
    seconds = number(text)
    if seconds is None:
        seconds = span(text)
    if seconds is None:
        seconds = _until(text, time.time() if now is None else now)
    return None if seconds is None else _cut(seconds, longest)


def span(text: str | None) -> float | None:
    """Seconds of a span such as "1s", "6m0s", "12ms" or "1h2m3.5s"; a plain number is seconds. None for other text."""
    plain = number(text)
    if plain is not None:
        return plain
    if text is None or not _SPAN.fullmatch(text.strip()):
        return None
    return sum(float(figure) * _UNITS[unit] for figure, unit in _PART.findall(text))


def number(text: str | None) -> float | None:
    """The number that a header holds; None where it holds none."""
    return float(text) if text is not None and _NUMBER.fullmatch(text := text.strip()) else None


def _until(text: str | None, now: float) -> float | None:
    """Seconds from now to an HTTP date."""
    try:
        return None if text is None else parsedate_to_datetime(text).timestamp() - now
    except (ValueError, OverflowError):
        return None


def _cut(seconds: float, longest: float) -> float:
    return min(max(seconds, 0.0), longest) if math.isfinite(seconds) else longest


class Backoff:
    """Full jitter: a wait by chance between 0 and a bound that doubles with each failure.

    https://aws.amazon.com/blogs/architecture/exponential-backoff-and-jitter/
    """

    def __init__(self, first: float = 0.5, longest: float = 30.0, *, seed: int | None = None) -> None:
        """`first` and `longest` are the bounds after the first failure and after many, s."""
        self._first, self._longest = first, longest
        self._random = random.Random(seed)

    def seconds(self, failures: int) -> float:
        """How long to wait after so many failures (1 or more), s."""
        return self._random.uniform(0.0, min(self._longest, self._first * 2.0 ** min(failures - 1, 60)))


def pause(seconds: float, check: Callable[[], None], *, clock: Callable[[], float] = time.monotonic) -> None:
    """Wait. `check` is called at every `TICK`; an error that it raises ends the wait, and so does Ctrl-C."""
    end = clock() + seconds
    never = threading.Event()
    check()
    while (left := end - clock()) > 0:
        never.wait(min(left, TICK))
        check()
