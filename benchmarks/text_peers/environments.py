"""A virtual environment for each tool, with the pinned packages of `requirements-TOOL.txt`, made once."""

import fcntl
import hashlib
import os
import subprocess
import sys
from pathlib import Path

from benchmarks.data import MissingDataError


def environments_folder() -> Path:
    """$BLACKBOX_PEERS, or a folder in the user's cache."""
    cache = Path(os.environ.get("XDG_CACHE_HOME", Path.home() / ".cache"))
    return Path(os.environ.get("BLACKBOX_PEERS", cache / "blackbox-benchmarks"))


def environment(tool: str) -> Path:
    """The interpreter of a tool's environment, made unless it is there for just these requirements and this Python.

    Raises:
        MissingDataError: it cannot be made.
    """
    requirements = Path(__file__).with_name(f"requirements-{tool}.txt")
    digest = hashlib.sha256(requirements.read_bytes()).hexdigest()[:12]
    folder = environments_folder() / f"{tool}-{digest}-py{sys.version_info.major}.{sys.version_info.minor}"
    python, done = folder / "bin" / "python", folder / "complete"
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # of two that begin at the same time one makes it
        if not done.exists():
            print(f"{tool}: making {folder}", flush=True)
            _call(tool, [sys.executable, "-m", "venv", str(folder)])
            _call(tool, [str(python), "-m", "pip", "install", "--quiet", "--requirement", str(requirements)])
            done.touch()
    return python


def _call(tool: str, command: list[str]) -> None:
    ended = subprocess.run(command, capture_output=True, text=True, check=False)
    if ended.returncode:
        lines = ended.stderr.strip().splitlines() or ["no reason given"]
        raise MissingDataError(f"the environment of {tool} cannot be made: {lines[-1]}")
