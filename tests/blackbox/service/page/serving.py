"""`blackbox serve` as a process of its own, with the fake backend and one worker."""

import os
import re
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any

import requests

from blackbox.service.store import open_store

ROOT = Path(__file__).parents[4]
BACKENDS = """
[backends.fake]
backend = "fake"
description = "No model: for trying things out."
max_evaluations = 30000
"""
_READY = re.compile(r"blackbox serves at (\S+)")


@dataclass
class Serving:
    """A service that runs; `token` where it wants one. `start` begins it again after `stop` or `kill`."""

    folder: Path
    url: str = ""
    token: str | None = None
    _process: subprocess.Popen[str] | None = field(default=None, repr=False)

    def start(self) -> None:
        port = self.url.rpartition(":")[2] or "0"
        (self.folder / "backends.toml").write_text(BACKENDS)
        options = ["--folder", "service", "--backends", "backends.toml", "--port", port]
        environment = {**os.environ, "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"}
        self._process = subprocess.Popen(
            [sys.executable, "-m", "blackbox", "serve", *options],
            cwd=self.folder,
            env=environment,
            stdin=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
        )
        said = self._process.stderr
        assert said is not None
        found = next((match for line in said if (match := _READY.search(line))), None)
        assert found, "the service has ended"
        self.url = found[1]
        threading.Thread(target=_drain, args=(said,), daemon=True).start()  # a full pipe would stop it

    def stop(self) -> None:
        self._end(signal.SIGTERM)

    def kill(self) -> None:
        """As `kill -9` does; its worker sees that, and hands back its job."""
        self._end(signal.SIGKILL)

    def _end(self, number: signal.Signals) -> None:
        if self._process is not None:
            self._process.send_signal(number)
            self._process.wait(60)
            self._process = None

    def want_token(self) -> None:
        """From now on it wants one."""
        with open_store(f"sqlite:///{self.folder / 'service' / 'service.sqlite'}") as store:
            self.token = store.tokens.create("me", "submit")[1]

    def get(self, path: str) -> Any:
        """What a path of the API answers."""
        answer = requests.get(self.url + path, headers=self._headers, timeout=20)
        assert answer.ok, answer.text
        return answer.json()

    def submit(self, *, name: str, file: str, **settings: Any) -> str:
        """The id of a job that is handed in over HTTP; its rows are those of a file, which it is selected on, too."""
        body = {"backend": "fake", "name": name, "settings": settings, "training_file": file, "dev_file": file}
        return str(self._post("/v1/tuning/jobs", json=body)["id"])

    def upload(self, content: str) -> str:
        """The id of a file of rows."""
        return str(self._post("/v1/files", files={"file": ("rows.jsonl", content)})["id"])

    def _post(self, path: str, **body: Any) -> Any:
        answer = requests.post(self.url + path, headers=self._headers, timeout=20, **body)
        assert answer.ok, answer.text
        return answer.json()

    @property
    def _headers(self) -> dict[str, str]:
        return {"authorization": f"Bearer {self.token}"} if self.token else {}


def _drain(said: IO[str]) -> None:
    with said:
        said.read()


@contextmanager
def serving(folder: Path) -> Iterator[Serving]:
    """A service in a folder."""
    service = Serving(folder)
    try:
        service.start()
        yield service
    finally:
        service.stop()
