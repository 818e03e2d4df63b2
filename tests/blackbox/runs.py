"""Runs of the command line in processes of their own, and what they leave behind."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

from blackbox.evaluation import Evaluation
from blackbox.files import read_json, write_whole
from tests.blackbox.small import TEMPLATE, WORDS, make_rows, write_toml

ENVIRONMENT = {**os.environ, "OMP_NUM_THREADS": "1", "COLUMNS": "80"}
DEADLINE = 60.0  # s


def write_task(folder: Path, **settings: object) -> Path:
    """A TOML file and its rows; 8 training, 6 dev and 10 test rows, the fake backend."""
    for name, rows in {"train": make_rows(8), "dev": make_rows(6, first=100), "test": make_rows(10, first=200)}.items():
        write_whole(folder / f"{name}.jsonl", "".join(json.dumps(row) + "\n" for row in rows).encode())
    files = {name: f"{name}.jsonl" for name in ("train", "dev", "test")}
    words = {"template": TEMPLATE, "label_words": WORDS}
    return write_toml(folder / "task.toml", **{**files, **words, "backend": "fake", "prompt": "ab", **settings})


def spawn(*arguments: object, **environment: str) -> "subprocess.Popen[str]":
    """`blackbox` in a process of its own, with these variables."""
    return subprocess.Popen(
        [sys.executable, "-m", "blackbox", *map(str, arguments)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**ENVIRONMENT, **environment},
        preexec_fn=_listen_to_interrupts,  # noqa: PLW1509 - the tests start no threads
    )


def finish(process: "subprocess.Popen[str]") -> tuple[int, str]:
    """The exit code and stderr of a process that ends by itself."""
    _, said = process.communicate(timeout=DEADLINE)
    return process.returncode, said


def wait_for_lines(journal: Path, count: int, process: "subprocess.Popen[str]") -> None:
    """Return as soon as a run's journal has so many lines, or the process has ended."""
    end = time.monotonic() + DEADLINE
    while process.poll() is None and time.monotonic() < end:
        if journal.exists() and journal.read_bytes().count(b"\n") >= count:
            return
        time.sleep(0.0005)


def outcome(folder: Path) -> dict[str, Any]:
    """All that a run has found and counted, but for time."""
    lines = (folder / "evaluations.jsonl").read_text().splitlines()
    return {
        "facts": [Evaluation.from_dict(json.loads(line)).facts for line in lines],
        "summary": {key: value for key, value in read_json(folder / "summary.json").items() if key != "seconds"},
        "prompt": read_json(folder / "prompt" / "prompt.json"),
        "vectors": {path.name: path.read_bytes() for path in (folder / "prompt").glob("*.safetensors")},
    }


def _listen_to_interrupts() -> None:
    """A process started in the background of a shell is deaf to SIGINT, and so are its children."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)
