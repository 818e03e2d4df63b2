"""Searches of text prompts on a real endpoint: llama.cpp's server with SmolLM2-135M-Instruct, real data.

Each search has the same hard limit of calls, few training and dev rows, and starts from the same prompt: the task's
template alone. What it finds is scored on rows that no search has seen, and compared with the start, with random search
and with the same search without races.

It takes hours: Ctrl-C ends it with the figures of the searches that are done, and `$BLACKBOX_KEPT` names a file that
keeps these for the next time.
"""

import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from benchmarks.kept import once
from benchmarks.llama_server import llama_server
from benchmarks.text_search.figures import BASELINE, PLAIN, SEARCH, START, Meter, gains, savings, took
from benchmarks.text_search.tasks import SEEDS, SOURCES
from blackbox import Task, tune
from blackbox.backends import Prompt, TextPrompt
from blackbox.build import make_backend
from blackbox.config import make_config
from blackbox.outcome import score_prompts

CALLS, QUICK, QUICK_TEST_ROWS = 1500, 150, 40
METHODS: Mapping[str, Mapping[str, Any]] = {
    BASELINE: {"optimizer": "random-search"},
    SEARCH: {"optimizer": "categorical"},
    PLAIN: {"optimizer": "categorical", "racing": "off"},
}
ENDPOINT: Mapping[str, Any] = {"backend": "openai", "model": "smollm2-135m", "parallel": 2}


def run(*, quick: bool) -> dict[str, object]:
    """Test scores by task, seed and method; `quick`: one task and seed, 150 calls, 40 test rows."""
    names, seeds = (list(SOURCES)[:1], SEEDS[:1]) if quick else (list(SOURCES), SEEDS)
    calls = QUICK if quick else CALLS
    found: list[dict[str, Any]] = []
    with llama_server(reuse=True) as url:
        try:
            for seed in seeds:
                for name in names:
                    found.append({"task": name, "seed": seed})
                    _search(found[-1], url, calls)
        except KeyboardInterrupt:
            print("stopped: the figures of what is done", flush=True)
    against = {method: gains(found, method) for method in (SEARCH, BASELINE)}
    return {"calls": calls, "searches": found, **against, "racing": savings(found)}


def _search(one: dict[str, Any], url: str, calls: int) -> None:
    """Add the start's and each method's figures to the task and seed of `one`."""
    task, seed = SOURCES[one["task"]].make(one["seed"]), one["seed"]
    if calls == QUICK:
        values = task.to_dict()
        task = Task.from_dict({**values, "test": values["test"][:QUICK_TEST_ROWS]})
    of = f"{one['task']} {seed} {calls}"
    one[START] = once(f"{of} {START}", lambda: on_test(url, task, TextPrompt("")))
    for method in METHODS:
        one[method] = once(f"{of} {method}", lambda method=method: searched(task, seed, url, METHODS[method], calls))  # type: ignore[misc]
        print(f"{of} {method}: {one[START]['test']:.1%} -> {one[method]['test']:.1%}", flush=True)


def searched(task: Task, seed: int, url: str, method: Mapping[str, Any], calls: int) -> dict[str, Any]:
    """What a search found, on the test rows too, and what it took."""
    quiet = Task.from_dict({**task.to_dict(), "test": []})
    backend: Any = make_backend(make_config({**ENDPOINT, "base_url": url, "max_requests": calls}))
    try:
        meter = Meter(backend)
        result = tune(
            quiet, backend=backend, callbacks=[meter], space="choices", evaluations=10**6, seed=seed, **method
        )
    finally:
        backend.close()
    return took(result, meter.requests) | on_test(url, task, result.prompt)


def on_test(url: str, task: Task, prompt: Prompt) -> dict[str, Any]:
    """A prompt's score on the test rows, asked without a limit."""
    with tempfile.TemporaryDirectory() as folder:
        settings = {**ENDPOINT, "base_url": url, "answers": str(Path(folder) / "answers.sqlite")}
        backend: Any = make_backend(make_config(settings))
        try:
            (outcome,) = score_prompts(backend, task, [prompt], task.test)
        finally:
            backend.close()
    if outcome.measured is None:
        raise ValueError("no test row has an answer")
    return {"test": outcome.measured.value, "missing": outcome.failed_rows}
