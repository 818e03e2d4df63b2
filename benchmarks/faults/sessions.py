"""Sessions of one run as processes of their own, which can be killed."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

_COSTS = ("seconds", "requests", "prompt_tokens", "completion_tokens", "usd")


def begin(config: Path, folder: Path) -> "subprocess.Popen[bytes]":
    """A session that begins the run, or goes on with it."""
    begun = (folder / "config.json").exists()
    command = ["resume", folder] if begun else ["tune", config, "--runs", folder.parent, "--name", folder.name]
    return subprocess.Popen(
        [sys.executable, "-m", "blackbox", *map(str, command)], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )


def lives(process: "subprocess.Popen[bytes]", seconds: float) -> bool:
    """Let a session live so long, then kill it; whether it has ended before."""
    try:
        process.wait(seconds)
        return True
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
        return False


def found(folder: Path) -> dict[str, Any]:
    """What a run has found: the prompt and the summary, without what it cost."""
    summary = json.loads((folder / "summary.json").read_text())
    prompt = json.loads((folder / "prompt" / "prompt.json").read_text())
    return {"prompt": prompt, **{name: value for name, value in summary.items() if name not in _COSTS}}
