"""`blackbox sweep`."""

from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.table import Table
from rich.text import Text

from blackbox.cli.console import WIDE, err, out
from blackbox.cli.settings_options import with_settings
from blackbox.cli.sweep_display import SweepDisplay
from blackbox.config import ExecutorSettings
from blackbox.report.sweep_table import sweep_tables
from blackbox.report.sweep_words import bill_in_words, bound_in_words, shortfall_in_words
from blackbox.report.words import counted
from blackbox.sweeps import Spec, SweepResult, read_spec, run_sweep
from blackbox.sweeps.account import bound_of
from blackbox.sweeps.budget import SweepBudget
from blackbox.sweeps.dealing import asks_endpoint
from blackbox.sweeps.on_ray import RayRuns
from blackbox.sweeps.records import read_record
from blackbox.sweeps.spec import with_budget
from blackbox.sweeps.sweep import checked_plan


class Executor(StrEnum):
    """What does the runs."""

    PROCESSES = "processes"
    RAY = "ray"


@with_settings(SweepBudget)
def sweep(
    config: Annotated[Path, typer.Argument(help="The sweep in TOML: tasks, methods, seeds.", show_default=False)],
    *,
    name: Annotated[
        str | None, typer.Option(help="Name of the sweep's folder. \\[default: as the file says]", show_default=False)
    ] = None,
    sweeps: Annotated[Path, typer.Option(help="The folder that holds the sweeps' folders.")] = Path("sweeps"),
    workers: Annotated[
        int | None,
        typer.Option(
            help="Runs at once: processes, or threads for endpoints. \\[default: as the file says, else 1]",
            show_default=False,
        ),
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
    **budget: Any,
) -> None:
    """Do all runs of tasks, methods and seeds, and compare the methods. Again, it does what is left.

    Makes the folder SWEEPS/NAME with a folder for each run, sweep.csv, sweep.json and a report. A run that fails stops
    no other; the exit code is 1 then.
    """
    spec = with_budget(read_spec(config), budget)
    home = sweeps / (name or spec.name)
    if dry_run:
        _print_plan(spec, home)
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
    for line in shortfall_in_words(result.records):
        _print(line)
    if result.bill:
        _print(f"in total: {bill_in_words(result.bill)}")
    _print(f"report: {result.folder / 'report.html'}")
    failed, left_out, number = len(result.failed), len(result.left_out), len(result.records)
    if failed:
        _say(f"error: {counted(failed, 'run')} of {number} failed; the same command tries again")
    if left_out:
        _say(f"error: no budget for {counted(left_out, 'run')} of {number}; the same command with a larger one goes on")
    if failed or left_out:
        raise typer.Exit(1)


def _print_plan(spec: Spec, home: Path) -> None:
    runs = checked_plan(spec, home)
    table = Table("task", "method", "seed", "status", title="Dry run: nothing is done", title_justify="left")
    for run in (one.run for one in runs):
        table.add_row(Text(run.task), Text(run.method), str(run.seed), read_record(run).status)
    out.print(table)
    if any(asks_endpoint(one.config) for one in runs):
        _print(f"at endpoints, over all runs and sessions, at most: {bound_in_words(bound_of(spec.budget, runs))}")


def _print(text: str) -> None:
    out.print(text, markup=False, highlight=False, soft_wrap=True)


def _say(text: str) -> None:
    err.print(text, markup=False, highlight=False, soft_wrap=True)
