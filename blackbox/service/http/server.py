"""uvicorn, set up for the service."""

import gc
import logging
import socket
from collections.abc import Callable

import uvicorn
from anyio.to_thread import current_default_thread_limiter
from starlette.types import ASGIApp

from blackbox.build import check_names
from blackbox.config import make_config
from blackbox.service.http.protocol import HEADER_BYTES, Protocol

_KEEP_ALIVE, _GRACE = 15, 5  # s
_THREADS = 12  # that ask the database; of 40 the event loop gets its turn 0.1 s late


class Server(uvicorn.Server):
    """A server that tells when it listens, and leaves signals to its caller."""

    def __init__(self, app: ASGIApp, *, started: Callable[[], None] | None = None) -> None:
        super().__init__(
            uvicorn.Config(
                app,
                http=Protocol,
                ws="none",
                lifespan="on",
                loop="asyncio",
                log_config=None,
                access_log=False,
                server_header=False,
                date_header=True,
                proxy_headers=False,
                h11_max_incomplete_event_size=HEADER_BYTES,
                timeout_keep_alive=_KEEP_ALIVE,
                timeout_graceful_shutdown=_GRACE,
                backlog=1024,
            )
        )
        self._started = started

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        if self.started:
            current_default_thread_limiter().total_tokens = _THREADS
            _settle()
        if self.started and self._started is not None:
            self._started()


def _settle() -> None:
    """Spare requests the waiting for what a process that has just begun does once, or again and again for nothing.

    The first job's check would import an optimizer's packages, in seconds. And what stands after that stays: the
    garbage collector need not walk it (half a million objects, 0.1 to 0.2 s, while which no request is answered).
    """
    check_names(make_config({}))
    gc.collect()
    gc.freeze()


def serve(app: ASGIApp, at: socket.socket, *, started: Callable[[], None] | None = None) -> Server:
    """A server to be run with `run(sockets=[at])`."""
    logging.getLogger("uvicorn.error").setLevel(logging.WARNING)
    return Server(app, started=started)
