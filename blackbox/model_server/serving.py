"""A model server that runs until it is stopped."""

import socket
from collections.abc import Callable

import uvicorn
from fastapi import FastAPI

from blackbox.errors import SettingError

KEEP_ALIVE = 75
"""A connection without calls is kept for so long, s: longer than most searches think."""

GRACE = 30
"""Calls that are there when the server is told to end have so long, s."""


def serve(app: FastAPI, *, host: str, port: int, ready: Callable[[str], None] = lambda url: None) -> None:
    """Serve until SIGINT or SIGTERM.

    Args:
        app: of `make_app`.
        host, port: where; port 0 is a free one.
        ready: told the URL, once calls are taken in.

    Raises:
        SettingError: the address is taken, or none of this machine.
    """
    with _bound(host, port) as bound:
        bound.listen()
        ready(_url(host, bound.getsockname()[1]))
        config = uvicorn.Config(
            app,
            ws="none",
            log_level="warning",
            access_log=False,
            timeout_keep_alive=KEEP_ALIVE,
            timeout_graceful_shutdown=GRACE,
            server_header=False,
            proxy_headers=False,
        )
        uvicorn.Server(config).run(sockets=[bound])


def _bound(host: str, port: int) -> socket.socket:
    try:
        return socket.create_server((host, port), family=socket.AF_INET6 if ":" in host else socket.AF_INET)
    except OSError as error:
        raise SettingError(f"{_url(host, port)} cannot be served: {error.strerror or error}") from error


def _url(host: str, port: int) -> str:
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"
