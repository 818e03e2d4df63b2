"""What a run would do and cost, before it does."""

import math
import time
from collections.abc import Callable, Sequence
from datetime import timedelta
from typing import Any

import numpy as np
from rich.table import Table
from rich.text import Text

from blackbox.asking import ask
from blackbox.backends import Backend, TextPrompt
from blackbox.backends.api import ApiBackend
from blackbox.cli.console import err, out
from blackbox.config import LIMITS, Config, make_config
from blackbox.finishing.plan import Plan
from blackbox.make_executor import busy_workers
from blackbox.objective import Objective
from blackbox.optimizers import Enumeration, TakesProposals
from blackbox.outcome import Outcome
from blackbox.parts import Parts, make_parts
from blackbox.report.words import in_usd
from blackbox.spaces import ChoicesSpace, PromptSpace, TextsSpace, prompt_of

_ASKED = 4  # rows that an endpoint is asked for a forecast


def print_forecast(values: dict[str, Any]) -> None:
    """Load the parts, score the starting prompt (behind an endpoint on a few rows), and print what is ahead."""
    config = make_config(values)
    with err.status("loading the model"):
        parts = make_parts(config)
    splits = (parts.task.train, parts.task.dev, parts.task.test)
    lines = {
        "rows": ", ".join(f"{len(split)} {split.name}" for split in splits),
        "space": f"{parts.config.space}, {_extent(parts.space)}",
        "optimizer": f"{config.optimizer}, {parts.optimizer.population_size} candidates a generation",
        "evaluations": f"at most {config.evaluations}",
    }
    backend = parts.backend
    lines |= _on_endpoint(parts, backend) if isinstance(backend, ApiBackend) else _on_this_machine(config, parts)
    if parts.writer is not None:
        lines["new instructions"] = (
            f"at most {config.evaluations} by {parts.writer.name}, {config.proposal_tokens} tokens each; they are not "
            "in the figures above"
        )
    table = Table("what", "this run", title="Dry run: nothing is written", title_justify="left")
    for what, value in lines.items():
        table.add_row(what, Text(value))  # no markup: prompts hold [/INST]
    out.print(table)


def _extent(space: PromptSpace) -> str:
    if space.sizes is None:
        return f"{space.dimension} numbers in {len(space.blocks)} blocks"
    return f"{math.prod(space.sizes):,} combinations of {space.dimension} choices"


def _on_this_machine(config: Config, parts: Parts) -> dict[str, str]:
    start, seconds = _start(parts, parts.backend)
    rows = _rows(parts)
    time_ahead = seconds * rows / len(parts.task.train)
    if parts.exact is not None:  # elites are scored by both backends
        again = rows * config.elites // config.population
        start, seconds = _start(parts, parts.exact)
        rows, time_ahead = rows + again, time_ahead + seconds * again / len(parts.task.train)
    tokens = round(start.usage.prompt_tokens * rows / len(parts.task.train))
    workers = busy_workers(config, parts.optimizer.population_size)
    beside = f" with {workers} workers, if each is as fast as this process" if workers > 1 else ""
    return {
        "model": f"{parts.backend.name} ({config.backend}, {config.dtype})",
        "start": _told(parts, config),
        "requests": f"at most {rows:,} rows scored",
        "prompt tokens": f"about {tokens:,}",
        "cost": "0 USD (a local model)",
        "time": f"about {timedelta(seconds=round(time_ahead / workers))}{beside}",
        "train loss of the start": f"{start.loss:.4f}",
    }


def _told(parts: Parts, config: Config) -> str:
    start = prompt_of(parts.space, np.zeros(parts.space.dimension))
    if isinstance(start, TextPrompt):
        return repr(start.whole)
    return repr(config.prompt) if config.prompt else "random tokens"


def _on_endpoint(parts: Parts, backend: ApiBackend) -> dict[str, str]:
    """A few rows say what a row costs; the bound is that of the longest prompt on the longest row, and the probe."""
    start = prompt_of(parts.space, np.zeros(parts.space.dimension))
    probe, began = backend.spent, time.monotonic()
    prompts = _longest(parts)
    asked = range(min(_ASKED, len(parts.task.train)))
    ask(backend, parts.task.grader, [start], parts.task.train, [asked])
    seconds, paid, rows = time.monotonic() - began, backend.spent, _rows(parts)
    splits, writing = (parts.task.train, parts.task.dev, parts.task.test), parts.task.grader.writing
    bounds = [
        backend.most([prompt], [query], writing)
        for prompt in prompts
        for split in splits
        for query in split.in_form_of(prompt).queries
    ]

    def about(name: str) -> float:
        before = getattr(probe, name)
        return float(before + rows * (getattr(paid, name) - before) / len(asked))

    def most(name: str) -> float:
        bound = getattr(probe, name) + rows * max((getattr(one, name) for one in bounds), default=math.inf)
        return float(min(bound, getattr(parts.config, f"max_{name}") or math.inf))

    way = "which writes" if writing else f"scored by {backend.scoring.name}"
    limits = {name: getattr(parts.config, name) for name in LIMITS}
    cost = (
        f"about {in_usd(about('usd'))}, at most {_bound(most('usd'), in_usd)}"
        if backend.price
        else "not known: no price"
    )
    return {
        "model": f"{backend.name} ({parts.config.backend}), {way}",
        "requests": f"at most {rows + probe.requests:,}, and failed attempts; a race needs fewer",
        "prompt tokens": f"about {about('prompt_tokens'):,.0f}, at most {_bound(most('prompt_tokens'))}",
        "completion tokens": f"at most {_bound(most('completion_tokens'))}",
        "cost": cost,
        "budget": ", ".join(f"{name} {limit:,}" for name, limit in limits.items() if limit is not None) or "none",
        "time": f"about {timedelta(seconds=round(seconds * rows / len(asked)))} at the pace of {len(asked)} rows",
        "spent on this forecast": f"{paid.requests} requests, {in_usd(paid.usd)}",
    }


def _longest(parts: Parts) -> Sequence[TextPrompt]:
    """Prompts of which one costs as much as any; none where a model writes them: the budget is the only bound then."""
    if isinstance(parts.space, TextsSpace):
        return parts.space.prompts
    if isinstance(parts.space, ChoicesSpace) and not isinstance(parts.optimizer, TakesProposals):
        return parts.space.longest()
    return ()


def _bound(most: float, written: Callable[[float], str] = "{:,.0f}".format) -> str:
    return written(most) if math.isfinite(most) else "what the budget allows"


def _rows(parts: Parts) -> int:
    """Rows scored at most, in the whole run."""
    task, evaluations, plan = parts.task, parts.config.evaluations, Plan.of(parts.config)
    rows = evaluations * len(task.train)
    if isinstance(parts.optimizer, Enumeration):  # it ends when all are scored
        looks = 1 + parts.config.finalists
        scored = 1 + parts.optimizer.population_size + (plan.price(task) if plan else 0)
        rows = min(rows, scored * len(task.train) + looks * len(task.dev))
    fitted = len(task.train) + len(task.dev) if plan.readout and len(task.test) else 0
    return rows + (1 + max(plan.ensemble, 1)) * len(task.test) + fitted


def _start(parts: Parts, backend: Backend) -> tuple[Outcome, float]:
    """The starting prompt on the training rows, and the seconds that it took."""
    began = time.monotonic()
    outcomes = Objective(parts.task, backend, parts.space)(np.zeros((1, parts.space.dimension)), parts.task.train)
    return outcomes[0], time.monotonic() - began
