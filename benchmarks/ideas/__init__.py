"""Does an idea of the literature help here? Each against the same search without it, on real tasks and a real model.

All searches have the same number of evaluations, the published 16-shot splits and templates, and start from the same
text where the idea is not another start. A difference is one of test scores, paired by task and seed.

It takes hours: Ctrl-C ends it with the figures of what is done, and `$BLACKBOX_KEPT` names a file that keeps these for
the next time.
"""

import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from statistics import mean
from typing import Any

import numpy as np

from benchmarks.ideas.table import IDEAS, PROMPTS, REFERENCES, Idea
from benchmarks.kept import once
from benchmarks.published import published_task
from blackbox import tune
from blackbox.paired import t_interval

TASKS, SEEDS, EVALUATIONS, TEST_ROWS = ("sst2", "trec"), (13, 21, 42), 150, 300
QUICK = 40


def run(*, quick: bool) -> dict[str, object]:
    """Points gained by each idea; `quick`: one task and seed, 40 evaluations, the ideas that are quick."""
    tasks, seeds, evaluations = (TASKS[:1], SEEDS[:1], QUICK) if quick else (TASKS, SEEDS, EVALUATIONS)
    found: dict[str, list[dict[str, Any]]] = {}
    try:
        for name in (*REFERENCES, *(name for name, idea in IDEAS.items() if idea.quick or not quick)):
            found[name] = []
            for task in tasks:
                for seed in seeds:
                    found[name].append(searched(name, task, seed, evaluations))
    except KeyboardInterrupt:
        print("stopped: the figures of what is done", flush=True)
    rows = [row for name, idea in IDEAS.items() if (row := gained(name, idea, found))]
    for row in rows:
        print(told(row), flush=True)
    return {"evaluations": evaluations, "tasks": list(tasks), "seeds": list(seeds), "ideas": rows, "searches": found}


def searched(name: str, task: str, seed: int, evaluations: int) -> dict[str, Any]:
    """What a search with an idea, or a reference, has found; from the kept ones where it is there."""
    return once(f"{name} {task} {seed} {evaluations}", lambda: _searched(name, task, seed, evaluations))


def _searched(name: str, task: str, seed: int, evaluations: int) -> dict[str, Any]:
    idea = IDEAS.get(name, Idea("", {}))
    settings = {
        **REFERENCES[idea.against if name in IDEAS else name],
        "prompt": PROMPTS[task],
        "evaluations": evaluations,
    }
    with tempfile.TemporaryDirectory() as folder:
        if idea.bank:
            other = next(one for one in TASKS if one != task)
            tune(
                published_task(other, seed, test_rows=0),
                folder=Path(folder) / other,
                seed=seed,
                **{**settings, "prompt": PROMPTS[other]},
            )
            settings["warm_start"] = [str(Path(folder) / other)]
        terms = {"templates": idea.templates[task]} if idea.templates else {}
        result = tune(
            published_task(task, seed, test_rows=TEST_ROWS, **terms, **idea.task),
            seed=seed,
            **_merged(settings, idea.settings),
        )
    summary = result.summary
    figures = {
        "task": task,
        "seed": seed,
        "before": summary.test_before and summary.test_before.value,
        "test": summary.test_after and summary.test_after.value,
        "dev": summary.dev_figure and summary.dev_figure.value,
        "train_loss": summary.train_loss,
        "evaluations": summary.evaluations,
        "seconds": round(summary.seconds, 1),
    }
    print(name, figures, flush=True)
    return figures


def _merged(settings: Mapping[str, Any], others: Mapping[str, Any]) -> dict[str, Any]:
    """Settings with others in their place; None takes one away."""
    return {key: value for key, value in {**settings, **others}.items() if value is not None}


def gained(name: str, idea: Idea, found: Mapping[str, Sequence[Mapping[str, Any]]]) -> dict[str, Any] | None:
    """An idea against its reference, in points of the test score; None where no pair of searches is done."""
    reference = {(one["task"], one["seed"]): one for one in found.get(idea.against, ())}
    pairs = [(one, reference[key]) for one in found.get(name, ()) if (key := (one["task"], one["seed"])) in reference]
    if not pairs:
        return None
    points = [100 * (one["test"] - other["test"]) for one, other in pairs]
    low, high = t_interval(np.array(points)) if len(points) > 1 else (None, None)
    return {
        "idea": name,
        "source": idea.source,
        "against": idea.against,
        "points": mean(points),
        "low": low,
        "high": high,
        "train_loss": mean(one["train_loss"] - other["train_loss"] for one, other in pairs),
        "time": mean(one["seconds"] for one, _ in pairs) / mean(other["seconds"] for _, other in pairs),
        "pairs": len(pairs),
    }


def told(row: Mapping[str, Any]) -> str:
    """A row of the table as a line."""
    interval = "" if row["low"] is None else f" ({row['low']:+.1f} to {row['high']:+.1f})"
    return (
        f"{row['idea']} against {row['against']}: {row['points']:+.1f} points{interval}, train loss "
        f"{row['train_loss']:+.3f}, {row['time']:.2f} of the time, {row['pairs']} pairs"
    )
