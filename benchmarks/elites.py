"""How often bfloat16 finds the best candidate of a generation, alone and with its best scored again in float32.

A BBTv2 search on SmolLM2-135M-Instruct and the SST-2 rows of the first seed, told the float32 losses; each generation
is scored in bfloat16 as well, which a processor without it emulates. With k elites, the winner is the lowest float32
loss among the k lowest in bfloat16.
"""

import numpy as np
import torch

from benchmarks.data import data_folder
from benchmarks.rounding import RoundedBackend
from benchmarks.sst2 import SEEDS, SETTINGS, make_task
from blackbox.backends import Backend
from blackbox.backends.local import load_backend
from blackbox.backends.local.processor import fast_on_cpu
from blackbox.config import make_config
from blackbox.objective import Objective
from blackbox.parts import make_parts

ELITES = (0, 1, 2, 3, 5)
GENERATIONS, QUICK = 40, 1


def run(*, quick: bool) -> dict[str, object]:
    """Shares of generations with the same winner, by the number of elites."""
    task = make_task(data_folder("sst2"), SEEDS[0])
    exact = make_parts(make_config({**SETTINGS, "dtype": "float32"}), task)
    optimizer, space = exact.optimizer, exact.space
    of = {"exact": Objective(task, exact.backend, space), "fast": Objective(task, bfloat16_backend(), space)}
    same: dict[int, list[bool]] = {elites: [] for elites in ELITES}
    errors, spreads = [], []
    while len(errors) < (QUICK if quick else GENERATIONS):
        candidates = optimizer.ask()
        losses = {
            name: np.array([one.loss for one in objective(candidates, task.train)]) for name, objective in of.items()
        }
        optimizer.tell(candidates, losses["exact"])
        if len(candidates) == 1:  # the start
            continue
        order = np.argsort(losses["fast"], kind="stable")
        for elites in ELITES:
            best = order[: max(1, elites)]
            same[elites].append(bool(best[losses["exact"][best].argmin()] == losses["exact"].argmin()))
        errors.append(float(np.abs(losses["fast"] - losses["exact"]).max()))
        spreads.append(float(losses["exact"].std()))
        shares = {elites: sum(found) / len(found) for elites, found in same.items()}
        print(f"{len(errors)} generations: same winner with k elites {shares}", flush=True)
    return {
        "generations": len(errors),
        "same_winner_by_elites": {str(elites): float(np.mean(found)) for elites, found in same.items()},
        "largest_error_of_a_loss": max(errors),
        "spread_of_a_generation": float(np.median(spreads)),
    }


def bfloat16_backend() -> Backend:
    """The model in bfloat16, or what comes out as if it were."""
    if fast_on_cpu(torch.bfloat16):
        return load_backend("smollm2-135m", dtype="bfloat16", device="cpu")
    return RoundedBackend(load_backend("smollm2-135m", device="cpu"))
