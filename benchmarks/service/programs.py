"""The service's programs as processes of their own, which can be killed and started again."""

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType

import psutil
import requests

DEADLINE_S = 120.0


class Program:
    """A command of blackbox; as a context manager it ends with the context.

    Args:
        arguments: behind `blackbox`.
        url: of the database.
        log: the file that its messages go to.
    """

    def __init__(self, arguments: Sequence[str], *, url: str, log: Path) -> None:
        self._command = [sys.executable, "-m", "blackbox", *arguments]
        self._environment = {**os.environ, "BLACKBOX_DATABASE": url, "OMP_NUM_THREADS": "1"}
        self._log = log
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> "Program":
        self.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.end()

    @property
    def process(self) -> psutil.Process:
        """The process as it runs."""
        if self._process is None:
            raise RuntimeError("the program has not been started")
        return psutil.Process(self._process.pid)

    @property
    def children(self) -> list[psutil.Process]:
        """The processes that it has started."""
        return list(self.process.children())

    def start(self) -> None:
        """Start it, without waiting for anything."""
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(
                self._command, env=self._environment, stdin=subprocess.DEVNULL, stdout=log, stderr=log
            )

    def kill(self) -> None:
        """SIGKILL."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()

    def end(self) -> None:
        """SIGTERM, and SIGKILL to what has not ended then."""
        if self._process is None:
            return
        self._process.send_signal(signal.SIGTERM)
        try:
            self._process.wait(DEADLINE_S)
        except subprocess.TimeoutExpired:
            self.kill()


class Service(Program):
    """`blackbox serve` on a port that it keeps when it is started again.

    Attributes:
        port, base_url: of the service.
        folder: where it keeps its runs.
    """

    def __init__(self, folder: Path, *, url: str, workers: int, backends: Path | None = None) -> None:
        port = free_port()
        self.port, self.folder, self.base_url = port, folder, f"http://127.0.0.1:{port}"
        options = ["--folder", str(folder), "--port", str(port), "--workers", str(workers)]
        options += ["--backends", str(backends)] if backends else []
        super().__init__(["serve", *options], url=url, log=folder.parent / "serve.log")

    def __enter__(self) -> "Service":
        super().__enter__()
        self.wait()
        return self

    def wait(self) -> None:
        """Until it answers."""
        until = time.monotonic() + DEADLINE_S
        while True:
            try:
                if requests.get(f"{self.base_url}/readyz", timeout=10).status_code == 200:
                    return
            except requests.RequestException:
                pass
            if time.monotonic() > until:
                raise RuntimeError(f"the service does not answer; {self._log} says why")
            time.sleep(0.05)


def worker(folder: Path, *, url: str, backends: Path | None = None, lease_seconds: float, jobs: int = 1) -> Program:
    """`blackbox worker`."""
    options = ["--folder", str(folder), "--lease-seconds", str(lease_seconds), "--jobs", str(jobs)]
    options += ["--backends", str(backends)] if backends else []
    return Program(["worker", *options], url=url, log=folder.parent / "worker.log")


def free_port() -> int:
    """A port that nobody listens on at this moment."""
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


def peak_mb(process: psutil.Process) -> float:
    """The most memory that a process has had (RSS), in MB."""
    status = Path(f"/proc/{process.pid}/status").read_text()
    return int(status.partition("VmHWM:")[2].split()[0]) * 1024 / 1e6
