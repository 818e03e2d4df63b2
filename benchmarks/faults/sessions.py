"""Sessions of one run as processes of their own, which can be killed."""

import json
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from benchmarks.faults.endpoint import Endpoint

LONGEST = 300.0
"""A session, s."""

_COSTS = ("seconds", "requests", "prompt_tokens", "completion_tokens", "usd")


def begin(config: Path, folder: Path) -> "subprocess.Popen[bytes]":
    """A session that begins the run, or goes on with it."""
    begun = (folder / "config.json").exists()
    command = ["resume", folder] if begun else ["tune", config, "--runs", folder.parent, "--name", folder.name]
    return subprocess.Popen(
        [sys.executable, "-m", "blackbox", *map(str, command)], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )


def ends(process: "subprocess.Popen[bytes]", until: Callable[[], bool] = lambda: False) -> bool:
    """Wait for a session; where `until` says so, kill it. Whether it has ended by itself.

    Raises:
        RuntimeError: neither came in time.
    """
    end = time.monotonic() + LONGEST
    while process.poll() is None:
        if time.monotonic() > end:
            process.kill()
            raise RuntimeError("a session takes too long")
        if until():
            process.kill()
            process.wait()
            return False
        time.sleep(0.002)
    return True


def after(requests: int, endpoint: Endpoint) -> Callable[[], bool]:
    """Whether the endpoint has had so many more requests: a moment that does not depend on the pace of the machine."""
    goal = endpoint.bill().requests + requests
    return lambda: endpoint.bill().requests >= goal


def found(folder: Path) -> dict[str, Any]:
    """What a run has found: the prompt and the summary, without what it cost."""
    summary = json.loads((folder / "summary.json").read_text())
    prompt = json.loads((folder / "prompt" / "prompt.json").read_text())
    return {"prompt": prompt, **{name: value for name, value in summary.items() if name not in _COSTS}}
