"""The contract of an optimizer: ask for candidates, tell their losses.

Losses are minimized. `inf` means that a candidate failed: it ranks worst and never becomes `best`; `nan` and `-inf`
are refused. After `load_state_dict(json.loads(json.dumps(other.state_dict())))` a run goes on bit for bit as the other
would have. Neither numpy's nor Python's global random generator is read or changed, and no argument is changed.

A new optimizer derives from `Optimizer`, writes `_ask`, `_tell`, `_state` and `_load_state`, and inherits the tests in
`tests/optimizers/contract.py`. All checks of what callers pass stand here, once.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol, TypeAlias, runtime_checkable

import numpy as np
from numpy.typing import ArrayLike, NDArray

from blackbox.optimizers import saved, settings
from blackbox.optimizers.errors import SearchError, TellError, TurnError

FloatArray: TypeAlias = NDArray[np.float64]
State: TypeAlias = dict[str, Any]
"""JSON values only: dict, list, str, int, float, bool, None."""


@dataclass(frozen=True, eq=False)
class Best:
    """A candidate, shape (dimension,), read-only, and its loss."""

    candidate: FloatArray
    loss: float


class Optimizer(ABC):
    """Derivative-free minimization, one generation (`ask`, `tell`) after the other, of numbers or of choices.

    An optimizer of numbers searches R^dimension. A candidate of an optimizer of choices has a whole number,
    0..sizes[i]-1, for each variable i.

    Attributes:
        dimension: Length of a candidate, at least 2 numbers or 1 choice.
        population_size: The most candidates that one `ask` returns, at least 2.
        sizes: The number of categories of each variable; None: numbers.
    """

    dimension: int
    population_size: int
    sizes: tuple[int, ...] | None

    def __init__(self, dimension: int, population_size: int, *, sizes: Sequence[int] | None = None) -> None:
        self.sizes = None if sizes is None else settings.sizes("sizes", sizes)
        self.dimension = settings.whole_number("dimension", dimension, at_least=2 if sizes is None else 1)
        self.population_size = settings.whole_number("population_size", population_size, at_least=2)
        self._asked: FloatArray | None = None
        self._best: Best | None = None

    def ask(self) -> FloatArray:
        """The next candidates, shape (n, dimension), read-only, 1 <= n <= population_size.

        Raises:
            TurnError: The last population still waits for its losses.
            SearchError: The search cannot go on; seen only when one goes on long after `stop` has given reasons.
        """
        if self._asked is not None:
            raise TurnError("ask() comes after tell(): the last population still waits for its losses, see `asked`")
        population = read_only(self._ask())
        if not np.isfinite(population).all():
            raise SearchError(f"{type(self).__name__} asks candidates that are not finite; stop() says {self.stop()}")
        if self.sizes is not None and not are_choices(population, self.sizes):
            raise SearchError(f"{type(self).__name__} asks candidates that are no whole numbers below {self.sizes}")
        self._asked = population
        return population

    def tell(self, candidates: ArrayLike, losses: ArrayLike) -> None:
        """Takes the losses of the candidates that `ask` returned.

        Args:
            candidates: What `ask` returned, or a copy of it, shape (n, dimension), in the same order.
            losses: Shape (n,), lower is better, `inf` for a candidate that failed.

        Raises:
            TellError: Nothing was asked, other candidates, a wrong count, `nan`, `-inf`.
        """
        asked = _answered(candidates, self._asked)
        checked = checked_losses(losses, len(asked))
        self._tell(asked, checked)
        self._asked = None
        i = int(checked.argmin())
        if checked[i] < (np.inf if self._best is None else self._best.loss):
            self._best = Best(read_only(asked[i]), float(checked[i]))

    @property
    def asked(self) -> FloatArray | None:
        """The population that waits for its losses, shape (n, dimension), read-only; None when it is `ask`'s turn."""
        return self._asked

    @property
    def best(self) -> Best | None:
        """The lowest finite loss told so far and its candidate, the earlier one of equals; None before the first."""
        return self._best

    @property
    def mean(self) -> FloatArray | None:
        """The mean of the distribution that candidates are drawn from, shape (dimension,), read-only.

        It moves with what was told, and averages out what a single candidate owes to luck. None: there is none.
        """
        return None

    def stop(self) -> dict[str, object]:
        """Reasons to stop, by name; empty: go on. A reason is advice: `ask` still works. Changes nothing."""
        return {}

    def state_dict(self) -> State:
        """Everything that a run needs to go on, as JSON values; may be taken between `ask` and `tell` too."""
        best = self._best and {"candidate": self._best.candidate.tolist(), "loss": self._best.loss}
        asked = None if self._asked is None else self._asked.tolist()
        return {"made_by": self._made_by(), "best": best, "asked": asked, "inner": self._state()}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Goes on where the optimizer stood that `state` was taken from.

        Args:
            state: From `state_dict` of the same kind of optimizer with the same settings; the seed may differ.

        Raises:
            StateError: Another kind, dimension, population or setting, or a damaged state; nothing has changed then.
        """
        saved.refuse_differences(saved.take(state, "made_by", dict), self._made_by())
        best = saved_best(saved.take(state, "best", object), self.dimension)
        asked = saved.take(state, "asked", object)
        waiting = None if asked is None else saved.array(asked, "asked", rank=2, width=self.dimension)
        self._load_state(saved.take(state, "inner", dict))
        self._best, self._asked = best, waiting

    def _made_by(self) -> State:
        choices = {} if self.sizes is None else {"sizes": list(self.sizes)}
        lengths = {"dimension": self.dimension, "population_size": self.population_size}
        return {"optimizer": type(self).__name__, **lengths, **choices, **self._settings()}

    def _settings(self) -> State:
        """Settings that a state must share with the optimizer that loads it, as JSON values."""
        return {}

    @abstractmethod
    def _ask(self) -> FloatArray:
        """The next candidates, shape (n, dimension); called in turn only."""

    @abstractmethod
    def _tell(self, candidates: FloatArray, losses: FloatArray) -> None:
        """Learns from checked `losses`, shape (n,), of the `candidates` asked, shape (n, dimension), both read-only.

        `best` does not know these losses yet.
        """

    @abstractmethod
    def _state(self) -> State:
        """The optimizer's own state, its random generator included, as JSON values that share no list with it."""

    @abstractmethod
    def _load_state(self, state: State) -> None:
        """Takes over what `_state` returned; raises StateError *before* it changes anything."""


@runtime_checkable
class LearnsFromRows(Protocol):
    """An optimizer that is told more than one loss for each candidate: what it lost on each row."""

    def tell_rows(self, candidates: ArrayLike, row_losses: ArrayLike) -> None:
        """Takes the losses of single rows; `tell` follows at once with the same candidates.

        Args:
            candidates: What `ask` returned, shape (n, dimension).
            row_losses: Shape (n, n_rows), NaN where a candidate was not asked a row or gave no answer. Their means need
                not be the losses that `tell` takes: a candidate that failed, or lost a race, has another.
        """
        ...


def are_choices(candidates: FloatArray, sizes: Sequence[int]) -> bool:
    """Whether all `candidates`, shape (n, dimension), are whole numbers, 0..sizes[i]-1 for variable i."""
    return bool(((candidates == np.floor(candidates)) & (candidates >= 0) & (candidates < np.array(sizes))).all())


def checked_losses(losses: ArrayLike, count: int) -> FloatArray:
    """A read-only copy of `losses`, shape (count,), float64.

    Raises:
        TellError: Another shape, no numbers, `nan` or `-inf`; the message names the candidate.
    """
    try:
        checked = np.array(losses, dtype=np.float64)
    except (TypeError, ValueError) as error:
        raise TellError(f"losses must be numbers, one per candidate: {error}") from error
    if checked.shape != (count,):
        raise TellError(f"losses must have shape ({count},), one per candidate, got {checked.shape}")
    bad = np.isnan(checked) | (checked == -np.inf)
    if bad.any():
        i = int(bad.argmax())
        raise TellError(f"losses must be finite, or inf for a candidate that failed; candidate {i} has {checked[i]}")
    checked.setflags(write=False)
    return checked


def _answered(candidates: ArrayLike, asked: FloatArray | None) -> FloatArray:
    if asked is None:
        raise TellError("tell() answers ask(), and no population waits for losses; call ask() first")
    if candidates is asked:
        return asked
    try:
        told = np.asarray(candidates, dtype=np.float64)
    except (TypeError, ValueError) as error:
        raise TellError(f"candidates must be those that ask() returned: {error}") from error
    if told.shape != asked.shape:
        raise TellError(f"candidates must be those that ask() returned, shape {asked.shape}, got {told.shape}")
    differs = (told != asked).any(axis=1)
    if differs.any():
        raise TellError(f"candidates must be those that ask() returned, candidate {int(differs.argmax())} differs")
    return asked


def saved_best(value: object, dimension: int) -> Best | None:
    """What a state says of a best candidate.

    Raises:
        StateError: It is damaged.
    """
    if value is None:
        return None
    candidate = saved.array(saved.take(value, "candidate", list), "candidate", rank=1, width=dimension)
    return Best(candidate, saved.take(value, "loss", float))


def read_only(values: ArrayLike) -> FloatArray:
    """A copy that cannot be written to, float64."""
    copy = np.array(values, dtype=np.float64, order="C")
    copy.setflags(write=False)
    return copy
