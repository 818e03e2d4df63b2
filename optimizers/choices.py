"""What optimizers of choices share: all that was told, and no combination asked twice as long as there are others."""

from __future__ import annotations

import itertools
import math
from abc import abstractmethod
from collections.abc import Iterable, Sequence
from typing import TypeAlias

import numpy as np

from blackbox.optimizers import saved, settings
from blackbox.optimizers.base import FloatArray, Optimizer, State, are_choices
from blackbox.optimizers.errors import StateError

Choice: TypeAlias = tuple[int, ...]
"""A category for each variable."""


class ChoiceOptimizer(Optimizer):
    """Keeps every candidate told and its loss; derived classes propose, and learn from that.

    A generation has `population_size` combinations that were not asked before, or as many as are left. When all have
    been told, `stop` says so, and `ask` begins anew.

    Args:
        sizes: Categories of each variable, at least two combinations in all.
        population_size: Candidates a generation, at least 2.
        seed: Two searches with the same seed and losses ask the same candidates.

    Raises:
        SettingError: A setting out of its range.
    """

    def __init__(self, sizes: Sequence[int], *, population_size: int = 20, seed: int) -> None:
        self._categories = settings.sizes("sizes", sizes)
        super().__init__(len(self._categories), population_size, sizes=self._categories)
        self._combinations = math.prod(self._categories)
        self._rng = np.random.default_rng(settings.whole_number("seed", seed, at_least=0))
        self._told = np.empty((0, self.dimension))
        self._losses = np.empty(0)

    @abstractmethod
    def _propose(self) -> Iterable[Choice]:
        """What to ask next, the most wanted first; what was asked already is left out, what lacks is drawn."""

    def stop(self) -> dict[str, object]:
        return {"all combinations": self._combinations} if len(self._told) >= self._combinations else {}

    def _ask(self) -> FloatArray:
        asked = self._asked_before()
        wanted = [choice for choice in dict.fromkeys(self._propose()) if choice not in asked][: self.population_size]
        drawn = unasked(self._categories, asked.union(wanted), self.population_size - len(wanted), self._rng)
        return np.array(wanted + drawn, dtype=np.float64)

    def _tell(self, candidates: FloatArray, losses: FloatArray) -> None:
        self._told = np.concatenate([self._told, candidates])
        self._losses = np.concatenate([self._losses, losses])

    def _asked_before(self) -> set[Choice]:
        """The combinations told since all were told the last time."""
        rounds = len(self._told) // self._combinations
        return set(map(tuple, self._told[rounds * self._combinations :].astype(int).tolist()))

    def _state(self) -> State:
        return {
            "generator": dict(self._rng.bit_generator.state),
            "told": self._told.astype(int).tolist(),
            "losses": self._losses.tolist(),
        }

    def _load_state(self, state: State) -> None:
        rng = saved.generator(saved.take(state, "generator", dict), "generator")
        told, losses = np.empty((0, self.dimension)), np.empty(0)
        if saved.take(state, "told", list) or saved.take(state, "losses", list):
            told = saved.array(state["told"], "told", rank=2, width=self.dimension)
            losses = saved.array(state["losses"], "losses", rank=1, width=len(told))
        if not are_choices(told, self._categories) or np.isnan(losses).any():
            raise StateError("'told' and 'losses' in the state must be choices and their losses; the state is damaged")
        self._rng, self._told, self._losses = rng, told, losses


class RandomChoices(ChoiceOptimizer):
    """Random search: uniform over the combinations not asked yet, nothing learned."""

    def _propose(self) -> Iterable[Choice]:
        return ()


def unasked(sizes: Sequence[int], asked: set[Choice], count: int, rng: np.random.Generator) -> list[Choice]:
    """`count` combinations, or as many as are left, drawn uniformly from those that are not `asked`, none twice."""
    if math.prod(sizes) <= 4 * (len(asked) + count):  # few: drawing until one is new would take long
        left = [choice for choice in itertools.product(*map(range, sizes)) if choice not in asked]
        return [left[i] for i in rng.permutation(len(left))[:count]]
    found: dict[Choice, None] = {}
    while len(found) < count:
        choice = tuple(rng.integers(sizes).tolist())
        if choice not in asked:
            found[choice] = None
    return list(found)
