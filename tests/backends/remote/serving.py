"""A model server in a thread of this process, on a free port of the loopback."""

import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import uvicorn
from fastapi import FastAPI

from blackbox.backends import Backend
from blackbox.model_server import make_app


@contextmanager
def serving(backend: Backend, **settings: Any) -> Iterator[str]:
    """The URL of a server of this backend; settings are those of `make_app`."""
    with running(make_app(backend, **settings)) as url:
        yield url


@contextmanager
def running(app: FastAPI, *, port: int = 0) -> Iterator[str]:
    """The URL of an application that answers."""
    bound = socket.create_server(("127.0.0.1", port))
    config = uvicorn.Config(app, ws="none", log_level="warning", access_log=False)
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, kwargs={"sockets": [bound]})
    thread.start()
    try:
        while not server.started:
            assert thread.is_alive(), "the server has ended"
            time.sleep(0.002)
        yield f"http://127.0.0.1:{bound.getsockname()[1]}"
    finally:
        server.should_exit = True
        thread.join()
        bound.close()
