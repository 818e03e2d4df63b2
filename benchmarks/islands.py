"""Islands of CMA-ES against one CMA-ES at equal evaluations, on functions with one optimum and with many.

Test functions of the COCO/BBOB suite (Hansen et al. 2009, RR-6829), shifted, rotated, 20 numbers, lowest loss 0; the
optimum is a standard normal draw, the start 0, sigma 1. One search has 20 or 80 candidates a generation; four islands
have 20 each, with and without exchange; `restarts` is one island. A CMA-ES that stops ends there, as in a run. What is
compared is log10 of the lowest loss told, at least 1e-8; all searches of a try meet the same function, so that
differences are paired.

What came out: one island, restarts, is level with one CMA-ES of 20 or ahead of it everywhere. Four islands split the
budget: up to 6,000 evaluations they are behind or, within the error, level; at 16,000 they are ahead on Rastrigin's
function, level on Schaffer's, far behind on the ellipsoid and Rosenbrock's; on Griewank's and the two funnels tries
differ too much to tell. One CMA-ES of 80 is nowhere surely behind them, and ahead on the ellipsoid and Rastrigin's. The
exchange helps a little on the ellipsoid; elsewhere it makes no difference that is seen.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

import numpy as np

from blackbox.optimizers import CMAES, FloatArray, Islands, Optimizer

SEED = 20_261_125
DIMENSION, POPULATION, ISLANDS = 20, 20, 4
BUDGETS, TRIES = (2_000, 6_000, 16_000), 7
QUICK, QUICK_TRIES = BUDGETS[:2], 2
SOLVED = 1e-8
STUDENT = 2.447  # 95% of Student's t with TRIES - 1 degrees of freedom; of a quick look it would be more

Loss = Callable[[FloatArray], FloatArray]
"""Losses, shape (n,), of candidates, shape (n, dimension)."""


def _cma_es(population_size: int, seed: int) -> Optimizer:
    return CMAES(DIMENSION, population_size=population_size, seed=seed)


def _islands(count: int, interval: int) -> Callable[[int], Optimizer]:
    return lambda seed: Islands(
        _cma_es, islands=count, population_size=POPULATION, migration_interval=interval, seed=seed
    )


BASE = "cma-es, 20"
SEARCHES: dict[str, Callable[[int], Optimizer]] = {
    BASE: lambda seed: _cma_es(POPULATION, seed),
    "cma-es, 80": lambda seed: _cma_es(ISLANDS * POPULATION, seed),
    "restarts": _islands(1, 0),
    "islands, no exchange": _islands(ISLANDS, 0),
    "islands": _islands(ISLANDS, 10),
}


def ellipsoid(z: FloatArray) -> FloatArray:
    """Condition number 1e6."""
    return _sum(1e6 ** np.linspace(0, 1, z.shape[1]) * z**2)


def rosenbrock(z: FloatArray) -> FloatArray:
    """A bent valley."""
    x = z + 1
    return _sum(100 * (x[:, 1:] - x[:, :-1] ** 2) ** 2 + (1 - x[:, :-1]) ** 2)


def rastrigin(z: FloatArray) -> FloatArray:
    """Very many optima on a bowl."""
    return _sum(z**2 - 10 * np.cos(2 * np.pi * z) + 10)


def schaffer(z: FloatArray) -> FloatArray:
    """Many optima whose depth and frequency vary (F7, the mean over pairs of neighbours, not squared)."""
    s = np.sqrt(z[:, 1:] ** 2 + z[:, :-1] ** 2)
    losses: FloatArray = (np.sqrt(s) * (1 + np.sin(50 * s**0.2) ** 2)).mean(axis=1)
    return losses


def griewank(z: FloatArray) -> FloatArray:
    """A bowl with ripples, in units of a hundredth."""
    x = 100 * z
    waves: FloatArray = np.cos(x / np.sqrt(np.arange(1, x.shape[1] + 1))).prod(axis=1)
    return _sum(x**2) / 4000 - waves + 1


def two_funnels(z: FloatArray) -> FloatArray:
    """Rastrigin's ripples on two bowls: the wider one, 3 away in each direction, ends higher (after Lunacek 2008)."""
    d = z.shape[1]
    bowls = np.minimum(_sum(z**2), d + 0.7 * _sum((z + 3) ** 2))
    return bowls + _sum(1 - np.cos(2 * np.pi * z))


FUNCTIONS: dict[str, Loss] = {
    function.__name__: function for function in (ellipsoid, rosenbrock, rastrigin, schaffer, griewank, two_funnels)
}


def shifted_and_rotated(function: Loss, seed: int) -> Loss:
    """The function around an optimum and along axes of its own, drawn from the seed."""
    rng = np.random.default_rng([seed, 1])  # not the searches' own draws: the first would be the optimum
    optimum = rng.standard_normal(DIMENSION)
    q, r = np.linalg.qr(rng.standard_normal((DIMENSION, DIMENSION)))
    rotation = q * np.sign(np.diag(r))
    return lambda candidates: function((candidates - optimum) @ rotation)


def run(*, quick: bool) -> dict[str, object]:
    """Of each function and budget, log10 losses of one CMA-ES and differences from it."""
    budgets, tries = (QUICK, QUICK_TRIES) if quick else (BUDGETS, TRIES)
    print(f"log10 of the lowest loss after {budgets} evaluations, mean of {tries} tries; of others the difference")
    return {name: measured(name, budgets, tries) for name in FUNCTIONS}


def measured(name: str, budgets: Sequence[int], tries: int) -> dict[str, object]:
    """The figures of one function; prints their lines."""
    words = np.random.SeedSequence([SEED, list(FUNCTIONS).index(name)]).generate_state(tries)
    seeds = [int(word) for word in words]
    print(f"\n{name}")
    lowest = {search: np.array([one_try(search, name, seed, budgets) for seed in seeds]) for search in SEARCHES}
    figures: dict[str, object] = {"tries": tries}
    for search, found in lowest.items():
        differences = found - (0.0 if search == BASE else lowest[BASE])
        mean, error = differences.mean(axis=0), STUDENT * differences.std(axis=0, ddof=1) / math.sqrt(tries)
        solved = (found <= math.log10(SOLVED)).mean(axis=0)
        figures[search] = {
            f"{budget}": {"mean": round(m, 3), "half_of_the_interval": round(e, 3), "solved": round(s, 2)}
            for budget, m, e, s in zip(budgets, mean.tolist(), error.tolist(), solved.tolist(), strict=True)
        }
        columns = [f"{m:+.2f} +- {e:.2f}" for m, e in zip(mean, error, strict=True)]
        print(f"  {search:22}{''.join(f'{column:18}' for column in columns)}solved {solved[-1]:.0%}", flush=True)
    return figures


def one_try(search: str, function: str, seed: int, budgets: Sequence[int]) -> list[float]:
    """log10 of the lowest loss told within each of the growing budgets."""
    loss, optimizer = shifted_and_rotated(FUNCTIONS[function], seed), SEARCHES[search](seed)
    told = np.empty(0)
    while len(told) < budgets[-1] and not optimizer.stop() and told.min(initial=np.inf) > SOLVED:
        candidates = optimizer.ask()
        losses = loss(candidates)
        optimizer.tell(candidates, losses)
        told = np.concatenate([told, losses])
    return [math.log10(max(SOLVED, told[:budget].min())) for budget in budgets]


def _sum(terms: FloatArray) -> FloatArray:
    losses: FloatArray = terms.sum(axis=1)
    return losses
