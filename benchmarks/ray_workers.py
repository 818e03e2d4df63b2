"""Ray's part in a search: what it costs a generation, how it scales, what kills do to it, and what memory it takes.

Both sides of a ratio are measured in this process, in turn. It wants the machine for itself.
"""

import os
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np

from benchmarks.killed_workers import Killer, hosts
from blackbox import Task, tune
from blackbox.backends import FakeBackend, Prompt, Query, Scores, Usage
from blackbox.backends.local import load_backend
from blackbox.objective import Objective
from blackbox.parallel import Executor, Serial
from blackbox.parallel.ray_pool import RayPool
from blackbox.scorer import Scorer
from blackbox.spaces import DeepSpace, SoftSpace

DIMENSION, POPULATION, SLICE = 500, 20, 5
WORDS = {"negative": "bad", "positive": "great"}


class Constant(FakeBackend):
    """Gives every label the same probability and takes no processor: workers beyond the cores would wait for one."""

    def score(self, prompts: Sequence[Prompt], queries: Sequence[Query]) -> Scores:
        return Scores(np.full((len(prompts), len(queries), 2), np.log(0.5)), (Usage(),) * len(prompts))


class Sleeping(Constant):
    """Takes 50 ms a slice."""

    def score(self, prompts: Sequence[Prompt], queries: Sequence[Query]) -> Scores:
        time.sleep(0.05)
        return super().score(prompts, queries)


def run(*, quick: bool) -> dict[str, object]:
    """All figures; `quick`: fewer generations, two kills, 2,000 evaluations."""
    import ray

    ray.init(address="local", num_cpus=64, include_dashboard=False, log_to_driver=False, logging_level="ERROR")
    try:
        return dict(told(quick))
    finally:
        ray.shutdown()


def told(quick: bool) -> Iterator[tuple[str, object]]:
    """Each figure with its name, printed as soon as it is known."""
    parts: dict[str, Callable[[], object]] = {
        "overhead_ms": lambda: overhead(10 if quick else 200),
        "scaling": lambda: {
            workers: scaling(workers, 2 if quick else 6) for workers in ((2,) if quick else (2, 8, 32))
        },
        "model": lambda: model(1 if quick else 5),
        "kills": lambda: kills(2 if quick else 20),
        "memory": lambda: driver_memory(2_000 if quick else 100_000),
        "projections": projections,
    }
    for name, part in parts.items():
        figure = part()
        print(f"{name}: {figure}", flush=True)
        yield name, figure


def overhead(generations: int) -> dict[str, float]:
    """What a generation of 20 in 4 slices takes more with 2 workers than in this process, ms."""
    scorer = small_scorer(Constant())
    with pool(scorer, 2) as workers:
        of = {"serial": objective(scorer, Serial(scorer)), "ray": objective(scorer, workers)}
        taken: dict[str, list[float]] = {name: [] for name in of}
        for number in range(generations):
            for name, one in of.items():
                taken[name].append(1000 * generation(one, POPULATION, number))
    middle = {name: median(each[len(each) // 10 :]) for name, each in taken.items()}
    return {**middle, "more": middle["ray"] - middle["serial"]}


def scaling(workers: int, rounds: int) -> dict[str, float]:
    """The share of the ideal pace at 4 and at 20 slices of 50 ms for each worker."""
    scorer = small_scorer(Sleeping())
    shares = {}
    with pool(scorer, workers) as executor:
        one = objective(scorer, executor)
        for slices in (4, 20):
            count = slices * workers * SLICE
            generation(one, count, 0)
            seconds = median(generation(one, count, number) for number in range(rounds))
            shares[f"share_of_ideal_{slices}_slices"] = slices * 0.05 / seconds
    return shares


def model(rounds: int) -> dict[str, float]:
    """SmolLM2-135M: a generation by one worker of one thread and by two, in turn."""
    backend = load_backend("smollm2-135m", threads=1)
    size = backend.shape.hidden_size
    space = SoftSpace([5] * 20, 0.1, size, dimension=DIMENSION, seed=1)
    scorer = Scorer(task(16), backend, space)
    taken: dict[int, list[float]] = {1: [], 2: []}
    with pool(scorer, 1) as single, pool(scorer, 2) as double:
        both = {1: objective(scorer, single), 2: objective(scorer, double)}
        for one in both.values():
            generation(one, POPULATION, 0)
        for number in range(rounds):
            for count, one in both.items():
                taken[count].append(generation(one, POPULATION, number))
    seconds = {count: median(each) for count, each in taken.items()}
    return {"one_worker_s": seconds[1], "two_workers_s": seconds[2], "ratio": seconds[1] / seconds[2]}


def kills(runs: int) -> dict[str, int]:
    """Runs with 3 workers, one of which is killed now and then, against the unbroken run."""
    settings: dict[str, Any] = {
        "backend": "fake", "layers": "all", "dimension": 4, "population": 12, "evaluations": 400, "slice_size": 3,
        "seed": 1,
    }  # fmt: skip
    unbroken = [one.facts for one in tune(task(16), **settings).history]
    same = killed = 0
    for seed in range(runs):
        killer = Killer(seed)
        history = tune(task(16), **settings, executor="ray", workers=3, callbacks=[killer]).history
        same += [one.facts for one in history] == unbroken
        killed += len(killer.killed)
    return {"runs": runs, "same": same, "killed": killed}


def driver_memory(evaluations: int) -> dict[str, float]:
    """Resident memory of this process after a tenth and after all of the evaluations, MB; the journal apart."""
    scorer = small_scorer(Constant())
    found = []
    with pool(scorer, 2) as executor:
        one = objective(scorer, executor)
        generations = evaluations // 100
        for number in range(generations):
            generation(one, 100, number)
            if number + 1 in (generations // 10, generations):
                found.append(memory(os.getpid())["Rss"])
    return {"after_a_tenth": found[0], "at_the_end": found[1]}


def projections() -> dict[str, float]:
    """Memory that a worker has to itself with the projections of 24 layers of 500 x 51,200, beyond one without, MB.

    Once as it has them (2.5 GB where they are dense), and once after it has decoded: what that needs for a moment stays
    with its process.
    """
    held, after = {}, {}
    for name in (None, "hadamard", "gaussian"):
        layers = dict.fromkeys(range(24 if name else 1), 0.1)
        space = DeepSpace(
            [5] * 50, layers, 1024, dimension=DIMENSION if name else 2, projection=name or "hadamard", seed=1
        )
        scorer = Scorer(task(8), Constant(), space)
        with pool(scorer, 2) as executor:
            held[name] = max(memory(process)["Private"] for process in hosts())
            generation(objective(scorer, executor), 8, 0)
            after[name] = max(memory(process)["Private"] for process in hosts())
    more = {f"{name}_mb": held[name] - held[None] for name in ("hadamard", "gaussian")}
    return more | {f"{name}_decoded_mb": after[name] - after[None] for name in ("hadamard", "gaussian")}


def small_scorer(backend: FakeBackend) -> Scorer:
    """A task of 8 rows and a space of 500 numbers for the fake backend."""
    size = backend.shape.hidden_size
    return Scorer(task(8), backend, SoftSpace([1, 2], 0.1, size, dimension=DIMENSION, projection="hadamard", seed=1))


def objective(scorer: Scorer, executor: Executor[Scorer]) -> Objective:
    return Objective(scorer.task, scorer.backend, scorer.space, executor=executor, slice_size=SLICE)


def generation(of: Objective, count: int, seed: int) -> float:
    """Seconds that random candidates take, cut into slices."""
    candidates = np.random.default_rng(seed).standard_normal((count, of.space.dimension))
    parts = [candidates[first : first + SLICE] for first in range(0, count, SLICE)]
    began = time.perf_counter()
    for _ in of.slices(parts, of.task.train):
        pass
    return time.perf_counter() - began


@contextmanager
def pool(scorer: Scorer, workers: int) -> Iterator[RayPool[Scorer]]:
    """Workers that have all started."""
    executor = RayPool(scorer, workers)
    try:
        while any(actor.starting is not None for actor in executor._actors):
            executor._wait()
        yield executor
    finally:
        executor.close()


def task(rows: int) -> Task:
    """Rows that hold the words of their labels, which the fake backend reads."""
    labels = list(WORDS)
    train = [
        {"text": f"Day {number} was {WORDS[labels[number % 2]]}.", "label": labels[number % 2]}
        for number in range(rows)
    ]
    return Task(train, template="{text} It was {label}.", label_words=WORDS)


def memory(process: int) -> dict[str, float]:
    """Of a process, MB: all that is resident, and the part that it shares with no other."""
    found: dict[str, float] = {"Rss": 0.0, "Private": 0.0}
    for line in Path(f"/proc/{process}/smaps_rollup").read_text().splitlines()[1:]:
        name, amount = line.split(":")
        for key in found:
            if name.split("_")[0] == key and name != "Private_Hugetlb":
                found[key] += int(amount.split()[0]) / 1000
    return found
