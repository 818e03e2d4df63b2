"""The jobs that are handed in, and the same runs done by the library.

Odd ones race text prompts on an endpoint that is paid for each answer; even ones search with CMA-ES on the model that
costs nothing. No two ask the endpoint the same.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from benchmarks.faults.task import ROWS, TEMPLATE, USD_PER_MILLION, WORDS, rows
from blackbox import Evaluation, tune
from blackbox.client import Client, File

PARALLEL = 4
"""Calls in flight of a paid job."""
_PRICES = {
    "usd_per_million_prompt_tokens": USD_PER_MILLION[0],
    "usd_per_million_completion_tokens": USD_PER_MILLION[1],
}
_PROMPTS = 8
_COSTS = ("seconds", "requests", "prompt_tokens", "completion_tokens", "usd")


@dataclass(frozen=True)
class Asked:
    """A job to hand in.

    Attributes:
        model: settings of the operator's.
        settings: of the search.
    """

    name: str
    backend: str
    model: Mapping[str, Any] = field(repr=False)
    settings: Mapping[str, Any] = field(repr=False)

    @property
    def is_paid(self) -> bool:
        """Whether it asks the endpoint."""
        return self.backend == "paid"


@dataclass(frozen=True)
class Found:
    """What a run has found; two of the same job must be equal.

    Attributes:
        facts: of all evaluations.
        prompt: as it is saved.
        summary: without what it cost.
    """

    facts: tuple[tuple[object, ...], ...]
    prompt: Mapping[str, Any]
    summary: Mapping[str, Any]


def models(base_url: str) -> dict[str, dict[str, Any]]:
    """The operator's models by name."""
    paid = {"backend": "openai", "model": "fake", "base_url": base_url, "parallel": PARALLEL, **_PRICES}
    return {"paid": paid, "fake": {"backend": "fake"}}


def write_backends(path: Path, base_url: str) -> Path:
    """The operator's file."""
    lines = []
    for name, settings in models(base_url).items():
        lines += [f"[backends.{name}]", *(f"{key} = {json.dumps(value)}" for key, value in settings.items())]
    path.write_text("\n".join(lines) + "\n")
    return path


def write_rows(folder: Path) -> dict[str, Path]:
    """The files of the task, by setting."""
    paths = {split: folder / f"{split}.jsonl" for split in ROWS}
    for split, path in paths.items():
        path.write_text("".join(json.dumps(row) + "\n" for row in rows(split, ROWS[split])))
    return paths


def job(number: int, base_url: str, *, evaluations: int) -> Asked:
    """A job; `evaluations` are those of a search with CMA-ES."""
    common = {"template": TEMPLATE, "label_words": WORDS, "seed": number}
    if number % 2:
        prompts = [f"Job {number}. Style {style}: is this praise? " for style in range(_PROMPTS)]
        settings = {**common, "space": "texts", "prompts": prompts}
    else:
        settings = {**common, "prompt": "Is this praise?", "dimension": 20, "evaluations": evaluations}
    backend = "paid" if number % 2 else "fake"
    return Asked(f"job-{number}", backend, models(base_url)[backend], settings)


def upload(client: Client, paths: Mapping[str, Path]) -> dict[str, File]:
    """The task's files in the service, by setting."""
    return {split: client.files.upload(path) for split, path in paths.items()}


def request(asked: Asked, files: Mapping[str, File]) -> dict[str, Any]:
    """What `client.jobs.create` takes."""
    return {
        "backend": asked.backend,
        "training_file": files["train"].id,
        "dev_file": files["dev"].id,
        "test_file": files["test"].id,
        "settings": asked.settings,
        "name": asked.name,
        "idempotency_key": asked.name,
    }


def by_the_library(asked: Asked, paths: Mapping[str, Path], folder: Path) -> Found:
    """What an unbroken run finds."""
    files = {split: str(path) for split, path in paths.items()}
    result = tune(folder=folder, **asked.model, **asked.settings, **files)
    summary = json.loads((folder / "summary.json").read_text())
    return found(result.history, json.loads((folder / "prompt" / "prompt.json").read_text()), summary)


def found(history: list[Evaluation] | tuple[Evaluation, ...], prompt: Any, summary: Mapping[str, Any]) -> Found:
    """What two runs are compared by."""
    without = {name: value for name, value in summary.items() if name not in _COSTS}
    return Found(tuple(evaluation.facts for evaluation in history), prompt, without)
