"""What tells the labels, before any search: given words, found ones, calibrated ones, class means, ridge regression.

The published 16-shot splits behind the starting text, SmolLM2-135M-Instruct; each is scored on the same test rows. What
a search makes of the prompt comes on top of these (`ideas`).

A part is kept in `$BLACKBOX_KEPT`; `$BLACKBOX_SEEDS` names the seeds.
"""

from statistics import mean
from typing import Any

import numpy as np

from benchmarks.few_shot.table import PROMPTS
from benchmarks.kept import once
from benchmarks.published import published_task
from benchmarks.seeds import seeds_of
from blackbox.backends import TextPrompt
from blackbox.backends.local import LocalBackend, load_backend
from blackbox.outcome import score_prompts
from blackbox.paired import t_interval
from blackbox.verbalizers.named_readouts import READOUTS
from blackbox.verbalizers.setting import SEARCH, with_words
from blackbox.verbalizers.words import find_words

SEEDS, TEST_ROWS, QUICK_TEST_ROWS = (13, 21, 42), 300, 60
TASKS = ("sst2", "trec", "agnews", "rte", "mrpc", "snli")
GIVEN = "given"
NAMES = (GIVEN, SEARCH, *READOUTS)


def run(*, quick: bool) -> dict[str, object]:
    """Test scores, per cent, by task; each against the given words. `quick`: SST-2, one seed, 60 test rows."""
    tasks, seeds = (TASKS[:1], SEEDS[:1]) if quick else (TASKS, seeds_of(SEEDS))
    rows = QUICK_TEST_ROWS if quick else TEST_ROWS
    backend = load_backend("smollm2-135m", threads=1)
    parts = []
    try:
        for seed in seeds:
            for task in tasks:
                name = f"verbalizers {task} {seed} {rows}"
                parts.append({"task": task, "seed": seed} | once(name, lambda: scores_of(backend, task, seed, rows)))  # noqa: B023
                print(parts[-1], flush=True)
    except KeyboardInterrupt:
        print("stopped: the figures of what is done", flush=True)
    return {
        "test_rows": rows,
        "seeds": list(seeds),
        "means": {name: _by_task(parts, name) for name in NAMES},
        "against_given": {name: _against_given(parts, name) for name in NAMES if name != GIVEN},
        "parts": parts,
    }


def scores_of(backend: LocalBackend, task: str, seed: int, test_rows: int) -> dict[str, Any]:
    """The task's own metric on the test rows by what tells the labels, per cent, and the words that were found."""
    prompt = TextPrompt(PROMPTS[task])
    given = published_task(task, seed, test_rows=test_rows)
    found = find_words(backend, given, prompt)
    tasks = {GIVEN: given, SEARCH: with_words(given, found)}
    tasks |= {name: given.changed(verbalizer=name) for name in READOUTS}
    scores: dict[str, Any] = {}
    for name, one in tasks.items():
        [outcome] = score_prompts(backend, one, [prompt], one.test)
        scores[name] = 100 * outcome.measured.value if outcome.measured else None
    return {**scores, "words": list(found.words)}


def _by_task(parts: list[dict[str, Any]], name: str) -> dict[str, float]:
    """Means over the seeds, and their mean over the tasks."""
    tasks = dict.fromkeys(part["task"] for part in parts)
    found = {task: mean(part[name] for part in parts if part["task"] == task) for task in tasks}
    return {**found, "mean": mean(found.values())}


def _against_given(parts: list[dict[str, Any]], name: str) -> dict[str, object]:
    """Points over the given words, paired by task and seed, with their 95% interval."""
    points = np.array([part[name] - part[GIVEN] for part in parts])
    low, high = t_interval(points) if len(points) > 1 else (None, None)
    return {"points": float(points.mean()), "low": low, "high": high, "pairs": len(points)}
