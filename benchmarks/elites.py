"""How often bfloat16 finds the best candidate of a generation, alone and with its best scored again in float32.

A BBTv2 search on SmolLM2-135M-Instruct and the SST-2 rows of the first seed, told the float32 losses; each generation
is scored in bfloat16 as well. With k elites, the winner is the lowest float32 loss among the k lowest in bfloat16.
"""

import numpy as np

from benchmarks.data import data_folder
from benchmarks.sst2 import SEEDS, SETTINGS, make_task
from blackbox.config import make_config
from blackbox.objective import Objective
from blackbox.parts import make_parts

ELITES = (0, 1, 2, 3, 5)
GENERATIONS, QUICK = 30, 2


def run(*, quick: bool) -> dict[str, object]:
    """Shares of generations with the same winner, by the number of elites."""
    task = make_task(data_folder("sst2"), SEEDS[0])
    exact, fast = (make_parts(make_config({**SETTINGS, "dtype": dtype}), task) for dtype in ("float32", "bfloat16"))
    optimizer, space = exact.optimizer, exact.space
    of = {name: Objective(task, parts.backend, space) for name, parts in (("exact", exact), ("fast", fast))}
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
