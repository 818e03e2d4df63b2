"""What an optimizer costs beside the model: CPU time of ask + tell a generation, d = 500, population 20.

Ours and plain pycma with its defaults run in one process, on one BLAS thread, in alternating rounds, so that a busy
machine slows all of them. The loss is a sphere whose cost is not counted. Saving is measured on a run of 400
generations, the 8,000 evaluations of BBT's published budget.
"""

from __future__ import annotations

import itertools
import json
import statistics
import time
from collections.abc import Callable
from typing import Any, Literal

import numpy as np

from blackbox.optimizers import CMAES, FloatArray
from blackbox.optimizers.blas import one_blas_thread

DIMENSION, POPULATION = 500, 20
BARS = {"diagonal": 1.5, "full": 8.0}
"""Most CPU ms a generation may take, by covariance."""

Generation = Callable[[], float]
"""Runs one generation; returns the CPU seconds of ask + tell."""
Covariance = Literal["full", "diagonal"]
StepSize = Literal["csa", "tpa"]
COVARIANCES: tuple[Covariance, ...] = ("diagonal", "full")
STEP_SIZES: tuple[StepSize, ...] = ("csa", "tpa")


def run(quick: bool) -> dict[str, object]:
    """Prints the tables; returns CPU ms a generation, and time and size of saving, by name."""
    rounds, generations, saved = (5, 20, 60) if quick else (9, 100, 400)
    with one_blas_thread():
        costs = _costs(_searches(), rounds, generations)
        saving = {name: _saving(make, saved) for name, make in _ours().items()}
    _print_costs(costs, rounds, generations)
    _print_saving(saving, saved)
    bars = {f"{name}_bar_met": all(costs[f"{name} {s}"] <= bar for s in STEP_SIZES) for name, bar in BARS.items()}
    return {"ms_per_generation": costs, "saving": saving, "generations_saved": saved, **bars}


def _ours() -> dict[str, Callable[[], CMAES]]:
    def make(covariance: Covariance, step_size: StepSize) -> Callable[[], CMAES]:
        return lambda: CMAES(DIMENSION, population_size=POPULATION, covariance=covariance, step_size=step_size, seed=1)

    return {f"{c} {s}": make(c, s) for c, s in itertools.product(COVARIANCES, STEP_SIZES)}


def _searches() -> dict[str, Generation]:
    ours = {name: _generation(make()) for name, make in _ours().items()}
    return {**ours, **{f"pycma {name}": _pycma_generation(name) for name in COVARIANCES}}


def _sphere(candidates: FloatArray) -> FloatArray:
    losses: FloatArray = ((candidates - 1.0) ** 2).sum(axis=1)
    return losses


def _generation(optimizer: CMAES) -> Generation:
    def once() -> float:
        start = time.process_time()
        candidates = optimizer.ask()
        middle = time.process_time()
        losses = _sphere(candidates)
        again = time.process_time()
        optimizer.tell(candidates, losses)
        return time.process_time() - again + middle - start

    return once


def _pycma_generation(covariance: Covariance) -> Generation:
    import cma  # type: ignore[import-untyped]

    options: dict[str, Any] = {
        "popsize": POPULATION,
        "verbose": -9,
        "seed": 1,
        "CMA_diagonal": covariance == "diagonal",
    }
    es = cma.CMAEvolutionStrategy(np.zeros(DIMENSION), 1.0, options)

    def once() -> float:
        start = time.process_time()
        candidates = es.ask()
        middle = time.process_time()
        losses = _sphere(np.array(candidates)).tolist()
        again = time.process_time()
        es.tell(candidates, losses)
        return time.process_time() - again + middle - start

    return once


def _costs(searches: dict[str, Generation], rounds: int, generations: int) -> dict[str, float]:
    """CPU ms a generation, the median over rounds, each round a mean so that rare eigendecompositions count."""
    for search in searches.values():  # the first generations load and compile what later ones have at hand
        for _ in range(5):
            search()
    means: dict[str, list[float]] = {name: [] for name in searches}
    for _ in range(rounds):
        for name, search in searches.items():
            means[name].append(1e3 * statistics.fmean(search() for _ in range(generations)))
    return {name: round(statistics.median(values), 3) for name, values in means.items()}


def _saving(make: Callable[[], CMAES], generations: int) -> dict[str, float]:
    optimizer = make()
    for _ in range(generations):
        candidates = optimizer.ask()
        optimizer.tell(candidates, _sphere(candidates))
    start = time.process_time()
    text = json.dumps(optimizer.state_dict())
    middle = time.process_time()
    make().load_state_dict(json.loads(text))
    end = time.process_time()
    return {
        "save_ms": round(1e3 * (middle - start), 2),
        "restore_s": round(end - middle, 2),
        "kB": round(len(text) / 1e3),
    }


def _print_costs(costs: dict[str, float], rounds: int, generations: int) -> None:
    print(f"CPU ms a generation (ask + tell), d = {DIMENSION}, population {POPULATION}:")
    print(f"median of {rounds} alternating rounds of {generations} generations, one BLAS thread\n")
    print(f"{'':<16}{'ms':>8}{'bar':>8}")
    for name, cost in costs.items():
        bar = BARS.get(name.split()[0])
        print(f"{name:<16}{cost:>8.2f}{'' if bar is None else f'{bar:.1f}':>8}")


def _print_saving(saving: dict[str, dict[str, float]], generations: int) -> None:
    print(f"\nState after {generations} generations:\n\n{'':<16}{'save ms':>8}{'kB':>8}{'restore s':>11}")
    for name, figures in saving.items():
        print(f"{name:<16}{figures['save_ms']:>8.1f}{figures['kB']:>8.0f}{figures['restore_s']:>11.2f}")
    print()
