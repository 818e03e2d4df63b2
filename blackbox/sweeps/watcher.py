"""What watches a sweep."""

from collections.abc import Sequence

from blackbox.sweeps.plan import PlannedRun
from blackbox.sweeps.records import RunRecord


class Watcher:
    """Called at the moments of a sweep, in its thread; override what is of interest."""

    def on_start(self, runs: Sequence[PlannedRun], ended: int) -> None:
        """Before the first run of this session: those that are to be done, and how many had succeeded before."""

    def on_began(self, run: PlannedRun) -> None:
        """When a worker has taken a run."""

    def on_ended(self, record: RunRecord) -> None:
        """When a run has succeeded or failed."""

    def on_left_out(self, record: RunRecord) -> None:
        """When a run is not done for lack of budget; it may have begun before."""
