"""The contract of a pool, which does the runs of a sweep, and the plainest one."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

from blackbox.sweeps.plan import PlannedRun
from blackbox.sweeps.worker import Worker


@dataclass(frozen=True)
class Began:
    """A worker has taken a run."""

    run: PlannedRun


@dataclass(frozen=True)
class Ended:
    """A run has ended; `error` says in one line why it failed, None that it succeeded."""

    run: PlannedRun
    error: str | None


@dataclass(frozen=True)
class LeftOut:
    """A run is not done for lack of budget; `why` says in one line which limit it is. It may have begun before."""

    run: PlannedRun
    why: str


Event = Began | Ended | LeftOut
Tell = Callable[[Event], None]


class Pool(Protocol):
    """Has one or many workers, each a `Worker`, and gives each one run at a time."""

    def run(self, runs: Sequence[PlannedRun], tell: Tell) -> None:
        """Do all runs, in their order as far as workers are free.

        `tell` is called in the caller's thread, with `Began` and later `Ended` once for each run and the very objects
        of `runs`; or with `LeftOut`, with or without a `Began` before it. A run that fails, or whose worker is lost,
        ends with an error; the others go on.

        Raises:
            KeyboardInterrupt: the user stopped the sweep. Runs under way have been stopped as one run would be; no
                worker is left.
        """
        ...


class OneByOne(Pool):
    """Does them in this process."""

    def run(self, runs: Sequence[PlannedRun], tell: Tell) -> None:
        worker = Worker()
        for run in runs:
            tell(Began(run))
            tell(Ended(run, worker.attempt(run)))
