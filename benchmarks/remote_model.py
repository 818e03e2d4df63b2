"""A model behind a model server on the loopback against the same model in this process: losses, and time.

SmolLM2-135M, deep prompts in the upper half of its layers, the demo's 32 training rows, float32. A generation has 20
candidates in four calls of five. Both sides have one thread; only one works at a time, and they take turns in going
first. Processor time, of this process and the server's, stands beside time on the wall: other work on the machine
does not count in it. Two searches: one that changes a layer at a time (BBTv2, where the server must know again the
layers below) and one that changes all of them (the most that can be sent).
"""

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from time import perf_counter

import numpy as np
import psutil

from blackbox import Task, read_rows
from blackbox.backends import Backend, Prompt, Query, RemoteBackend, VectorBackend
from blackbox.backends.local import load_backend
from blackbox.spaces import DeepSpace

MODEL, POPULATION, SLICE, DIMENSION = "smollm2-135m", 20, 5, 100
PROMPT = "Classify the customer's feedback.\n"
WORDS = {"satisfied": "great", "unsatisfied": "bad"}
_ROWS = Path(__file__).parents[1] / "examples" / "data" / "feedback" / "train.jsonl"


@dataclass(frozen=True)
class Sides:
    """The two sides, and what they are asked."""

    local: Backend
    remote: Backend
    task: Task
    space: DeepSpace
    processes: tuple[psutil.Process, ...]

    @property
    def busy(self) -> float:
        """Seconds of processor time of all processes."""
        return sum(used.user + used.system for used in (process.cpu_times() for process in self.processes))

    @property
    def queries(self) -> list[Query]:
        """The training rows."""
        return list(self.task.train.queries)


def run(*, quick: bool) -> dict[str, object]:
    """The figures of both searches; `quick`: two generations of each."""
    with served() as (url, server):
        local, remote = load_backend(MODEL, threads=1), RemoteBackend(url)
        task = Task(read_rows(_ROWS), template="{text} It was {label}.", label_words=WORDS)
        sides = Sides(local, remote, task, space_of(local, task), (psutil.Process(), psutil.Process(server)))
        figures: dict[str, object] = {
            "layer by layer": compared(sides, blockwise(sides.space, 2 if quick else 8)),
            "all layers": compared(sides, whole(sides.space, 2 if quick else 6)),
        }
        remote.close()
    for name, value in figures.items():
        print(f"{name}: {value}", flush=True)
    return figures


@contextmanager
def served() -> Iterator[tuple[str, int]]:
    """The URL of a model server with one thread, and the number of its process."""
    command = [sys.executable, "-m", "blackbox", "serve-model", MODEL, "--port", "0", "--threads", "1"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            line = process.stdout.readline() if process.stdout else ""
            if " at http" not in line:
                raise RuntimeError(f"the model server has not begun: {line!r}")
            yield line.partition(" at ")[2].partition(",")[0], process.pid
        finally:
            process.terminate()


def space_of(backend: VectorBackend, task: Task) -> DeepSpace:
    """The upper half of the layers, scaled as a run scales them."""
    tokens, half = backend.encode(PROMPT), backend.shape.n_layers // 2
    stds = backend.hidden_stds(tokens, task.train.queries)
    layers = {layer: float(stds[layer]) for layer in range(half, backend.shape.n_layers)}
    return DeepSpace(tokens, layers, backend.shape.hidden_size, dimension=DIMENSION, seed=1)


def blockwise(space: DeepSpace, generations: int) -> Iterator[list[Prompt]]:
    """Generations that change a layer each, evenly over all of them, from an incumbent that moves on."""
    rng, incumbent = np.random.default_rng(1), np.zeros((len(space.layers), DIMENSION))
    for place in np.linspace(0, len(space.layers) - 1, generations).round().astype(int):
        candidates = np.repeat(incumbent[None], POPULATION, axis=0)
        candidates[:, place] = rng.standard_normal((POPULATION, DIMENSION))
        incumbent = candidates[0]
        yield space.decode(candidates.reshape(POPULATION, -1))


def whole(space: DeepSpace, generations: int) -> Iterator[list[Prompt]]:
    """Generations that change every searched layer."""
    rng = np.random.default_rng(2)
    for _ in range(generations):
        yield space.decode(rng.standard_normal((POPULATION, space.dimension)))


def compared(sides: Sides, generations: Iterator[list[Prompt]]) -> dict[str, float]:
    """Seconds a generation on both sides, their ratio, and the largest difference of a loss, nats."""
    seconds: dict[str, list[float]] = {"local": [], "remote": []}
    busy: dict[str, list[float]] = {"local": [], "remote": []}
    difference = 0.0
    labels = sides.task.train.labels
    for side in (sides.local, sides.remote):
        side.score(sides.space.decode(np.zeros((1, sides.space.dimension))), sides.queries)  # rows are tokenised once
    for number, prompts in enumerate(generations):
        order = ("local", "remote") if number % 2 else ("remote", "local")
        losses = {}
        for name in order:
            began, used = perf_counter(), sides.busy
            losses[name] = scored(getattr(sides, name), prompts, sides.queries, labels)
            seconds[name].append(perf_counter() - began)
            busy[name].append(sides.busy - used)
        print(
            f"generation {number}: {[round(times[-1], 2) for times in (*seconds.values(), *busy.values())]} s",
            flush=True,
        )
        difference = max(difference, float(np.abs(losses["local"] - losses["remote"]).max()))
    ratios = [there / here for there, here in zip(seconds["remote"], seconds["local"], strict=True)]
    return {
        "generations": len(ratios),
        "local_s": median(seconds["local"]),
        "remote_s": median(seconds["remote"]),
        "ratio_of_sums": sum(seconds["remote"]) / sum(seconds["local"]),
        "median_ratio": median(ratios),
        "local_cpu_s": median(busy["local"]),
        "remote_cpu_s": median(busy["remote"]),
        "cpu_ratio_of_sums": sum(busy["remote"]) / sum(busy["local"]),
        "largest_loss_difference_nats": difference,
    }


def scored(backend: Backend, prompts: list[Prompt], queries: list[Query], labels: np.ndarray) -> np.ndarray:
    """The cross-entropy of each prompt on each row, nats, shape (n_prompts, n_rows); in slices, as a run asks."""
    parts = [prompts[first : first + SLICE] for first in range(0, len(prompts), SLICE)]
    found = np.concatenate([backend.score(part, queries).log_probabilities for part in parts])
    return -np.take_along_axis(found, np.asarray(labels)[None, :, None], axis=2)[..., 0]
