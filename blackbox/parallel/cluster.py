"""Ray: where it runs, and how this process comes to be connected to it."""

import logging
import os
import signal
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from blackbox.errors import ExecutorError

_CONNECT = 10.0  # seconds


def import_ray() -> Any:
    """The package.

    Raises:
        ExecutorError: it is not installed.
    """
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
    os.environ.setdefault("RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO", "0")
    try:
        import ray
    except ImportError as error:
        raise ExecutorError(
            f"executor 'ray' needs {error.name}; install it with: pip install 'blackbox-prompts[ray]'"
        ) from error
    return ray


@contextmanager
def connected(address: str | None, package: str | None = None) -> Iterator[Any]:
    """Ray, connected; what this call connected or started, its end disconnects or stops.

    Args:
        address: "host:port" of a cluster, "auto" for one that runs on this machine, "local" for one of this process
            alone; None takes $RAY_ADDRESS, then one that runs on this machine, then one of this process alone.
        package: a wheel of this project, which every worker is given; None where it is installed there.

    Raises:
        ExecutorError: Ray is not installed, or no cluster answers, or it runs other versions of Ray or Python.
    """
    ray = import_ray()
    if ray.is_initialized():
        yield ray
        return
    options: dict[str, Any] = {"log_to_driver": False, "logging_level": logging.ERROR, "namespace": "blackbox"}
    if package:
        options["runtime_env"] = {"py_modules": [str(Path(package).resolve())]}
    place = address or os.environ.get("RAY_ADDRESS")
    try:
        _check_reachable(place)
        with _own_handlers():
            ray.init(address=address, **options)
    except Exception as error:
        raise ExecutorError(f"no connection to Ray at {place or 'its default address'}: {_reason(error)}") from error
    try:
        yield ray
    finally:
        ray.shutdown()


def _check_reachable(address: str | None) -> None:
    """Ray itself tries an address where nobody listens for minutes."""
    host, colon, port = (address or "").rpartition(":")
    if colon and port.isdigit() and "/" not in host:
        socket.create_connection((host.strip("[]"), int(port)), timeout=_CONNECT).close()


@contextmanager
def _own_handlers() -> Iterator[None]:
    """Put this process's handler of SIGTERM back, which `ray.init` replaces."""
    main = threading.current_thread() is threading.main_thread()
    before = signal.getsignal(signal.SIGTERM)
    try:
        yield
    finally:
        if main:
            signal.signal(signal.SIGTERM, before)


def _reason(error: Exception) -> str:
    """What Ray says, in one line."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return " ".join(lines[:6]) or type(error).__name__
