"""What stands in the folders of the runs of a sweep."""

from dataclasses import dataclass

from blackbox.errors import RunError
from blackbox.figures import Figure
from blackbox.run_folder import RunFolder
from blackbox.summary import Summary
from blackbox.sweeps.plan import PlannedRun

WAITING = "waiting"


@dataclass(frozen=True, eq=False)
class RunRecord:
    """A run of a sweep as it stands.

    Attributes:
        run: as planned.
        summary: of what there is; None where the run was not begun or cannot be read.
        error: why its last attempt failed; None where it did not, or there was none in this session.
    """

    run: PlannedRun
    summary: Summary | None = None
    error: str | None = None

    @property
    def status(self) -> str:
        """That of the summary, "failed" where an attempt ended before there was one, or "waiting"."""
        if self.error is not None:
            return "failed"
        return self.summary.status if self.summary else WAITING

    @property
    def succeeded(self) -> bool:
        """Whether there is nothing left to do."""
        return self.status == "succeeded"

    @property
    def found(self) -> Figure | None:
        """Of a run that has succeeded, what the prompt that it found is worth on the test rows."""
        return self.summary.figure_after if self.summary and self.succeeded else None

    @property
    def start(self) -> Figure | None:
        """The same of the prompt that it started from."""
        return self.summary.figure_before if self.summary and self.succeeded else None


def read_record(run: PlannedRun, *, error: str | None = None) -> RunRecord:
    """A run as its folder says; one that cannot be read is left to a worker, which says what is wrong."""
    folder = RunFolder(run.folder)
    if not folder.holds_run:
        return RunRecord(run, error=error)
    try:
        return RunRecord(run, folder.read_summary(), error)
    except RunError:
        return RunRecord(run, error=error)
