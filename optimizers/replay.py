"""Saving optimizers of other libraries without pickle: keep what was told, and tell it again.

The state of a `ReplayedOptimizer` is its seed and the losses of every generation: 20 bytes an evaluation, whatever the
dimension, where a full covariance at d = 500 takes megabytes and pickle would run code from the file. The price is that
loading costs the optimizer's own time once more (no evaluation is repeated), and that only a library that draws the
same numbers can replay: the state carries a digest of the last population, and loading refuses a replay that differs.
"""

from __future__ import annotations

import hashlib
from abc import abstractmethod
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import cache
from importlib.metadata import version
from typing import ClassVar, Protocol

from blackbox.optimizers import saved, settings
from blackbox.optimizers.base import FloatArray, Optimizer, State, checked_losses
from blackbox.optimizers.errors import MissingPackageError, OptimizerError, SearchError, StateError, TellError

LIBRARY_ERRORS = (
    ArithmeticError,
    AssertionError,
    AttributeError,
    ImportError,
    LookupError,
    RuntimeError,
    TypeError,
    ValueError,
)
"""What a library raises when it cannot go on: everything but the system's and the user's own interruptions."""


class Engine(Protocol):
    """Somebody else's optimizer; what it asks depends on its seed and on the losses told, on nothing else."""

    def ask(self) -> FloatArray:
        """The next candidates, shape (n, dimension)."""

    def tell(self, candidates: FloatArray, losses: FloatArray) -> None:
        """Learns from `losses`, shape (n,), no nan, no -inf, of the `candidates` asked last."""


class ReplayedOptimizer(Optimizer):
    """An `Engine` with the contract of an `Optimizer`; derived classes set `_engine` in their constructor."""

    packages: ClassVar[tuple[str, ...]] = ()
    """Distributions whose versions decide what the engine draws; named when a replay differs."""

    _library: str = "the library"
    """Whose failure it is, in messages."""

    _engine: Engine

    def __init__(self, dimension: int, population_size: int, *, sizes: Sequence[int] | None = None, seed: int) -> None:
        super().__init__(dimension, population_size, sizes=sizes)
        self._seed = settings.whole_number("seed", seed, at_least=0)
        self._told: list[list[float]] = []
        self._last: FloatArray | None = None

    @abstractmethod
    def _start(self, seed: int) -> Engine:
        """A new engine with this optimizer's settings."""

    def _restart(self, seed: int, state: State) -> Engine:
        """A new engine to which the losses of `state` will be told again; for what else it was told, override this."""
        return self._start(seed)

    def _ask(self) -> FloatArray:
        with translated(SearchError, self._library):
            self._last = self._engine.ask()
        return self._last

    def _tell(self, candidates: FloatArray, losses: FloatArray) -> None:
        with translated(SearchError, self._library):
            self._engine.tell(candidates, losses)
        self._told.append(losses.tolist())

    def _state(self) -> State:
        return {
            "seed": self._seed,
            "told": [list(losses) for losses in self._told],
            "waiting": self.asked is not None,
            "digest": _digest(self._last),
            "versions": self._versions(),
        }

    def _load_state(self, state: State) -> None:
        seed = saved.take(state, "seed", int)
        told = [_saved_losses(losses, i) for i, losses in enumerate(saved.take(state, "told", list))]
        if seed < 0:
            raise StateError(f"'seed' in the state must be at least 0, got {seed}")
        engine = self._restart(seed, state)
        with translated(StateError, self._library):
            last = _replay(engine, told, waiting=saved.take(state, "waiting", bool))
        if _digest(last) != saved.take(state, "digest", object):
            raise StateError(self._why_different(saved.take(state, "versions", dict)))
        self._engine, self._seed, self._last = engine, seed, last
        self._told = [losses.tolist() for losses in told]

    def _versions(self) -> dict[str, str]:
        return {package: _version(package) for package in self.packages}

    def _why_different(self, before: State) -> str:
        here = self._versions()
        changed = [
            f"{name} {before.get(name)} then, {here[name]} now" for name in here if before.get(name) != here[name]
        ]
        guess = ", ".join(changed) or "the versions agree"
        return (
            "replaying the state does not lead to the population it was saved with: it was made with another version "
            f"of a library or on another kind of machine ({guess}), or is damaged; go on where it was made, or anew"
        )


@contextmanager
def translated(error_type: type[OptimizerError], library: str) -> Iterator[None]:
    """Errors of a library become errors of this package, chained; an `ImportError` becomes a `MissingPackageError`."""
    try:
        yield
    except OptimizerError:
        raise
    except ImportError as error:
        raise MissingPackageError(f"{library} needs a package that is missing: {error}") from error
    except LIBRARY_ERRORS as error:
        if isinstance(error.__cause__, ImportError):
            raise MissingPackageError(f"{library} needs a package that is missing: {error.__cause__}") from error
        raise error_type(f"{library} failed: {type(error).__name__}: {error}") from error


def _replay(engine: Engine, told: list[FloatArray], *, waiting: bool) -> FloatArray | None:
    last = None
    for i, losses in enumerate(told):
        last = engine.ask()
        if losses.shape != last.shape[:1]:
            raise StateError(f"generation {i} in the state has {len(losses)} losses for {len(last)} candidates")
        engine.tell(last, losses)
    return engine.ask() if waiting else last


def _saved_losses(value: object, generation: int) -> FloatArray:
    losses = saved.array(value, f"told[{generation}]", rank=1)
    try:
        return checked_losses(losses, len(losses))
    except TellError as error:
        raise StateError(f"generation {generation} in the state: {error}") from error


def _digest(population: FloatArray | None) -> str | None:
    return None if population is None else hashlib.sha256(population.astype("<f8").tobytes()).hexdigest()


@cache
def _version(package: str) -> str:
    return version(package)
