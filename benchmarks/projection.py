"""What the projections of a generation cost: CPU time of 20 candidates of one layer, and the memory of 24 layers.

"one by one" reads the whole matrix for each candidate, "blocks" is `DenseProjection`, "one product" a single matrix
product for all candidates, whose bits depend on company, and "hadamard" stores no matrix. All in one process, in turn,
on one BLAS thread.
"""

import tracemalloc
from collections.abc import Callable
from statistics import median
from time import process_time

import numpy as np
import numpy.typing as npt

from blackbox.optimizers.blas import one_blas_thread
from blackbox.spaces.projection import make_projection

SIZES = ((500, 50 * 1024), (100, 14 * 576))  # the published setting at 1,024 numbers a token, and the demo
CANDIDATES, LAYERS = 20, 24

Side = Callable[[npt.NDArray[np.float64]], object]
"""Projects candidates of shape (n, dimension)."""


def run(*, quick: bool) -> dict[str, object]:
    """Median CPU ms a generation of each side, and MB of 24 layers; `quick` is three rounds of the smaller size."""
    figures: dict[str, object] = {}
    for dimension, outputs in SIZES[1:] if quick else SIZES:
        figure = {
            "ms_per_generation": times(dimension, outputs, rounds=3 if quick else 25),
            "MB_of_24_layers": {name: memory(name, dimension, outputs) for name in ("gaussian", "hadamard")},
        }
        figures[f"{dimension} x {outputs}"] = figure
        print(f"{dimension} x {outputs}: {figure}", flush=True)
    return figures


def times(dimension: int, outputs: int, *, rounds: int) -> dict[str, float]:
    """Median CPU ms a generation of each side in turn, after one round that is not counted."""
    candidates = np.random.default_rng(1).standard_normal((CANDIDATES, dimension))
    sides = _sides(dimension, outputs)
    milliseconds: dict[str, list[float]] = {name: [] for name in sides}
    for _ in range(rounds + 1):
        for name, side in sides.items():
            began = process_time()
            side(candidates)
            milliseconds[name].append(1e3 * (process_time() - began))
    return {name: round(median(values[1:]), 2) for name, values in milliseconds.items()}


def memory(name: str, dimension: int, outputs: int) -> float:
    """MB that the projections of 24 layers hold."""
    tracemalloc.start()
    layers = [_projection(name, dimension, outputs, seed=layer) for layer in range(LAYERS)]
    held, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    del layers
    return round(held / 1e6, 1)


def _sides(dimension: int, outputs: int) -> dict[str, Side]:
    matrix = np.random.default_rng(1).standard_normal((dimension, outputs), dtype=np.float32)

    def one_by_one(candidates: npt.NDArray[np.float64]) -> object:
        return [candidate.astype(np.float32) @ matrix for candidate in candidates]

    def one_product(candidates: npt.NDArray[np.float64]) -> object:
        return candidates.astype(np.float32) @ matrix

    return {
        "one by one": _on_one_thread(one_by_one),
        "blocks": _projection("gaussian", dimension, outputs, seed=1),
        "one product": _on_one_thread(one_product),
        "hadamard": _projection("hadamard", dimension, outputs, seed=1),
    }


def _on_one_thread(side: Side) -> Side:
    def limited(candidates: npt.NDArray[np.float64]) -> object:
        with one_blas_thread():
            return side(candidates)

    return limited


def _projection(name: str, dimension: int, outputs: int, *, seed: int) -> Side:
    return make_projection(name, dimension, outputs, std=0.1, seed=np.random.SeedSequence(seed))
