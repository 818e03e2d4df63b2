"""Optimizers of choices at equal evaluations: the true loss of the candidate selected, relative to random search.

Instruction, template, label words and four slots for demonstrations, chosen on simulated landscapes whose true losses
have a standard deviation of 1 over all combinations. What is told has noise: each candidate's own, as a mean over few
rows has it, more for those in a generation that lose a race, which stay behind; one in 50 fails. The lowest loss told
is selected, or the best of the three lowest by fresh noise, as by a look at dev rows. All optimizers meet the same
landscapes, so that differences are paired. The method `categorical` was chosen with other seeds.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable

import numpy as np

from blackbox.optimizers import Categorical, Domain, FloatArray, NevergradChoices, Optimizer, RandomChoices

SEED = 20_261_125
BUDGETS, POPULATION = (120, 300), 15
TRIES, QUICK = 60, 4  # of each landscape and budget
NOISE, ROUGH, FAILS = 0.5, 0.6, 0.02  # standard deviations, of all and of those that lose a race on top; a share
DOMAIN = Domain((1, 1, 1, 4), sizes=(8, 4, 6, 32, 32, 32, 32))

Make = Callable[[Domain, int, int], Optimizer]
"""(domain, budget, seed) -> optimizer."""


def _nevergrad(name: str) -> Make:
    return lambda domain, budget, seed: NevergradChoices(
        domain.sizes or (), name=name, population_size=POPULATION, budget=budget, seed=seed
    )


def _categorical(domain: Domain, budget: int, seed: int) -> Optimizer:
    return Categorical(domain.sizes or (), blocks=domain.blocks, population_size=POPULATION, seed=seed)


OTHERS: dict[str, Make] = {
    "categorical": _categorical,
    "nevergrad:DiscreteOnePlusOne": _nevergrad("DiscreteOnePlusOne"),
    "nevergrad:PortfolioDiscreteOnePlusOne": _nevergrad("PortfolioDiscreteOnePlusOne"),
}


class Landscape:
    """True losses of all combinations, and what is told of them.

    Kinds: `additive` (each variable and slot has effects of its own), `slots` (a demonstration has one effect, in
    whichever slot, once), `pairs` (half of the variance from pairs of variables), `dominating` (three quarters from one
    variable), `needle` (no combination tells of any other).
    """

    def __init__(self, kind: str, seed: int) -> None:
        self._kind, self._seed = kind, seed
        self._rng = np.random.default_rng(seed)
        sizes = DOMAIN.sizes or ()
        self._main = [self._rng.standard_normal(size) for size in sizes]
        self._pairs = {
            (i, j): self._rng.standard_normal((sizes[i], sizes[j])) for i, j in itertools.combinations(range(7), 2)
        }

    def true(self, candidates: FloatArray) -> FloatArray:
        """Shape (n,), of candidates of shape (n, 7)."""
        return np.array([self._of(tuple(candidate)) for candidate in candidates.astype(int).tolist()])

    def told(self, candidates: FloatArray) -> FloatArray:
        """Shape (n,): with noise, a race's rough losses of those behind the best third, and failures."""
        settled = self.true(candidates) + NOISE * self._own_noise(candidates)
        rough = settled + ROUGH * self._rng.standard_normal(len(candidates))
        order = rough.argsort()
        winners, others = order[: len(order) // 3], order[len(order) // 3 :]
        losses = settled.copy()
        if len(winners):
            losses[others] = np.maximum(rough[others], settled[winners].max())
        return np.where(self._rng.random(len(candidates)) < FAILS, np.inf, losses)

    def looked_at(self, candidates: FloatArray) -> FloatArray:
        """Shape (n,): with noise of other rows."""
        return self.true(candidates) + NOISE * self._rng.standard_normal(len(candidates))

    def _of(self, choice: tuple[int, ...]) -> float:
        if self._kind == "needle":
            return float(np.random.default_rng([self._seed, 1, *choice]).standard_normal())
        if self._kind == "slots":
            own = sum(self._main[i][choice[i]] for i in range(3))
            return float(own + sum(self._main[3][row] for row in set(choice[3:]))) / math.sqrt(7)
        effects = np.array([effect[category] for effect, category in zip(self._main, choice, strict=True)])
        if self._kind == "dominating":
            return float(math.sqrt(0.75) * effects[0] + math.sqrt(0.25 / 6) * effects[1:].sum())
        if self._kind == "additive":
            return float(effects.sum() / math.sqrt(7))
        pairs = sum(table[choice[i], choice[j]] for (i, j), table in self._pairs.items())
        return float(math.sqrt(0.5 / 7) * effects.sum() + math.sqrt(0.5 / 21) * pairs)

    def _own_noise(self, candidates: FloatArray) -> FloatArray:
        """The same whenever a candidate is asked: it meets the same rows."""
        choices = candidates.astype(int).tolist()
        return np.array([np.random.default_rng([self._seed, 2, *choice]).standard_normal() for choice in choices])


KINDS = ("additive", "slots", "pairs", "dominating", "needle")


def run(*, quick: bool) -> dict[str, object]:
    """True losses of what is selected, those of random search and differences from it, by landscape and budget."""
    print(f"true loss, in standard deviations of the landscape; {QUICK if quick else TRIES} tries, 95% intervals")
    return {
        f"{kind}, {budget} evaluations": measured(kind, budget, QUICK if quick else TRIES)
        for kind in KINDS
        for budget in BUDGETS
    }


def measured(kind: str, budget: int, tries: int) -> dict[str, object]:
    """The figures of one landscape and budget; prints their lines."""
    seeds = [int(word) for word in np.random.SeedSequence([SEED, KINDS.index(kind), budget]).generate_state(tries)]
    base = np.array([one_try(_random, kind, budget, seed) for seed in seeds])
    figures: dict[str, object] = {"tries": tries, "random-search": _named(base.mean(axis=0))}
    print(f"\n{kind}, {budget} evaluations{'':20}lowest told       best of three by a look")
    print(f"  {'random-search':40}{base[:, 0].mean():+.2f}             {base[:, 1].mean():+.2f}")
    for name, make in OTHERS.items():
        differences = np.array([one_try(make, kind, budget, seed) for seed in seeds]) - base
        mean, error = differences.mean(axis=0), 1.96 * differences.std(axis=0, ddof=1) / math.sqrt(tries)
        figures[name] = {"difference": _named(mean), "half_of_the_interval": _named(error)}
        print(f"  {name:40}{mean[0]:+.2f} +- {error[0]:.2f}     {mean[1]:+.2f} +- {error[1]:.2f}", flush=True)
    return figures


def one_try(make: Make, kind: str, budget: int, seed: int) -> tuple[float, float]:
    """The true loss of the candidate with the lowest loss told, and of the best of the three lowest by a look."""
    landscape, optimizer = Landscape(kind, seed), make(DOMAIN, budget, seed)
    told: dict[tuple[float, ...], float] = {}
    asked = 0
    while asked < budget:
        candidates = optimizer.ask()
        losses = landscape.told(candidates)
        optimizer.tell(candidates, losses)
        asked += len(candidates)
        for candidate, loss in zip(candidates.tolist(), losses.tolist(), strict=True):
            told[tuple(candidate)] = min(loss, told.get(tuple(candidate), math.inf))
    lowest = np.array(sorted(told, key=lambda candidate: told[candidate])[:3])
    true = landscape.true(lowest)
    return float(true[0]), float(true[landscape.looked_at(lowest).argmin()])


def _random(domain: Domain, budget: int, seed: int) -> Optimizer:
    return RandomChoices(domain.sizes or (), population_size=POPULATION, seed=seed)


def _named(pair: FloatArray) -> dict[str, float]:
    return {"lowest_told": round(float(pair[0]), 3), "best_of_three": round(float(pair[1]), 3)}
