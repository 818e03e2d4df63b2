"""A real endpoint without a network: llama.cpp's server with SmolLM2-135M-Instruct, in a process of its own."""

import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec

from benchmarks.data import MissingDataError
from blackbox.backends.bundled_model import bundled_model_file

_PROGRAM = """
import sys, time, xllamacpp
parameters = xllamacpp.CommonParams()
parameters.model.path, parameters.port = sys.argv[1], int(sys.argv[2])
parameters.n_parallel, parameters.n_ctx, parameters.cpuparams.n_threads = 1, 4096, int(sys.argv[3])
parameters.cache_prompt = bool(int(sys.argv[4]))
server = xllamacpp.Server(parameters)
while True:
    time.sleep(3600)
"""


@contextmanager
def llama_server(*, threads: int = 1, reuse: bool = False) -> Iterator[str]:
    """The base URL of a server that answers, on a free port of the loopback.

    Args:
        threads: of the server.
        reuse: keep what the last call has read, where the next begins alike. That takes a fraction of the time, but it
            rounds differently: answers depend on what was asked before.

    Raises:
        MissingDataError: it is not installed.
    """
    if find_spec("xllamacpp") is None:
        raise MissingDataError("needs llama.cpp's server: pip install xllamacpp")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    process = subprocess.Popen(
        [sys.executable, "-c", _PROGRAM, str(bundled_model_file()), str(port), str(threads), str(int(reuse))],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        _wait(f"http://127.0.0.1:{port}/health", process)
        yield f"http://127.0.0.1:{port}/v1"
    finally:
        process.kill()
        process.wait()


def _wait(url: str, process: "subprocess.Popen[bytes]") -> None:
    for _ in range(600):
        if process.poll() is not None:
            raise RuntimeError(f"llama.cpp's server ended with {process.returncode}")
        try:
            urllib.request.urlopen(url, timeout=5).close()
        except (urllib.error.URLError, ConnectionError):
            time.sleep(0.1)
        else:
            return
    raise RuntimeError("llama.cpp's server does not answer")
