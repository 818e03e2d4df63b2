"""`blackbox serve`: the tuning service with its page, and workers on this machine."""

import logging
from contextlib import closing
from pathlib import Path
from typing import Annotated

import typer

from blackbox.backends.errors import MissingPackageError
from blackbox.cli.console import err
from blackbox.errors import SettingError

_LOOPBACK = ("127.0.0.1", "::1", "localhost")
_FINISH = 60.0  # s that workers have for their present generation

FolderOption = Annotated[Path, typer.Option(help="Where the service keeps its database and its runs.")]
DatabaseOption = Annotated[
    str | None,
    typer.Option(
        envvar="BLACKBOX_DATABASE",
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
        typer.Option(help="The models that jobs may ask, in TOML; default: what this machine can do.", show_default=False),
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
    try:
        from blackbox.service.http.app import make_app
        from blackbox.service.http.server import Server, listening
        from blackbox.service.local_workers import LocalWorkers
        from blackbox.service.operator import read_operator
    except ImportError as error:
        raise _missing(error) from error
    logging.getLogger("blackbox.service").setLevel(logging.INFO)
    logging.getLogger("blackbox.service.access").setLevel(logging.WARNING)
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
        local = LocalWorkers(url, folder=folder, backends=backends, number=workers)
        shown = f"http://{f'[{host}]' if ':' in host else host}:{at.getsockname()[1]}"
        server = Server(app, started=lambda: _say(f"blackbox serves at {shown} with {workers} workers; Ctrl-C ends it"))
        local.start()
        try:
            server.run(sockets=[at])
        except KeyboardInterrupt:  # uvicorn has ended in order, and passes the signal on
            pass
        finally:
            _say("stopping: workers finish their generation")
            local.stop(seconds=_FINISH)


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


def open_service_store(url: str) -> "Store":  # type: ignore[name-defined]  # noqa: F821
    """The store of a database.

    Raises:
        MissingPackageError: SQLAlchemy is not installed.
        DatabaseError: the database cannot be used.
    """
    try:
        from blackbox.service.store import open_store
    except ImportError as error:
        raise _missing(error) from error
    return open_store(url)


def _missing(error: ImportError) -> MissingPackageError:
    return MissingPackageError(
        f"the service needs {error.name}; install it with: pip install 'blackbox-prompts[service]'"
    )


def _say(text: str) -> None:
    err.print(text, markup=False, highlight=False, soft_wrap=True)
