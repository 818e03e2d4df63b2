"""Ids that sort by time, and secrets."""

import secrets
import threading
import time

_LOCK = threading.Lock()
_last = 0


def new_id(kind: str) -> str:
    """`kind-` with 14 digits of the time in microseconds and 12 random ones, hexadecimal: later ids are greater."""
    global _last  # noqa: PLW0603 - the clock may give the same moment twice
    with _LOCK:
        _last = max(_last + 1, time.time_ns() // 1000)
        return f"{kind}-{_last:014x}{secrets.token_hex(6)}"
