"""SST-2, 16 shots a class, SmolLM2-135M-Instruct: BBTv2 on the upper half of the layers, before and after.

The published 16-shot splits with the seeds 13, 21 and 42, the published template and label words, 900 evaluations with
the looks at the dev rows included, 100 numbers a layer, and the first 500 test rows.
"""

from pathlib import Path
from statistics import mean, stdev

import torch

from benchmarks.data import data_folder
from blackbox import Result, Task, read_rows, tune

SEEDS = (13, 21, 42)
TEST_ROWS = 500
SETTINGS: dict[str, object] = {
    "model": "smollm2-135m",
    "dtype": "bfloat16",
    "prompt": "Classify the following movie review as positive or negative sentiment. ",
    "layers": "15-29",
    "dimension": 100,
    "evaluations": 900,
}


def run(*, quick: bool) -> dict[str, object]:
    """Accuracy on unseen rows before and after, for each seed and on the mean; `quick`: one seed, 120 evaluations."""
    folder = data_folder("sst2")
    seeds = SEEDS[:1] if quick else SEEDS
    settings = {**SETTINGS, **({"evaluations": 120} if quick else {})}
    print(f"{torch.get_num_threads()} threads; {settings}")
    rows = [one(folder, seed, settings) for seed in seeds]
    gains = [row["gain"] for row in rows]
    print(
        f"mean gain {mean(gains):.1f} points" + (f", standard deviation {stdev(gains):.1f}" if len(gains) > 1 else "")
    )
    return {"settings": settings, "seeds": rows, "mean_gain_points": mean(gains)}


def one(folder: Path, seed: int, settings: dict[str, object]) -> dict[str, float]:
    """One search."""
    summary = search(folder, seed, settings).summary
    if summary.test_before is None or summary.test_after is None:
        raise ValueError("the task has no test rows")
    before, after = summary.test_before, summary.test_after
    gain = 100 * (after.value - before.value)
    print(
        f"seed {seed}: {before} -> {after}, {gain:+.1f} points, "
        f"train loss {summary.train_loss:.3f}, {summary.seconds:.0f} s",
        flush=True,
    )
    return {
        "seed": seed,
        "before": before.value,
        "after": after.value,
        "after_low": after.low,
        "after_high": after.high,
        "gain": gain,
        "evaluations": summary.evaluations,
        "train_loss": summary.train_loss or 0.0,
        "seconds": summary.seconds,
    }


def search(folder: Path, seed: int, settings: dict[str, object]) -> Result:
    """Tune on the split of a seed."""
    return tune(make_task(folder, seed), seed=seed, **settings)  # type: ignore[arg-type]


def make_task(folder: Path, seed: int) -> Task:
    """The split of a seed with the published template and label words."""
    return Task(
        read_rows(folder / f"fewshot16/seed{seed}_train.jsonl"),
        dev=read_rows(folder / f"fewshot16/seed{seed}_dev.jsonl"),
        test=read_rows(folder / "test.jsonl")[:TEST_ROWS],
        template="{text} . It was {label} .",
        label_words={"negative": "bad", "positive": "great"},
    )
