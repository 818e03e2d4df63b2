"""What pays for the runs of a sweep that ask endpoints: limits and outages in one place, and one account."""

from collections.abc import Sequence
from pathlib import Path

from blackbox.errors import DamagedFileError
from blackbox.files import read_json, write_json
from blackbox.shared_endpoints import SharedEndpoints
from blackbox.sweeps.account import open_account
from blackbox.sweeps.budget import Bill, SweepBudget
from blackbox.sweeps.checks import Checked
from blackbox.sweeps.dealing import Dealt
from blackbox.sweeps.pool import Pool
from blackbox.sweeps.threads import Threads


class Till:
    """One session's; the seconds that earlier ones took stand in `seconds.json`, about one short after a kill.

    Args:
        budget: of the sweep.
        runs: all of it.
        home: its folder.

    Raises:
        JournalError: the journal of a run cannot be read.
        DamagedFileError: the seconds cannot.
    """

    def __init__(self, budget: SweepBudget, runs: Sequence[Checked], home: Path) -> None:
        from blackbox.backends.api import Gates

        self._budget, self._path = budget, home / "seconds.json"
        self._account = open_account(budget, runs, elapsed=_seconds(self._path))
        self._shared = SharedEndpoints(Gates(), self._account)

    @property
    def bill(self) -> Bill:
        """As it stands."""
        return Bill(self._account.spent, self._account.elapsed, self._budget)

    def dealt(self, pool: Pool, count: int) -> Pool:
        """A pool that does runs which ask endpoints, so many at once, and leaves the others to `pool`."""
        return Dealt(Threads(count, self._shared, beat=self._keep), pool)

    def _keep(self) -> None:
        write_json(self._path, {"seconds": self._account.elapsed})


def _seconds(path: Path) -> float:
    if not path.exists():
        return 0.0
    seconds = read_json(path).get("seconds")
    if not isinstance(seconds, int | float):
        raise DamagedFileError(f"{path} is damaged: it has no seconds; what the sweep has taken so far is not known")
    return float(seconds)
