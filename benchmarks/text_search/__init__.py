"""Searches of text prompts on a real endpoint: llama.cpp's server with SmolLM2-135M-Instruct, real data.

Each search has the same hard limit of calls, few training and dev rows, and starts from the same prompt: the task's
template alone. What it finds is scored on rows that no search has seen, and compared with the start and with random
search on the same rows.
"""

import tempfile
from collections.abc import Mapping
from pathlib import Path
from statistics import mean, stdev
from typing import Any

from benchmarks.llama_server import llama_server
from benchmarks.text_search.tasks import SEEDS, SOURCES
from blackbox import Task, read_rows, tune
from blackbox.backends import TextPrompt
from blackbox.run import Result

CALLS = 1500
METHODS: Mapping[str, Mapping[str, Any]] = {
    "random-search": {"optimizer": "random-search"},
    "categorical": {"optimizer": "categorical"},
}
ENDPOINT: Mapping[str, Any] = {"backend": "openai", "model": "smollm2-135m", "parallel": 2}


def run(*, quick: bool) -> dict[str, object]:
    """Test scores by task, seed and method; `quick`: two tasks, one seed, 300 calls."""
    names, seeds = (list(SOURCES)[:2], SEEDS[:1]) if quick else (list(SOURCES), SEEDS)
    found = []
    with llama_server(threads=2, reuse=True) as url, tempfile.TemporaryDirectory() as folder:
        for name in names:
            for seed in seeds:
                task = SOURCES[name].make(seed)
                answers = Path(folder) / f"{name}-{seed}.sqlite"
                one = of_task(task, seed, url, answers, calls=300 if quick else CALLS)
                found.append({"task": name, "seed": seed, **one})
                print(f"{name} seed {seed}: {described(one)}", flush=True)
    return {"calls": CALLS, "methods": {name: dict(method) for name, method in METHODS.items()}, "searches": found, **summed(found)}


def of_task(task: Task, seed: int, url: str, answers: Path, *, calls: int) -> dict[str, Any]:
    """The start's and each method's score on the test rows, in percent, and what it took."""
    quiet = Task.from_dict({**task.to_dict(), "test": []})
    results = {
        name: tune(quiet, **ENDPOINT, space="choices", base_url=url, max_requests=calls, evaluations=10**6, seed=seed,
                   answers=answers.with_stem(f"{answers.stem}-{name}"), **method)
        for name, method in METHODS.items()
    }  # fmt: skip
    start = scored(task, TextPrompt(""), url, answers)
    return {"start": start, "methods": {name: outcome(task, result, url, answers) for name, result in results.items()}}
