"""`blackbox tune` and `blackbox resume`."""

import re
import shlex
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.status import Status

from blackbox.backends.errors import StoppedError
from blackbox.callbacks import Callback, Progress
from blackbox.callbacks.progress import ProgressDisplay
from blackbox.cli.console import err, out
from blackbox.cli.forecast import print_forecast
from blackbox.cli.settings_options import with_settings
from blackbox.config import ExecutorSettings, read_settings
from blackbox.errors import WorkersLostError
from blackbox.report.comparison import summary_table
from blackbox.run import Result
from blackbox.run_folder import RunFolder
from blackbox.tune import resume as resume_run
from blackbox.tune import tune as start_run

Run = Callable[[Sequence[Callback]], Result]


@with_settings()
def tune(
    config: Annotated[
        Path | None, typer.Argument(help="Settings in TOML; options replace them.", show_default=False)
    ] = None,
    *,
    name: Annotated[str | None, typer.Option(help="Name of the run. \\[default: the config's name, numbered]")] = None,
    runs: Annotated[Path, typer.Option(help="The folder that holds the run folders.")] = Path("runs"),
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Say what the run would do and cost; spend no more than one evaluation.")
    ] = False,
    **settings: Any,
) -> None:
    """Search for a prompt. Makes the folder RUNS/NAME with the prompt, the journal and a report."""
    values = {**(read_settings(config) if config else {}), **settings}
    if dry_run:
        print_forecast(values)
        return
    folder = runs / (name or _free_name(runs, config.stem if config else "run"))
    _run(folder, lambda callbacks: start_run(folder=folder, callbacks=callbacks, **values))


@with_settings(ExecutorSettings)
def resume(
    run: Annotated[Path, typer.Argument(help="The run's folder, e.g. runs/demo.", show_default=False)],
    **executor: Any,
) -> None:
    """Go on with a run that was stopped or killed; it ends as it would have without that, also with other workers."""
    _run(run, lambda callbacks: resume_run(run, callbacks=callbacks, **executor))


class _Loaded(Callback):
    """Ends the display of the loading when the search starts: a terminal has one live display at a time."""

    def __init__(self, status: Status) -> None:
        self._status = status

    def on_start(self, progress: Progress) -> None:
        self._status.stop()


def _run(folder: Path, run: Run) -> None:
    try:
        with err.status("loading the model") as status, ProgressDisplay(err) as display:
            result = run([_Loaded(status), display])
    except (KeyboardInterrupt, StoppedError, WorkersLostError):
        err.print(_stopped(folder), markup=False, highlight=False, soft_wrap=True)
        raise
    out.print(summary_table(RunFolder(folder).name, result.summary))
    out.print(f"report: {folder / 'report.html'}", markup=False, highlight=False, soft_wrap=True)


def _stopped(folder: Path) -> str:
    if not (folder / "config.json").exists():
        return "stopped before the search began"
    return f"stopped; everything paid for is kept. Go on with: blackbox resume {shlex.quote(str(folder))}"


def _free_name(runs: Path, stem: str) -> str:
    """`stem`, or `stem-2`, `stem-3`, ... where it is taken."""
    stem = re.sub(r"[^\w.-]+", "-", stem) or "run"
    number = 1
    while (runs / (name := stem if number == 1 else f"{stem}-{number}")).exists():
        number += 1
    return name
