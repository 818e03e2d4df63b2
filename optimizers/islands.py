"""Islands: several optimizers of one kind that search side by side and now and then show each other their best.

An island model (Whitley, Rana & Heckendorn 1998, The island model genetic algorithm) on a ring, made of what restarts
of CMA-ES are made of: an island that has stopped begins anew with another seed and twice the population (Auger & Hansen
2005, A restart CMA evolution strategy with increasing population size). All islands have the same share of the
evaluations, whatever their populations (as those of Harik & Lobo 1999, A parameter-less genetic algorithm, and the two
regimes of Hansen 2009, BIPOP-CMA-ES): an island whose population has doubled hands it out in two parts.

What migrates is a candidate, not its loss: it is asked anew by the island that it comes to, which ranks it among its
own. Islands wait for each other, so that a run does not depend on who computes how fast; an asynchronous exchange, of
which there is none here, could not be reproduced.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Protocol, runtime_checkable

import numpy as np
from numpy.typing import ArrayLike

from blackbox.optimizers import saved, settings
from blackbox.optimizers.base import FloatArray, Optimizer, State, checked_losses
from blackbox.optimizers.errors import SettingError, StateError, TellError

_MOST_RESTARTS = 20  # of one island in a state: a population doubled as often could not be scored once


@runtime_checkable
class TakesMigrants(Protocol):
    """An optimizer that can be shown what another one has found."""

    def inject(self, candidate: ArrayLike) -> None:
        """Has a candidate, or one in its direction, asked in the next generation; `state_dict` knows of it.

        Args:
            candidate: Shape (dimension,).
        """
        ...


class Islands(Optimizer):
    """Optimizers on a ring; every `migration_interval` generations the best of each is shown to the next.

    A generation has `population_size` candidates of each island, the first island's first; the optimizer's own
    `population_size` is that of all together. An island's best is the best since it last began, and goes only where it
    is better than what is there. One island alone is a search with restarts.

    Args:
        make: (population_size, seed) -> optimizer of one island, which must take migrants; called again for each
            restart, with a population doubled as often, and when a state is loaded.
        islands: How many, at least 1.
        population_size: Candidates of an island in a generation, at least 2.
        migration_interval: Generations between migrations; 0: none.
        seed: Source of the islands' seeds.

    Raises:
        SettingError: A setting out of its range, `make` returns an optimizer that cannot take migrants or has another
            population.
    """

    def __init__(
        self,
        make: Callable[[int, int], Optimizer],
        *,
        islands: int = 4,
        population_size: int = 20,
        migration_interval: int = 10,
        seed: int,
    ) -> None:
        self._make = make
        self._count = settings.whole_number("islands", islands, at_least=1)
        self._share = settings.whole_number("population_size", population_size, at_least=2)
        self._interval = settings.whole_number("migration_interval", migration_interval, at_least=0)
        self._seed = settings.whole_number("seed", seed, at_least=0)
        self._islands = [self._begun(number, restarts=0) for number in range(self._count)]
        self._generation = 0
        first = self._islands[0].optimizer
        super().__init__(first.dimension, self._count * self._share, sizes=first.sizes)

    @property
    def populations(self) -> tuple[int, ...]:
        """The population of each island, doubled by each of its restarts."""
        return tuple(island.optimizer.population_size for island in self._islands)

    def _ask(self) -> FloatArray:
        return np.concatenate([island.ask(self._share) for island in self._islands])

    def _tell(self, candidates: FloatArray, losses: FloatArray) -> None:
        ends = np.cumsum([len(island.waiting(self._share)) for island in self._islands])
        for number, part in enumerate(np.split(losses, ends[:-1])):
            island = self._islands[number]
            island.tell(part)
            if island.stopped:
                self._islands[number] = self._begun(number, restarts=island.restarts + 1)
        self._generation += 1
        if self._interval and self._generation % self._interval == 0:
            self._migrate()

    def _migrate(self) -> None:
        bests = [island.optimizer.best for island in self._islands]
        for number, island in enumerate(self._islands):
            there, here = bests[number - 1], bests[number]
            if there is not None and (here is None or there.loss < here.loss):
                island.inject(there.candidate)

    def _begun(self, number: int, *, restarts: int) -> _Island:
        """An island at its start."""
        population_size = self._share * 2**restarts
        optimizer = self._make(population_size, _seed_of(self._seed, number, restarts))
        if not isinstance(optimizer, TakesMigrants):
            raise SettingError(
                f"{type(optimizer).__name__} cannot be shown what others have found (it has no `inject`), so that "
                "islands of it could exchange nothing; CMA-ES can"
            )
        if optimizer.population_size != population_size:
            raise SettingError(
                f"make({population_size}, seed) must return that population_size, got {optimizer.population_size}"
            )
        return _Island(optimizer, optimizer.inject, restarts)

    def _settings(self) -> State:
        return {"islands": self._count, "migration_interval": self._interval}

    def _state(self) -> State:
        islands = [island.state() for island in self._islands]
        return {"seed": self._seed, "generation": self._generation, "islands": islands}

    def _load_state(self, state: State) -> None:
        seed, generation = saved.take(state, "seed", int), saved.take(state, "generation", int)
        states = saved.take(state, "islands", list)
        if seed < 0 or generation < 0:
            raise StateError(f"'seed' and 'generation' in the state must be at least 0, got {seed} and {generation}")
        if len(states) != self._count:
            raise StateError(f"the state holds {len(states)} islands, this optimizer {self._count}")
        islands = [self._loaded(number, one) for number, one in enumerate(states)]
        self._islands, self._seed, self._generation = islands, seed, generation

    def _loaded(self, number: int, state: object) -> _Island:
        restarts = saved.take(state, "restarts", int)
        if not 0 <= restarts <= _MOST_RESTARTS:
            raise StateError(f"'restarts' of island {number} must be from 0 to {_MOST_RESTARTS}, got {restarts}")
        island = self._begun(number, restarts=restarts)
        try:
            island.load(state)
        except StateError as error:
            raise StateError(f"island {number}: {error}") from error
        return island


@dataclass
class _Island:
    """An optimizer whose generations are handed out in parts.

    Attributes:
        inject: The optimizer's.
        restarts: How often this island has begun anew.
        losses: Of the generation that is handed out, as far as told.
    """

    optimizer: Optimizer
    inject: Callable[[FloatArray], None]
    restarts: int
    losses: list[float] = field(default_factory=list)

    def ask(self, count: int) -> FloatArray:
        if self.optimizer.asked is None:
            self.optimizer.ask()
        return self.waiting(count)

    def waiting(self, count: int) -> FloatArray:
        """The part of the generation that is handed out, shape (n, dimension), n <= count."""
        asked = self.optimizer.asked
        if asked is None:
            raise TellError("no population of this island waits for losses; the state that was loaded is damaged")
        return asked[len(self.losses) : len(self.losses) + count]

    def tell(self, losses: FloatArray) -> None:
        self.losses += losses.tolist()
        asked = self.optimizer.asked
        if asked is not None and len(self.losses) == len(asked):
            self.optimizer.tell(asked, self.losses)
            self.losses = []

    @property
    def stopped(self) -> bool:
        """Whether it has reasons to begin anew, and nothing is handed out."""
        return self.optimizer.asked is None and bool(self.optimizer.stop())

    def state(self) -> State:
        return {"restarts": self.restarts, "losses": list(self.losses), "optimizer": self.optimizer.state_dict()}

    def load(self, state: object) -> None:
        losses = saved.take(state, "losses", list)
        self.optimizer.load_state_dict(saved.take(state, "optimizer", dict))
        asked = self.optimizer.asked
        if len(losses) > (0 if asked is None else len(asked) - 1):
            raise StateError(f"the state has {len(losses)} losses of a generation that does not wait for as many")
        try:
            self.losses = checked_losses(losses, len(losses)).tolist()
        except TellError as error:
            raise StateError(f"'losses' in the state: {error}") from error


def _seed_of(seed: int, number: int, restarts: int) -> int:
    """Of an island since it last began: 64 bits, independent of all others."""
    return int(np.random.SeedSequence(seed, spawn_key=(number, restarts)).generate_state(1, np.uint64)[0])
