"""`blackbox worker`."""

import logging
import signal
import sys
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING, Annotated

import typer

from blackbox.cli.console import err
from blackbox.cli.service_packages import needs_service

if TYPE_CHECKING:
    from blackbox.service.worker.stopping import Stopping

DATABASE = "BLACKBOX_DATABASE"
"""The environment variable that may hold the database's URL: on a command line all of the machine see its password."""


def worker(
    database: Annotated[
        str,
        typer.Option(
            help="The service's database: sqlite:///FILE or postgresql+psycopg://USER:PASSWORD@HOST/NAME.",
            envvar=DATABASE,
            show_envvar=True,
        ),
    ],
    *,
    folder: Annotated[Path, typer.Option(help="Where runs are kept while they are done.")] = Path("service"),
    backends: Annotated[
        Path | None,
        typer.Option(help="The models that jobs may ask, in TOML. \\[default: the bundled one, and fake]"),
    ] = None,
    jobs: Annotated[int, typer.Option(min=1, max=256, help="Jobs at once, each in a process of its own.")] = 1,
    lease_seconds: Annotated[
        float, typer.Option(min=1, help="How long a job waits for another worker when this one is killed.")
    ] = 30.0,
    while_stdin_is_open: Annotated[
        bool, typer.Option("--while-stdin-is-open", help="End when stdin does, as by SIGTERM.")
    ] = False,
) -> None:
    """Do the jobs of a service, on this or any machine that reaches its database.

    SIGTERM or Ctrl-C ends it behind the generation that it is at: the job's state is saved and the job is handed back.
    A second one ends it at once. When it is killed, another worker takes its job over when its lease runs out.
    """
    needs_service("worker")
    from blackbox.service.operator import read_operator
    from blackbox.service.store import open_store
    from blackbox.service.worker.crew import Crew, worker_command
    from blackbox.service.worker.stopping import Stopping
    from blackbox.service.worker.worker import Worker

    operator = read_operator(backends)
    stopping = Stopping()
    with open_store(database) as store:
        _end_by_signals(stopping)
        if while_stdin_is_open:
            stopping.end_with(sys.stdin.buffer)
        err.print(f"worker of {store.address}", markup=False, highlight=False, soft_wrap=True)
        if jobs == 1:
            Worker(store, operator, folder, stopping=stopping, lease_seconds=lease_seconds).run()
            return
    options = ["--folder", str(folder), "--lease-seconds", str(lease_seconds)]
    options += ["--backends", str(backends)] if backends else []
    Crew(worker_command(*options), jobs, environment={DATABASE: database}).run(stopping)


def _end_by_signals(stopping: "Stopping") -> None:
    def ask(signal_number: int, frame: FrameType | None) -> None:
        logging.getLogger(__name__).info("asked to end")
        stopping.ask()

    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, ask)
