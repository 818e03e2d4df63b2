"""How far a search is, on the terminal: one live line, or now and then a plain one where there is no terminal."""

import time
from types import TracebackType

from rich.console import Console
from rich.progress import BarColumn, SpinnerColumn, TaskID, TextColumn
from rich.progress import Progress as LiveLine
from rich.table import Column

from blackbox.callbacks.base import Callback, Progress
from blackbox.evaluation import Evaluation
from blackbox.report.words import about, in_time


class ProgressDisplay(Callback):
    """Shows the progress of a search; the terminal is clean again after `on_end` or when the context ends.

    Args:
        console: where to; by default stderr, so that stdout is left to data.
        quiet_interval: without a terminal, seconds that pass at least between two lines.
    """

    def __init__(self, console: Console | None = None, *, quiet_interval: float = 30.0) -> None:
        self._console = Console(stderr=True) if console is None else console
        self._quiet_interval = quiet_interval
        self._live: LiveLine | None = None
        self._said = time.monotonic()

    def __enter__(self) -> "ProgressDisplay":
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._stop()

    def on_start(self, progress: Progress) -> None:
        self._stop()
        self._said = time.monotonic()
        if self._console.is_terminal and not self._console.is_dumb_terminal:
            self._live = _live_line(self._console)
            self._live.add_task("", total=progress.budget.evaluations)
            self._live.start()
            self._show(self._live, progress)

    def on_evaluations(self, evaluations: tuple[Evaluation, ...], progress: Progress) -> None:
        if self._live:
            self._show(self._live, progress)
        elif time.monotonic() - self._said >= self._quiet_interval:
            self._said = time.monotonic()
            self._console.print(in_words(progress), markup=False, highlight=False, soft_wrap=True)

    def on_generation(self, progress: Progress) -> None:
        if self._live:
            self._show(self._live, progress)

    def on_end(self, progress: Progress, stop_reason: str) -> None:
        if self._live:
            took = f"in {in_time(progress.elapsed)}"
            self._live.update(TaskID(0), total=progress.evaluations)  # a full bar: the search has ended
            self._show(self._live, progress, ending=took)
        self._stop()

    def _show(self, live: LiveLine, progress: Progress, *, ending: str | None = None) -> None:
        live.update(TaskID(0), completed=progress.evaluations, description=_in_brief(progress, ending=ending))

    def _stop(self) -> None:
        live, self._live = self._live, None
        if live:
            live.stop()


def in_words(progress: Progress) -> str:
    """The progress as one line; what is not known yet is left out."""
    parts = [
        f"{progress.evaluations:,}/{progress.budget.evaluations:,} evaluations",
        f"generation {progress.generation}" + ("" if progress.block is None else f" block {progress.block}"),
        None if progress.train_loss is None else f"loss {progress.train_loss:.4f}",
        None if progress.dev is None else f"dev {progress.dev.metric} {progress.dev.brief}",
        f"{_rate(progress.rate)}/s" if progress.rate else None,
        _time_left(progress),
    ]
    return ", ".join(part for part in parts if part)


def _in_brief(progress: Progress, *, ending: str | None) -> str:
    """Rich's markup of the same for a line of 80 columns with a bar in it."""
    parts = [
        f"{progress.evaluations:,}/{progress.budget.evaluations:,}",
        f"[dim]gen[/] {progress.generation}",
        None if progress.block is None else f"[dim]block[/] {progress.block}",
        None if progress.train_loss is None else f"[dim]loss[/] {progress.train_loss:.4f}",
        None if progress.dev is None else f"[dim]dev[/] {progress.dev.brief}",
        f"{_rate(progress.rate)}[dim]/s[/]" if progress.rate else None,
        ending or _time_left(progress),
    ]
    return " ".join(part for part in parts if part)


def _rate(rate: float) -> str:
    return f"{rate:,.0f}" if rate >= 100 else f"{rate:.3g}"


def _time_left(progress: Progress) -> str | None:
    left = progress.seconds_left
    return None if left is None else f"{about(max(0.0, left))} left"


def _live_line(console: Console) -> LiveLine:
    """A bar that takes what room the words leave, refreshed by a thread so that a long call still shows life."""
    bar = BarColumn(bar_width=None, table_column=Column(ratio=1, min_width=8))
    words = TextColumn("{task.description}", table_column=Column(no_wrap=True, overflow="ellipsis"))
    return LiveLine(SpinnerColumn(finished_text=" "), bar, words, console=console, expand=True, refresh_per_second=4)
