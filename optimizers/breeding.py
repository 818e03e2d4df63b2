"""What searches share that make children of choices: the start, what was asked before, requests for new instructions.

A generation depends on the seed, its number and what was told, on nothing else: where an `ask` fails because a
proposal cannot be paid for, nothing has changed.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable, Hashable, Sequence
from dataclasses import replace
from typing import TypeAlias

import numpy as np

from blackbox.optimizers import saved, settings
from blackbox.optimizers.base import FloatArray, Optimizer, State
from blackbox.optimizers.edits import Choice, Variables, edit
from blackbox.optimizers.errors import StateError
from blackbox.optimizers.proposals import Proposals, Proposer, Request

Child: TypeAlias = tuple[int, Choice]
"""The number of the member that it comes from, -1 for none, and itself."""

TRIES = 100


class Breeding(Optimizer):
    """Base of `Evolution` and `Reflective`. Variable 0 is the instruction, and proposals add categories to it.

    `sizes` has as many of them as the last generation needs.

    Args:
        sizes: Categories of each variable at the start.
        blocks: Lengths of runs of variables with the same categories, as in `Domain`; the longest is the places for
            shown rows, see `Variables.of`. None: no variables are alike.
        population_size: Candidates of a generation, at least 4.
        proposer: Writes new instructions; None: children keep those of their parents.
        key: What two choices share that mean the same; only one of them is asked.
        seed: Two searches with the same seed, losses and proposals ask the same candidates.

    Raises:
        SettingError: A setting out of its range.
    """

    def __init__(
        self,
        sizes: Sequence[int],
        *,
        blocks: Sequence[int] | None = None,
        population_size: int = 10,
        proposer: Proposer | None = None,
        key: Callable[[Choice], Hashable] = lambda choice: choice,
        seed: int,
    ) -> None:
        settings.whole_number("population_size", population_size, at_least=4)
        super().__init__(len(sizes), population_size, sizes=sizes)
        self._of = Variables.of(sizes, blocks or [1] * len(sizes))
        self._seed = settings.whole_number("seed", seed, at_least=0)
        self._proposals, self._key = Proposals(proposer), key
        self._generation, self._nothing_new = 0, False
        self._told: list[Choice] = []
        self._origins: list[int] = []

    def take_proposals(self, proposer: Proposer | None, key: Callable[[Choice], Hashable]) -> None:
        """Go on with this proposer and this key."""
        self._proposals, self._key = Proposals(proposer, self._proposals.refused), key

    def _settings(self) -> State:
        return {"sizes": list(self._of.sizes)}

    def stop(self) -> dict[str, object]:
        return {"nothing new": len(self._told)} if self._nothing_new else {}

    def _ask(self) -> FloatArray:
        rng = np.random.default_rng([self._seed, self._generation])
        children = self._new(self._children(rng) or self._first(rng), rng)
        self._nothing_new = not children
        if not children:  # advised to stop; what is best, or the start, once more
            best = self.best.candidate if self.best else np.zeros(self.dimension)
            children = [(-1, as_choice(best))]
        self._origins = [origin for origin, _ in children]
        instructions = 1 + max(choice[0] for _, choice in children)
        self.sizes = (max(instructions, self._of.sizes[0]), *self._of.sizes[1:])
        return np.array([choice for _, choice in children], dtype=np.float64)

    def _tell(self, candidates: FloatArray, losses: FloatArray) -> None:
        choices = [as_choice(candidate) for candidate in candidates]
        self._survive(choices, losses)
        self._told += [choice for choice in choices if choice not in self._told]
        self._generation += 1

    @abstractmethod
    def _children(self, rng: np.random.Generator) -> list[Child]:
        """The next generation, at most `population_size`; some may have been asked before; empty: begin anew."""

    @abstractmethod
    def _survive(self, choices: Sequence[Choice], losses: FloatArray) -> None:
        """Learns from the losses; `_origins` says where the choices come from."""

    def _proposed(
        self, requests: Sequence[Request], children: Sequence[Child], rng: np.random.Generator
    ) -> list[Child]:
        """The children, each with the instruction that its request brings; without one, an edit away from itself."""
        seed = int(rng.integers(2**31))
        answers = self._proposals([replace(request, seed=seed) for request in requests])
        return [
            (origin, edit(choice, self._of, rng) if number is None else (number, *choice[1:]))
            for (origin, choice), number in zip(children, answers, strict=True)
        ]

    def _first(self, rng: np.random.Generator) -> list[Child]:
        """The start, and the given instructions in turn, all else drawn; once each was there, changes of them."""
        known = self._of.sizes[0]
        start = [(0,) * self.dimension, *(self._drawn(i % known, rng) for i in range(1, self.population_size))]
        changed = [Request("mutate", (choice[0],), choice) for choice in start[known:]]
        given: list[Child] = [(-1, choice) for choice in start[:known]]
        return given + self._proposed(changed, [(-1, choice) for choice in start[known:]], rng)

    def _drawn(self, instruction: int, rng: np.random.Generator) -> Choice:
        return (instruction, *self._of.draw(rng)[1:])

    def _new(self, children: Sequence[Child], rng: np.random.Generator) -> list[Child]:
        """The children, edited until they differ from all that was asked before and from each other."""
        known = {self._key(choice) for choice in self._told}
        new = []
        for origin, child in children:
            choice, tries = child, 0
            while self._key(choice) in known and tries < TRIES:
                choice, tries = edit(choice, self._of, rng), tries + 1
            if self._key(choice) not in known:
                known.add(self._key(choice))
                new.append((origin, choice))
        return new

    def _state(self) -> State:
        return {
            "seed": self._seed,
            "generation": self._generation,
            "refused": self._proposals.refused,
            "told": [list(choice) for choice in self._told],
            "origins": list(self._origins),
            "nothing_new": self._nothing_new,
            "members": self._members_state(),
        }

    def _load_state(self, state: State) -> None:
        seed, generation, refused = (saved.take(state, name, int) for name in ("seed", "generation", "refused"))
        told = choices(saved.take(state, "told", list), "told", self.dimension)
        origins, nothing_new = saved.take(state, "origins", list), saved.take(state, "nothing_new", bool)
        self._load_members(saved.take(state, "members", dict))
        self._seed, self._generation, self._proposals.refused = seed, generation, refused
        self._told, self._origins, self._nothing_new = told, [int(origin) for origin in origins], nothing_new

    @abstractmethod
    def _members_state(self) -> State:
        """The members, as JSON values."""

    @abstractmethod
    def _load_members(self, state: State) -> None:
        """Takes over what `_members_state` returned; raises StateError before it changes anything."""


def as_choice(candidate: FloatArray) -> Choice:
    """A candidate, shape (dimension,), as whole numbers."""
    return tuple(int(number) for number in candidate)


def choices(value: list[object], name: str, dimension: int) -> list[Choice]:
    """Choices from a saved state.

    Raises:
        StateError: These are none.
    """
    found = saved.array(value, name, rank=2, width=dimension) if value else np.zeros((0, dimension))
    if not (found == np.floor(found)).all() or (found < 0).any():
        raise StateError(f"{name!r} in the state must hold whole numbers of at least 0")
    return [as_choice(candidate) for candidate in found]
