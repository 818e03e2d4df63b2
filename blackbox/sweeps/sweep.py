"""The call that does a sweep, or goes on with one.

A sweep is a folder: `TASK/METHOD/seedN/` for each run, as `tune` makes it; sweep.csv and sweep.json, written anew when
a run ends; report.html and its pictures, when the last has ended. Runs that have succeeded are read, others are gone
on with or begun, so that the same call after a kill, or after a failure, does what is left.

Runs that ask endpoints are done by threads of this process, which keeps to the endpoints' limits and the sweep's budget
in one place; the others by the pool that was chosen.
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from blackbox.errors import SettingError
from blackbox.files import unwritable
from blackbox.locks import lock
from blackbox.report.sweep_page import write_sweep_report
from blackbox.sweeps.account import check_budget
from blackbox.sweeps.budget import Bill
from blackbox.sweeps.checks import Checked, check_runs
from blackbox.sweeps.dealing import asks_endpoint
from blackbox.sweeps.plan import PlannedRun, plan
from blackbox.sweeps.pool import Began, Event, LeftOut, OneByOne, Pool
from blackbox.sweeps.processes import Processes
from blackbox.sweeps.records import RunRecord, read_record
from blackbox.sweeps.spec import Spec, read_spec
from blackbox.sweeps.standings import Standing, standings
from blackbox.sweeps.tables import write_csv, write_standings
from blackbox.sweeps.till import Till
from blackbox.sweeps.watcher import Watcher


@dataclass(frozen=True, eq=False)
class SweepResult:
    """What a sweep has found.

    Attributes:
        name: of the sweep.
        folder: where it is.
        baseline: the method that the others are compared with.
        records: of the runs, by task, method and seed.
        standings: of the methods, by task, then over all tasks.
        bill: what was paid for at endpoints; None where no run asks one.
    """

    name: str
    folder: Path
    baseline: str | None
    records: tuple[RunRecord, ...]
    standings: tuple[Standing, ...]
    bill: Bill | None = None

    @property
    def failed(self) -> tuple[RunRecord, ...]:
        """Runs that have not succeeded; the same call again tries them again."""
        return tuple(record for record in self.records if not record.succeeded and record.left_out is None)

    @property
    def left_out(self) -> tuple[RunRecord, ...]:
        """Runs that were not done for lack of budget; the same call with a larger one does them."""
        return tuple(record for record in self.records if record.left_out is not None)


def run_sweep(
    source: str | Path | Mapping[str, Any] | Spec,
    *,
    folder: str | Path | None = None,
    workers: int | None = None,
    pool: Pool | None = None,
    watcher: Watcher | None = None,
) -> SweepResult:
    """Do the runs of a sweep that have not succeeded yet. A run that fails stops no other and is in `failed`.

    Args:
        source: a TOML file, or its keys and values (`blackbox.sweeps.spec`).
        folder: of the sweep; None is sweeps/NAME.
        workers: runs at once, in processes (for runs that ask endpoints, threads); None is what the sweep says. A
            program that asks for several processes is run again by each of them up to its
            `if __name__ == "__main__":`.
        pool: does the runs that ask no endpoint in another way.
        watcher: what watches.

    Raises:
        BlackboxError: wrong input, found before the first run begins; another process is working on the sweep.
        KeyboardInterrupt: the user stopped it; the same call goes on.
    """
    spec = source if isinstance(source, Spec) else read_spec(source)
    home = Path(folder) if folder else Path("sweeps", spec.name)
    count = spec.workers if workers is None else workers
    pool = pool or make_pool(count)
    checked = checked_plan(spec, home)
    with _locked(home):
        till = Till(spec.budget, checked, home) if any(asks_endpoint(one.config) for one in checked) else None
        book = _Book(spec, home, checked, watcher or Watcher(), till)
        try:
            (till.dealt(pool, count) if till else pool).run(book.left, book.note)
        finally:
            book.write()
        result = book.result()
        write_sweep_report(home, result.name, result.baseline, result.records, result.standings, bill=result.bill)
    return result


def planned(spec: Spec, home: Path) -> list[PlannedRun]:
    """The runs of a sweep in the order in which they are done, all checked.

    Raises:
        BlackboxError: as `run_sweep`.
    """
    return [checked.run for checked in checked_plan(spec, home)]


def checked_plan(spec: Spec, home: Path) -> list[Checked]:
    """The same with their settings."""
    checked = check_runs(plan(spec, home))
    check_budget(spec.budget, checked)
    return checked


def make_pool(workers: int) -> Pool:
    """One worker is this process; several are processes of their own."""
    if workers < 1:
        raise SettingError(f"workers must be at least 1, got {workers}")
    return OneByOne() if workers == 1 else Processes(workers)


class _Book:
    """What is known of the runs, kept up to date on the disk."""

    def __init__(self, spec: Spec, home: Path, checked: Sequence[Checked], watcher: Watcher, till: Till | None) -> None:
        self._spec, self._home, self._watcher, self._till = spec, home, watcher, till
        runs = [one.run for one in checked]
        self._records = {run: read_record(run) for run in runs}
        self.left = [run for run, record in self._records.items() if not record.succeeded]
        watcher.on_start(self.left, len(runs) - len(self.left))

    def note(self, event: Event) -> None:
        if isinstance(event, Began):
            self._watcher.on_began(event.run)
            return
        if isinstance(event, LeftOut):
            record, tell = read_record(event.run, left_out=event.why), self._watcher.on_left_out
        else:
            record, tell = read_record(event.run, error=event.error), self._watcher.on_ended
        self._records[event.run] = record
        self.write()
        tell(record)

    def result(self) -> SweepResult:
        records = tuple(sorted(self._records.values(), key=self._place))
        found = tuple(standings(records, baseline=self._spec.baseline))
        bill = self._till.bill if self._till else None
        return SweepResult(self._spec.name, self._home, self._spec.baseline, records, found, bill)

    def write(self) -> None:
        result = self.result()
        write_csv(self._home / "sweep.csv", result.records)
        write_standings(
            self._home / "sweep.json",
            name=result.name,
            baseline=result.baseline,
            standings=result.standings,
            records=result.records,
            bill=result.bill,
        )

    def _place(self, record: RunRecord) -> tuple[int, int, int]:
        run, spec = record.run, self._spec
        return list(spec.tasks).index(run.task), list(spec.methods).index(run.method), spec.seeds.index(run.seed)


@contextmanager
def _locked(home: Path) -> Iterator[None]:
    path = home / "sweep.lock"
    try:
        home.mkdir(parents=True, exist_ok=True)
        file = path.open("ab", buffering=0)
    except OSError as error:
        raise unwritable(path, error, again="try again") from error
    with file:
        lock(file, path, what="sweep")
        yield
