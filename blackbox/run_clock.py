"""The time of a run: what has passed, and whether what comes next might pass its limit."""

import time

from blackbox.tally import Tally


class RunClock:
    """Wall time over all sessions of a run, the pauses between them left out.

    Args:
        limit: s; None is no limit.
        earlier: seconds that earlier sessions took.
    """

    def __init__(self, limit: float | None, *, earlier: float) -> None:
        self._limit, self._earlier, self._began = limit, earlier, time.monotonic()

    @property
    def session(self) -> float:
        """Seconds of this session."""
        return time.monotonic() - self._began

    @property
    def elapsed(self) -> float:
        """Seconds since the run began."""
        return self._earlier + self.session

    def late(self, tally: Tally, evaluations: int, *, asking: float) -> bool:
        """Whether asking (s), some evaluations and the last scoring of the test rows might take too long."""
        if self._limit is None or not tally.number:
            return False
        return self.elapsed + asking + evaluations * tally.slowest + tally.test_seconds > self._limit
