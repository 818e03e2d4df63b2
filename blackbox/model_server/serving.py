"""A model server that runs until it is stopped."""

from collections.abc import Callable

import uvicorn
from fastapi import FastAPI

from blackbox.listening import listening, url_of

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
    with listening(host, port) as bound:
        bound.listen()
        ready(url_of(host, bound.getsockname()[1]))
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
