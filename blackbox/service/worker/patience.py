"""Waits for a database that is away: a restart of PostgreSQL ends no run."""

import logging
import time
from collections.abc import Callable
from typing import TypeVar

from blackbox.service.errors import DatabaseError

log = logging.getLogger(__name__)

Value = TypeVar("Value")

_FIRST_S, _LONGEST_S = 0.2, 10.0


def patiently(call: Callable[[], Value], *, seconds: float, hurried: Callable[[], bool] = lambda: False) -> Value:
    """What a call returns, which is made again for so long as the database does not answer.

    Args:
        call: must do no harm when it is made twice.
        seconds: to wait at most.
        hurried: whether to wait no longer, for the worker shall end.

    Raises:
        DatabaseError: it has not answered for `seconds`, or there is no time to wait.
    """
    until, pause = time.monotonic() + seconds, _FIRST_S
    while True:
        try:
            return call()
        except DatabaseError as error:
            if hurried() or time.monotonic() + pause > until:
                raise
            log.warning("%s; trying again", error)
            time.sleep(pause)
            pause = min(2 * pause, _LONGEST_S)
