"""Searches of text prompts on a real endpoint: llama.cpp's server with SmolLM2-135M-Instruct, real data.

Each search has the same hard limit of calls, few training and dev rows, and starts from the same prompt: the task's
template alone. What it finds is scored on rows that no search has seen, and compared with the start and with random
search on the same rows.
"""

import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from statistics import mean
from typing import Any

import numpy as np

from benchmarks.llama_server import llama_server
from benchmarks.text_search.tasks import SEEDS, SOURCES
from blackbox import Result, Task, tune
from blackbox.backends import Backend, Prompt, TextPrompt
from blackbox.build import make_backend
from blackbox.config import make_config
from blackbox.objective import score_prompts
from blackbox.paired import t_interval

CALLS, QUICK = 1500, 300
START, BASELINE = "start", "random-search"
METHODS: Mapping[str, Mapping[str, Any]] = {
    BASELINE: {"optimizer": "random-search"},
    "categorical": {"optimizer": "categorical"},
}
ENDPOINT: Mapping[str, Any] = {"backend": "openai", "model": "smollm2-135m", "parallel": 2}
LEFT = 0.9  # a start with a higher score leaves less than 10 points


def run(*, quick: bool) -> dict[str, object]:
    """Test scores by task, seed and method; `quick`: two tasks, one seed, 300 calls."""
    names, seeds = (list(SOURCES)[:2], SEEDS[:1]) if quick else (list(SOURCES), SEEDS)
    found = []
    with llama_server(threads=2, reuse=True) as url, tempfile.TemporaryDirectory() as folder:
        for name in names:
            for seed in seeds:
                one = searched(SOURCES[name].make(seed), seed, url, Path(folder), calls=QUICK if quick else CALLS)
                found.append({"task": name, "seed": seed, **one})
                print(f"{name} seed {seed}: " + ", ".join(f"{who} {one[who]['test']:.1%}" for who in one), flush=True)
    return {"calls": QUICK if quick else CALLS, "searches": found, **{name: gains(found, name) for name in METHODS}}


def searched(task: Task, seed: int, url: str, folder: Path, *, calls: int) -> dict[str, dict[str, Any]]:
    """Each method's prompt and the start on the test rows, and what the search took."""
    quiet = Task.from_dict({**task.to_dict(), "test": []})
    results = {
        name: tune(quiet, **ENDPOINT, space="choices", base_url=url, max_requests=calls, evaluations=10**6, seed=seed,
                   **method)
        for name, method in METHODS.items()
    }  # fmt: skip
    with asking(url, folder / "test.sqlite") as backend:
        found = {name: took(result) | on_test(backend, task, result.prompt) for name, result in results.items()}
        return {START: on_test(backend, task, TextPrompt("")), **found}


def took(result: Result) -> dict[str, Any]:
    """What a search says of itself."""
    summary = result.summary
    dev = summary.dev_figure
    return {
        "dev": dev and dev.value,
        "requests": summary.requests,
        "evaluations": summary.evaluations,
        "seconds": summary.seconds,
        "saved_by_racing": summary.saved,
        "prompt": result.saved.text,
    }


def on_test(backend: Backend, task: Task, prompt: Prompt) -> dict[str, Any]:
    """A prompt's score on the test rows."""
    (outcome,) = score_prompts(backend, task, [prompt], task.test)
    if outcome.measured is None:
        raise ValueError("no test row has an answer")
    return {"test": outcome.measured.value, "missing": outcome.failed_rows}


@contextmanager
def asking(url: str, answers: Path) -> Iterator[Any]:
    """The endpoint without a limit."""
    backend: Any = make_backend(make_config({**ENDPOINT, "base_url": url, "answers": str(answers)}))
    try:
        yield backend
    finally:
        backend.close()


def gains(found: list[dict[str, Any]], method: str) -> dict[str, object]:
    """A method against the start and the baseline over all tasks and seeds, in points, with 95% intervals."""
    against: dict[str, object] = {}
    for other in (START, BASELINE):
        each = [one for one in found if other != START or one[START]["test"] <= LEFT]
        if other == method or not each:
            continue
        points = [100 * (one[method]["test"] - one[other]["test"]) for one in each]
        low, high = t_interval(np.array(points)) if len(points) > 1 else (None, None)
        tasks = {
            name: mean(point for point, one in zip(points, each, strict=True) if one["task"] == name)
            for name in dict.fromkeys(one["task"] for one in each)
        }
        against[f"against_{other}"] = {"mean_points": mean(points), "low": low, "high": high, "tasks": tasks}
        interval = "" if low is None else f" ({low:+.1f} to {high:+.1f})"
        print(f"{method} against {other}: {mean(points):+.1f} points{interval}; {tasks}", flush=True)
    return against
