"""`blackbox sweep`."""

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer
from rich.table import Table
from rich.text import Text

from blackbox.cli.console import WIDE, err, out
from blackbox.cli.sweep_display import SweepDisplay
from blackbox.config import ExecutorSettings
from blackbox.report.sweep_table import sweep_tables
from blackbox.report.words import counted
from blackbox.sweeps import Spec, SweepResult, read_spec, run_sweep
from blackbox.sweeps.on_ray import RayRuns
from blackbox.sweeps.records import read_record
from blackbox.sweeps.sweep import planned


class Executor(StrEnum):
    """What does the runs."""

    PROCESSES = "processes"
    RAY = "ray"


def sweep(
    config: Annotated[Path, typer.Argument(help="The sweep in TOML: tasks, methods, seeds.", show_default=False)],
    *,
    name: Annotated[
        str | None, typer.Option(help="Name of the sweep's folder. \\[default: as the file says]", show_default=False)
    ] = None,
    sweeps: Annotated[Path, typer.Option(help="The folder that holds the sweeps' folders.")] = Path("sweeps"),
    workers: Annotated[
        int | None,
        typer.Option(help="Processes that do runs. \\[default: as the file says, else 1]", show_default=False),
    ] = None,
    executor: Annotated[
        Executor, typer.Option(help="Where: processes of this machine, or ray, whose machines all see the folder.")
    ] = Executor.PROCESSES,
    threads: Annotated[int, typer.Option(min=1, help="CPUs of a worker of Ray.")] = 1,
    gpus_per_worker: Annotated[float, typer.Option(min=0, help="GPUs of a worker of Ray.")] = 0.0,
    ray_address: Annotated[
        str | None, typer.Option(help=ExecutorSettings.model_fields["ray_address"].description, show_default=False)
    ] = None,
    ray_package: Annotated[
        str | None, typer.Option(help=ExecutorSettings.model_fields["ray_package"].description, show_default=False)
    ] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say which runs there are; do none.")] = False,
) -> None:
    """Do all runs of tasks, methods and seeds, and compare the methods. Again, it does what is left.

    Makes the folder SWEEPS/NAME with a folder for each run, sweep.csv, sweep.json and a report. A run that fails stops
    no other; the exit code is 1 then.
    """
    spec = read_spec(config)
    home = sweeps / (name or spec.name)
    if dry_run:
        out.print(_runs_table(spec, home))
        return
    pool = None
    if executor is Executor.RAY:
        count = workers or spec.workers
        pool = RayRuns(count, cpus=threads, gpus=gpus_per_worker, address=ray_address, package=ray_package)
    try:
        with SweepDisplay(err) as display:
            result = run_sweep(spec, folder=home, workers=workers, pool=pool, watcher=display)
    except KeyboardInterrupt:
        _say(f"stopped; what has ended is in {home / 'sweep.csv'}. The same command goes on")
        raise
    _show(result)


def _show(result: SweepResult) -> None:
    for table in sweep_tables(result.standings, baseline=result.baseline, wide=out.width >= WIDE):
        out.print(table)
    out.print(f"report: {result.folder / 'report.html'}", markup=False, highlight=False, soft_wrap=True)
    if result.failed:
        number = len(result.failed)
        _say(f"error: {counted(number, 'run')} of {len(result.records)} failed; the same command tries again")
        raise typer.Exit(1)


def _runs_table(spec: Spec, home: Path) -> Table:
    table = Table("task", "method", "seed", "status", title="Dry run: nothing is done", title_justify="left")
    for run in planned(spec, home):
        table.add_row(Text(run.task), Text(run.method), str(run.seed), read_record(run).status)
    return table


def _say(text: str) -> None:
    err.print(text, markup=False, highlight=False, soft_wrap=True)
