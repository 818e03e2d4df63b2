"""`blackbox serve`: the tuning service with its page, and workers on this machine."""

import logging
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from blackbox.cli.console import err
from blackbox.cli.service_packages import needs_service
from blackbox.cli.worker_commands import DATABASE
from blackbox.errors import SettingError
from blackbox.report.words import counted

if TYPE_CHECKING:
    from blackbox.service.store import Store

_LOOPBACK = ("127.0.0.1", "::1", "localhost")

FolderOption = Annotated[Path, typer.Option(help="Where the service keeps its database and its runs.")]
DatabaseOption = Annotated[
    str | None,
    typer.Option(
        envvar=DATABASE,
        show_envvar=True,
        show_default=False,
        help="postgresql+psycopg://USER:PASSWORD@HOST/NAME or sqlite:///FILE; default: SQLite in the folder. In the "
        "environment variable nobody sees the password.",
    ),
]


def serve(
    *,
    folder: FolderOption = Path("service"),
    database: DatabaseOption = None,
    backends: Annotated[
        Path | None,
        typer.Option(
            help="The models that jobs may ask, in TOML; default: what this machine can do.", show_default=False
        ),
    ] = None,
    host: Annotated[str, typer.Option(help="Another address than this machine's own needs tokens.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=0, max=65535, help="0: a free one.")] = 8000,
    workers: Annotated[int, typer.Option(min=0, max=64, help="Worker processes on this machine.")] = 1,
    allow_host: Annotated[
        list[str] | None,
        typer.Option(help="A name that the service is reached by, e.g. behind a proxy; may be given several times."),
    ] = None,
) -> None:
    """Offer tuning jobs over HTTP, with a page at /. Ctrl-C ends it; jobs go on when it starts again."""
    needs_service("serve", "fastapi", "uvicorn", "python_multipart")
    from blackbox.listening import listening
    from blackbox.service.http.app import make_app
    from blackbox.service.http.server import Server
    from blackbox.service.operator import read_operator

    logging.getLogger("blackbox.service").setLevel(logging.INFO)
    logging.getLogger("blackbox.service.access").setLevel(logging.WARNING)  # what was refused
    operator = read_operator(backends)
    url = database_url(database, folder)
    with open_service_store(url) as store, closing(listening(host, port)) as at:
        loopback = host in _LOOPBACK
        if not loopback and not store.tokens.any():
            raise SettingError(
                f"--host {host} can be reached by others, and there are no tokens: blackbox tokens create NAME"
            )
        names = frozenset(name.lower() for name in (*_LOOPBACK, *allow_host)) if allow_host else None
        app = make_app(store, operator, folder=folder / "predictions", loopback=loopback, hosts=names)
        shown = f"http://{f'[{host}]' if ':' in host else host}:{at.getsockname()[1]}"
        server = Server(
            app, started=lambda: _say(f"blackbox serves at {shown} with {counted(workers, 'worker')}; Ctrl-C ends it")
        )
        with _working(url, folder=folder, backends=backends, number=workers), suppress(KeyboardInterrupt):
            server.run(sockets=[at])  # it ends in order when it is interrupted, and passes the signal on


@contextmanager
def _working(url: str, *, folder: Path, backends: Path | None, number: int) -> Iterator[None]:
    """Workers beside the service; at the end each finishes its generation and hands back its job."""
    from blackbox.service.worker.crew import Crew, worker_command
    from blackbox.service.worker.stopping import Stopping

    stopping = Stopping()
    options = ["--folder", str(folder), *(["--backends", str(backends)] if backends else [])]
    crew = Crew(worker_command(*options), number, environment={DATABASE: url})
    thread = threading.Thread(target=crew.run, args=(stopping,))
    thread.start()
    try:
        yield
    finally:
        _say("stopping: workers finish their generation")
        stopping.ask()
        thread.join()


def database_url(database: str | None, folder: Path) -> str:
    """The database's URL: as given, or of SQLite in the folder, which is made.

    Raises:
        SettingError: the folder cannot be made.
    """
    if database:
        return database
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise SettingError(f"{folder}: {error.strerror or error}") from error
    return f"sqlite:///{(folder / 'service.sqlite').absolute()}"


def open_service_store(url: str) -> "Store":
    """The store of a database.

    Raises:
        DatabaseError: the database cannot be used.
    """
    from blackbox.service.store import open_store

    return open_store(url)


def _say(text: str) -> None:
    err.print(text, markup=False, highlight=False, soft_wrap=True)
