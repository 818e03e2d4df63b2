"""What a run would do and cost, before it does."""

import time
from datetime import timedelta
from typing import Any

import numpy as np
from rich.table import Table
from rich.text import Text

from blackbox.backends import Backend
from blackbox.cli.console import err, out
from blackbox.config import make_config
from blackbox.objective import Objective, Outcome
from blackbox.parts import Parts, make_parts


def print_forecast(values: dict[str, Any]) -> None:
    """Load the parts, score the starting prompt once, and print what the whole budget would take."""
    config = make_config(values)
    with err.status("loading the model"):
        parts = make_parts(config)
    start, seconds = _start(parts, parts.backend)
    splits = (parts.task.train, parts.task.dev, parts.task.test)
    rows = config.evaluations * len(parts.task.train) + 2 * len(parts.task.test)
    time_ahead = seconds * rows / len(parts.task.train)
    if parts.exact is not None:  # elites are scored by both backends
        again = rows * config.elites // config.population
        start, seconds = _start(parts, parts.exact)
        rows, time_ahead = rows + again, time_ahead + seconds * again / len(parts.task.train)
    tokens = round(start.usage.prompt_tokens * rows / len(parts.task.train))
    lines = {
        "rows": ", ".join(f"{len(split)} {split.name}" for split in splits),
        "model": f"{parts.backend.name} ({config.backend}, {config.dtype})",
        "space": f"{config.space}, {parts.space.dimension} numbers in {len(parts.space.blocks)} blocks",
        "start": repr(config.prompt) if config.prompt else "random tokens",
        "optimizer": f"{config.optimizer}, {config.population} candidates a generation",
        "evaluations": f"at most {config.evaluations}",
        "requests": f"at most {rows:,} rows scored",
        "prompt tokens": f"about {tokens:,}",
        "cost": "0 USD (a local model)",
        "time": f"about {timedelta(seconds=round(time_ahead))}",
        "train loss of the start": f"{start.loss:.4f}",
    }
    table = Table("what", "this run", title="Dry run: nothing is written", title_justify="left")
    for what, value in lines.items():
        table.add_row(what, Text(value))  # no markup: prompts hold [/INST]
    out.print(table)


def _start(parts: Parts, backend: Backend) -> tuple[Outcome, float]:
    """The starting prompt on the training rows, and the seconds that it took."""
    began = time.monotonic()
    outcomes = Objective(parts.task, backend, parts.space)(np.zeros((1, parts.space.dimension)), parts.task.train)
    return outcomes[0], time.monotonic() - began
