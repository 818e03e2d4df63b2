"""What stands in the folders of the runs of a sweep."""

from dataclasses import dataclass

from blackbox.errors import RunError
from blackbox.figures import Figure
from blackbox.run_folder import RunFolder
from blackbox.summary import Summary
from blackbox.sweeps.budget import WHOSE
from blackbox.sweeps.plan import PlannedRun

WAITING, NO_BUDGET = "waiting", "no budget"


@dataclass(frozen=True, eq=False)
class RunRecord:
    """A run of a sweep as it stands.

    Attributes:
        run: as planned.
        summary: of what there is; None where the run was not begun or cannot be read.
        error: why its last attempt failed; None where it did not, or there was none in this session.
        left_out: why it was not done for lack of budget, if so.
    """

    run: PlannedRun
    summary: Summary | None = None
    error: str | None = None
    left_out: str | None = None

    @property
    def status(self) -> str:
        """That of the summary, "failed" where an attempt ended before there was one, "no budget" or "waiting"."""
        if self.left_out is not None:
            return NO_BUDGET
        if self.error is not None:
            return "failed"
        return self.summary.status if self.summary else WAITING

    @property
    def succeeded(self) -> bool:
        """Whether there is nothing left to do."""
        return self.status == "succeeded"

    @property
    def cut(self) -> str | None:
        """The limit of the sweep's budget that ended its search, if one did: "usd of the sweep"."""
        reason = self.summary.stop_reason if self.summary and self.succeeded else None
        return reason if reason and reason.endswith(f" of {WHOSE}") else None

    @property
    def found(self) -> Figure | None:
        """Of a run that has succeeded, what the prompt that it found is worth on the test rows."""
        return self.summary.figure_after if self.summary and self.succeeded else None

    @property
    def start(self) -> Figure | None:
        """The same of the prompt that it started from."""
        return self.summary.figure_before if self.summary and self.succeeded else None


def read_record(run: PlannedRun, *, error: str | None = None, left_out: str | None = None) -> RunRecord:
    """A run as its folder says; one that cannot be read is left to a worker, which says what is wrong."""
    folder = RunFolder(run.folder)
    if not folder.holds_run:
        return RunRecord(run, None, error, left_out)
    try:
        return RunRecord(run, folder.read_summary(), error, left_out)
    except RunError:
        return RunRecord(run, None, error, left_out)
