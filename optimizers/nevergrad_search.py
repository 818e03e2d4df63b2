"""Every optimizer of Nevergrad, by its name in `nevergrad.optimizers.registry`, over numbers or over choices."""

from __future__ import annotations

import math
from abc import abstractmethod
from collections.abc import Sequence
from typing import Any, ClassVar

import numpy as np

from blackbox.optimizers import settings
from blackbox.optimizers.base import FloatArray, State
from blackbox.optimizers.errors import SettingError
from blackbox.optimizers.nevergrad_engine import NevergradEngine, known_name
from blackbox.optimizers.replay import Engine, ReplayedOptimizer, translated


class _Nevergrad(ReplayedOptimizer):
    """What both kinds share; derived classes set what `_parametrization` needs, then call `_begin`."""

    packages: ClassVar[tuple[str, ...]] = ("nevergrad", "cma", "numpy")

    def _begin(self, name: str, budget: int | None) -> None:
        self._budget = None if budget is None else settings.whole_number("budget", budget, at_least=1)
        self._name = known_name(name)
        self._library = f"nevergrad's {name!r}"
        self._engine = self._start(self._seed)

    @abstractmethod
    def _parametrization(self, p: Any) -> Any:
        """What is searched, made from the module `nevergrad.p`."""

    def _settings(self) -> State:
        return {"name": self._name, "budget": self._budget}

    def _start(self, seed: int) -> Engine:
        with translated(SettingError, self._library):
            return NevergradEngine(
                self._name,
                self._parametrization,
                population_size=self.population_size,
                budget=self._budget,
                seed=seed,
            )


class NevergradSearch(_Nevergrad):
    """An optimizer of Nevergrad over R^dimension, started at zeros.

    An optimizer that Nevergrad marks as sequential is asked for one candidate at a time. `inf` reaches Nevergrad as
    5e20, the ceiling that it puts on every loss. Its CMA variants run with CSA step sizes in every dimension. Of its
    500 names a few hand the search to a thread of another library that draws from the clock (`CmaFmin2`): they run, but
    their state cannot be replayed, and loading it says so.

    Args:
        dimension: Length of a candidate, at least 2.
        name: In `nevergrad.optimizers.registry`.
        population_size: Candidates a generation, Nevergrad's `num_workers`, at least 2.
        sigma: Standard deviation of the mutations, above 0.
        budget: Evaluations planned; some of Nevergrad's optimizers choose their method by it, some need it.
        seed: Two runs with the same seed and losses ask the same candidates.

    Raises:
        MissingPackageError: nevergrad, or a package that the optimizer `name` needs, is not installed.
        SettingError: An unknown name (the nearest ones are named), or a setting that is out of range or that Nevergrad
            refuses.
    """

    def __init__(
        self,
        dimension: int,
        *,
        name: str = "TwoPointsDE",
        population_size: int = 20,
        sigma: float = 1.0,
        budget: int | None = None,
        seed: int,
    ) -> None:
        super().__init__(dimension, population_size, seed=seed)
        self._sigma = settings.step("sigma", sigma)
        self._begin(name, budget)

    def _parametrization(self, p: Any) -> Any:
        return p.Array(shape=(self.dimension,)).set_mutation(sigma=self._sigma)

    def _settings(self) -> State:
        return {**super()._settings(), "sigma": self._sigma}


class NevergradChoices(_Nevergrad):
    """An optimizer of Nevergrad over choices, started at the middle categories.

    The parameters are what stands under Nevergrad's `TransitionChoice`, an array of whole numbers in which a standard
    normal mutation draws each category as often, without its tree of a parameter for every category: 35 times faster,
    the same categories asked. Combinations may be asked again. As with `NevergradSearch`, some optimizers are asked
    for one candidate at a time.

    Args:
        sizes: Categories of each variable, at least two combinations in all.
        name: In `nevergrad.optimizers.registry`.
        population_size: Candidates a generation, Nevergrad's `num_workers`, at least 2.
        budget: Evaluations planned; some of Nevergrad's optimizers choose their method by it, some need it.
        seed: Two runs with the same seed and losses ask the same candidates.

    Raises:
        MissingPackageError, SettingError: As `NevergradSearch`.
    """

    _engine: _Counted

    def __init__(
        self,
        sizes: Sequence[int],
        *,
        name: str = "DiscreteOnePlusOne",
        population_size: int = 20,
        budget: int | None = None,
        seed: int,
    ) -> None:
        self._categories = settings.sizes("sizes", sizes)
        super().__init__(len(self._categories), population_size, seed=seed, sizes=self._categories)
        self._begin(name, budget)

    def stop(self) -> dict[str, object]:
        """All combinations, once each has been told."""
        count = math.prod(self._categories)
        return {"all combinations": count} if len(self._engine.told) == count else {}

    def _parametrization(self, p: Any) -> Any:
        n = np.array(self._categories, dtype=np.float64)
        return (
            p.Array(init=n / 2 - 0.5)
            .set_bounds(-0.5 * np.ones(len(n)), n - 0.5, method="gaussian")
            .set_integer_casting()
        )

    def _start(self, seed: int) -> _Counted:
        return _Counted(super()._start(seed))


class _Counted:
    """An engine that keeps which combinations were told."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self.told = set[tuple[float, ...]]()

    def ask(self) -> FloatArray:
        return self._engine.ask()

    def tell(self, candidates: FloatArray, losses: FloatArray) -> None:
        self._engine.tell(candidates, losses)
        self.told.update(map(tuple, candidates.tolist()))
