"""How far a sweep is, on the terminal: a live line for each run under way, or now and then a plain one."""

import time
from collections.abc import Sequence
from types import TracebackType

from rich.console import Console, Group
from rich.live import Live
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from blackbox.config import make_config
from blackbox.report.words import about
from blackbox.sweeps.plan import PlannedRun
from blackbox.sweeps.records import RunRecord, read_record
from blackbox.sweeps.watcher import Watcher


class SweepDisplay(Watcher):
    """Shows the progress of a sweep; a run that fails is told at once.

    Args:
        console: where to.
        quiet_interval: without a terminal, seconds that pass at least between two lines.
    """

    def __init__(self, console: Console, *, quiet_interval: float = 30.0) -> None:
        self._console, self._quiet_interval = console, quiet_interval
        self._live: Live | None = None
        self._pace = Pace([], 0)
        self._said = time.monotonic()

    def __enter__(self) -> "SweepDisplay":
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        live, self._live = self._live, None
        if live:
            live.stop()

    def on_start(self, runs: Sequence[PlannedRun], ended: int) -> None:
        self._pace = Pace(runs, ended)
        if runs and self._console.is_terminal and not self._console.is_dumb_terminal:
            self._live = Live(get_renderable=self._lines, console=self._console, refresh_per_second=2, transient=True)
            self._live.start()

    def on_began(self, run: PlannedRun) -> None:
        self._pace.began(run)

    def on_ended(self, record: RunRecord) -> None:
        self._pace.ended(record.run)
        if record.error is not None:
            self._print(f"{record.run.name} failed: {record.error}")
        elif not self._live and time.monotonic() - self._said >= self._quiet_interval:
            self._said = time.monotonic()
            self._print(f"{record.run.name}: {record.found or record.status}; {self._pace.in_words()}")

    def on_left_out(self, record: RunRecord) -> None:
        self._pace.left_out(record.run)

    def _print(self, text: str) -> None:
        self._console.print(text, markup=False, highlight=False, soft_wrap=True)

    def _lines(self) -> Group:
        """Read from the folders of the runs at each refresh, whichever process works on them."""
        table = Table.grid(padding=(0, 1))
        for run, done, total in self._pace.under_way():
            table.add_row(Text(run.name), ProgressBar(total, min(done, total), width=20), f"{done:,}/{total:,}")
        return Group(Text(self._pace.in_words(), style="bold"), table)


class Pace:
    """What is done of a sweep and how long the rest will take, by evaluations.

    Args:
        runs: that are to be done.
        ended: how many were done before.
    """

    def __init__(self, runs: Sequence[PlannedRun], ended: int) -> None:
        self._total, self._ended = len(runs) + ended, ended
        self._evaluations = {run: make_config(run.settings).evaluations for run in runs}
        self._earlier: dict[PlannedRun, int] = {}
        self._done = 0
        self._began = time.monotonic()

    def began(self, run: PlannedRun) -> None:
        self._earlier[run] = _spent(run)

    def ended(self, run: PlannedRun) -> None:
        self._done += self._evaluations[run] - self._earlier.pop(run)
        self._ended += 1

    def left_out(self, run: PlannedRun) -> None:
        """It is not done for want of budget, though it may have begun."""
        self._earlier.pop(run, None)
        self._evaluations[run] = 0

    def under_way(self) -> list[tuple[PlannedRun, int, int]]:
        """The runs that workers have: evaluations spent, and their budget."""
        return [(run, _spent(run), self._evaluations[run]) for run in list(self._earlier)]

    def in_words(self) -> str:
        """ "3/24 runs done, about 5 min left"; the time is left out before there is a pace."""
        left = self.seconds_left()
        return f"{self._ended:,}/{self._total:,} runs done" + ("" if left is None else f", {about(left)} left")

    def seconds_left(self) -> float | None:
        """At the pace of this session; None before there is one."""
        running = list(self._earlier.items())
        done = self._done + sum(max(0, _spent(run) - before) for run, before in running)
        whole = sum(self._evaluations.values()) - sum(before for _, before in running)
        if not done:
            return None
        return (time.monotonic() - self._began) * max(0, whole - done) / done


def _spent(run: PlannedRun) -> int:
    summary = read_record(run).summary
    return summary.evaluations if summary else 0
