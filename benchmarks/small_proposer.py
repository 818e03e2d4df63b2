"""A model too small to propose: SmolLM2-135M-Instruct on llama.cpp's server does the task and writes instructions.

Each search has the same hard limit of calls, proposals included, few rows, and starts from the task's template alone.
It shall fall back to edits that need no model, end with a better prompt than the start, and adopt no garbage. What is
garbage nobody counts here: all instructions that were taken in stand in the figures, to be read.
"""

import logging
from collections.abc import Mapping
from typing import Any

from benchmarks.kept import once
from benchmarks.llama_server import llama_server
from benchmarks.text_search import ENDPOINT, on_test
from benchmarks.text_search.tasks import SOURCES
from blackbox import Result, Task
from blackbox.backends import TextPrompt
from blackbox.build import make_backend
from blackbox.config import make_config
from blackbox.parts import make_parts
from blackbox.run import run as run_parts
from blackbox.spaces import ChoicesSpace

CALLS = 400
TASKS = ("trec", "antonyms")
OPTIMIZERS = ("evolution", "reflective")
SETTINGS: Mapping[str, Any] = {"space": "choices", "population": 6, "finalists": 1, "demonstrations": 4}
TRAIN, DEV = 24, 12
SEED = 13


def run(*, quick: bool) -> dict[str, object]:
    """What each search proposed, refused, adopted and gained; `quick`: one search of half the calls."""
    logging.getLogger("blackbox").setLevel(logging.ERROR)
    tasks, optimizers, calls = (TASKS[:1], OPTIMIZERS[:1], CALLS // 2) if quick else (TASKS, OPTIMIZERS, CALLS)
    found: list[dict[str, Any]] = []
    with llama_server(reuse=True) as url:
        for name in tasks:
            task = few_rows(SOURCES[name].make(SEED))
            start = once(f"{name} start", lambda task=task: on_test(url, task, TextPrompt("")))  # type: ignore[misc]
            for optimizer in optimizers:
                figures = once(
                    f"{name} {optimizer} {calls}",
                    lambda task=task, optimizer=optimizer: searched(url, task, optimizer, calls),  # type: ignore[misc]
                )
                found.append({"task": name, "optimizer": optimizer, "start": start["test"], **figures})
                print(f"{name}, {optimizer}: {found[-1]}", flush=True)
    return {
        "calls": calls,
        "searches": found,
        "proposed": sum(one["proposed"] for one in found),
        "taken_in": sum(len(one["taken_in"]) for one in found),
        "all_improved": all(one["test"] > one["start"] for one in found),
    }


def few_rows(task: Task) -> Task:
    """The task with its first rows only, as many of each label."""
    values = task.to_dict()
    return Task.from_dict({**values, "train": _few(task, "train", TRAIN), "dev": _few(task, "dev", DEV)})


def searched(url: str, task: Task, optimizer: str, calls: int) -> dict[str, Any]:
    """The figures of one search."""
    quiet = Task.from_dict({**task.to_dict(), "test": []})
    own = {"optimizer": optimizer, "base_url": url, "max_requests": calls, "evaluations": 10**6, "seed": SEED}
    config = make_config({**ENDPOINT, **SETTINGS, **own})
    backend: Any = make_backend(config)
    try:
        parts = make_parts(config, quiet, backend=backend)
        result = run_parts(parts, None, ())
    finally:
        backend.close()
    if not isinstance(parts.space, ChoicesSpace):
        raise TypeError(f"a search of instructions needs the space of choices, got {parts.space}")
    return figures(result, parts.space) | on_test(url, task, result.prompt)


def figures(result: Result, space: ChoicesSpace) -> dict[str, Any]:
    """What a search says of itself."""
    written, text = space.instructions[space.given :], result.saved.text or ""
    adopted = max((one for one in written if text.startswith(one)), key=len, default="")
    dev = result.summary.dev_figure
    return {
        "proposed": len(written) + space.refused.total(),
        "refused": dict(space.refused.most_common()),
        "taken_in": written,
        "adopted": adopted,
        "share_of_the_prompt_by_the_model": len(adopted) / len(text) if text else 0.0,
        "dev": dev and dev.value,
        "requests": result.summary.requests,
        "evaluations": result.summary.evaluations,
        "seconds": round(result.summary.seconds, 1),
        "prompt": text,
    }


def _few(task: Task, name: str, count: int) -> list[dict[str, Any]]:
    """Rows of a split, of each label in turn."""
    rows, labels = task.to_dict()[name], getattr(task, name).labels.tolist()
    rank = [labels[:place].count(label) for place, label in enumerate(labels)]
    return [rows[place] for place in sorted(range(len(rows)), key=rank.__getitem__)[:count]]
