"""Evolution of instructions that a model crosses and changes, and of everything else by plain operators.

EvoPrompt (Guo et al. 2024, arXiv 2309.08532): a genetic algorithm (section 3.2) and differential evolution (3.3) whose
operators are requests to a language model. The other variables of a choice follow the same scheme with operators of
their own, and shown rows mutate as in CAPO (Zehle et al. 2025, arXiv 2504.16005).

Parents of the genetic algorithm win tournaments of two, for which losses need no zero and may be infinite; the paper's
roulette needs scores.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence
from typing import Literal

import numpy as np

from blackbox.optimizers import saved, settings
from blackbox.optimizers.base import FloatArray, State
from blackbox.optimizers.breeding import Breeding, Child, choices
from blackbox.optimizers.edits import Choice, Variables, cross, few_shot, vary
from blackbox.optimizers.errors import StateError
from blackbox.optimizers.proposals import Proposer, Request

VARIED = 0.3
"""Share of children in which one variable that has nothing to do with rows has another category than its parents'."""


class Evolution(Breeding):
    """A population of `population_size` choices, and as many children a generation.

    Args:
        scheme: "ga": children of two parents, the best of parents and children live on; "de": each member has one
            child, of which the better lives on.
        sizes, blocks, population_size, proposer, key, seed: As of `Breeding`.

    Raises:
        SettingError: A setting out of its range.
    """

    def __init__(
        self,
        sizes: Sequence[int],
        *,
        scheme: Literal["ga", "de"] = "ga",
        blocks: Sequence[int] | None = None,
        population_size: int = 10,
        proposer: Proposer | None = None,
        key: Callable[[Choice], Hashable] = lambda choice: choice,
        seed: int,
    ) -> None:
        super().__init__(
            sizes, blocks=blocks, population_size=population_size, proposer=proposer, key=key, seed=seed
        )  # fmt: skip
        self._scheme = settings.one_of("scheme", scheme, ("ga", "de"))
        self._members: list[tuple[Choice, float]] = []

    def _settings(self) -> State:
        return {**super()._settings(), "scheme": self._scheme}

    def _children(self, rng: np.random.Generator) -> list[Child]:
        if len(self._members) < 4:
            return []
        bred = [self._bred(i, rng) for i in range(self.population_size)]
        return self._proposed([request for request, _ in bred], [child for _, child in bred], rng)

    def _bred(self, number: int, rng: np.random.Generator) -> tuple[Request, Child]:
        """A child and the request for its instruction."""
        members = [choice for choice, _ in self._members]
        if self._scheme == "de" and number < len(members):
            a, b = (members[i] for i in rng.choice(_without(number, len(members)), size=2, replace=False))
            best = members[int(np.argmin([loss for _, loss in self._members]))]
            request = differing(a, b, best=best, base=members[number])
            child = cross(members[number], differed(a, b, best, rng), rng)
        else:
            one, other = (members[i] for i in self._tournaments(rng))
            request, child = crossing(one, other), cross(one, other, rng)
        return request, (number, _varied(child, self._of, rng))

    def _tournaments(self, rng: np.random.Generator) -> tuple[int, int]:
        """Numbers of two parents: the better of two drawn, twice, of four different members."""
        drawn = [int(i) for i in rng.choice(len(self._members), size=4, replace=False)]
        first, second = (min(pair, key=lambda i: self._members[i][1]) for pair in (drawn[:2], drawn[2:]))
        return first, second

    def _survive(self, choices: Sequence[Choice], losses: FloatArray) -> None:
        told = list(zip(choices, losses.tolist(), strict=True))
        if self._scheme == "de" and len(self._members) >= 4:
            for origin, (choice, loss) in zip(self._origins, told, strict=True):
                if 0 <= origin < len(self._members) and loss < self._members[origin][1]:
                    self._members[origin] = (choice, loss)
            return
        together = self._members + [member for member in told if member not in self._members]
        self._members = sorted(together, key=lambda member: member[1])[: self.population_size]

    def _members_state(self) -> State:
        listed = [list(choice) for choice, _ in self._members]
        return {"choices": listed, "losses": [loss for _, loss in self._members]}

    def _load_members(self, state: State) -> None:
        found = choices(saved.take(state, "choices", list), "choices", self.dimension)
        losses = saved.take(state, "losses", list)
        if len(losses) != len(found) or not all(isinstance(loss, float) for loss in losses):
            raise StateError(f"'losses' in the state must be {len(found)} numbers, one a choice")
        self._members = list(zip(found, losses, strict=True))


def crossing(one: Choice, other: Choice) -> Request:
    """For the child of two: EvoPrompt's crossover and mutation; of one instruction only the mutation."""
    if one[0] == other[0]:
        return Request("mutate", (one[0],), one)
    return Request("cross", (one[0], other[0]), one)


def differing(a: Choice, b: Choice, *, best: Choice, base: Choice) -> Request:
    """For the child of `base`: what differs between `a` and `b`, mutated, put into the best, crossed with `base`."""
    if a[0] == b[0]:
        return crossing(best, base)
    return Request("differ", (a[0], b[0], best[0], base[0]), base)


def differed(a: Choice, b: Choice, best: Choice, rng: np.random.Generator) -> Choice:
    """The best, in whose place stands one of `a` and `b` in every variable in which these differ."""
    first = rng.random(len(best)) < 0.5
    rows = zip(a, b, best, first, strict=True)
    return tuple(there if one == other else (one if is_first else other) for one, other, there, is_first in rows)


def _varied(choice: Choice, of: Variables, rng: np.random.Generator) -> Choice:
    changed = few_shot(choice, of, rng)
    return vary(changed, of, rng) if rng.random() < VARIED else changed


def _without(number: int, count: int) -> list[int]:
    return [i for i in range(count) if i != number]
