"""Every optimizer of Nevergrad (arXiv 1812.07889 and later), by its name in `nevergrad.optimizers.registry`.

This is the one file that imports `nevergrad`, when an optimizer is made; the import takes seconds.
"""

from __future__ import annotations

import random
import warnings
from collections.abc import Iterator
from concurrent.futures import Future
from contextlib import contextmanager
from difflib import get_close_matches
from threading import Lock
from typing import Any, ClassVar

import numpy as np

from blackbox.optimizers import settings
from blackbox.optimizers.base import FloatArray, State
from blackbox.optimizers.blas import one_blas_thread
from blackbox.optimizers.cma_es import csa_unless_named
from blackbox.optimizers.errors import MissingPackageError, SettingError
from blackbox.optimizers.replay import LIBRARY_ERRORS, ReplayedOptimizer, translated

_one_at_a_time = Lock()
"""Global random state is swapped while an engine works, so that engines in several threads take turns."""


class NevergradSearch(ReplayedOptimizer):
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

    packages: ClassVar[tuple[str, ...]] = ("nevergrad", "cma", "numpy")

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
        self._budget = None if budget is None else settings.whole_number("budget", budget, at_least=1)
        self._name = _known(name)
        self._library = f"nevergrad's {name!r}"
        self._engine = self._start(self._seed)

    def _settings(self) -> State:
        return {"name": self._name, "sigma": self._sigma, "budget": self._budget}

    def _start(self, seed: int) -> NevergradEngine:
        with translated(SettingError, self._library):
            return NevergradEngine(
                self._name,
                self.dimension,
                population_size=self.population_size,
                sigma=self._sigma,
                budget=self._budget,
                seed=seed,
            )


class NevergradEngine:
    """One of Nevergrad's optimizers and the global random state that it draws from, kept from everybody else's."""

    def __init__(
        self, name: str, dimension: int, *, population_size: int, sigma: float, budget: int | None, seed: int
    ) -> None:
        own, shared, plain = (int(word) for word in np.random.SeedSequence(seed).generate_state(3))
        self._globals = (np.random.RandomState(shared).get_state(), random.Random(plain).getstate())
        self._asked: list[Any] = []
        self._next: Future[list[Any]] | None = None
        with self._world():
            ng = _nevergrad()
            parametrization = ng.p.Array(shape=(dimension,)).set_mutation(sigma=sigma)
            parametrization.random_state = np.random.RandomState(own)
            family = ng.optimizers.registry[name]
            self._count = 1 if family.no_parallelization else population_size
            self._optimizer = family(parametrization, budget=budget, num_workers=self._count)

    def ask(self) -> FloatArray:
        if self._next is None:
            with self._world():
                self._next = self._population()
        self._asked, self._next = self._next.result(), None
        return np.array([candidate.value for candidate in self._asked])

    def tell(self, candidates: FloatArray, losses: FloatArray) -> None:
        with self._world():
            for candidate, loss in zip(self._asked, losses.tolist(), strict=True):
                self._optimizer.tell(candidate, loss)
            # At once: an optimizer that computes in a thread must wait for losses again before its world is left.
            self._next = self._population()

    def _population(self) -> Future[list[Any]]:
        """The next candidates, or the failure that the next `ask` will raise."""
        population: Future[list[Any]] = Future()
        try:
            population.set_result([self._optimizer.ask() for _ in range(self._count)])
        except LIBRARY_ERRORS as error:
            population.set_exception(error)
        return population

    @contextmanager
    def _world(self) -> Iterator[None]:
        """Its own numpy and Python global random states, no warnings, one BLAS thread, CSA for pycma."""
        with (
            _one_at_a_time,
            np.errstate(all="ignore"),
            one_blas_thread(),
            csa_unless_named(),
            warnings.catch_warnings(),
        ):
            warnings.simplefilter("ignore")
            outside = (np.random.get_state(), random.getstate())
            _set_globals(self._globals)
            try:
                yield
            finally:
                self._globals = (np.random.get_state(), random.getstate())
                _set_globals(outside)


def _set_globals(states: tuple[Any, Any]) -> None:
    np.random.set_state(states[0])
    random.setstate(states[1])


def _nevergrad() -> Any:
    outside = (np.random.get_state(), random.getstate())
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            import nevergrad  # type: ignore[import-untyped]
            from nevergrad.optimization import metamodel, recaster  # type: ignore[import-untyped]
    except ImportError as error:
        raise MissingPackageError(
            f"NevergradSearch needs nevergrad ({error}); install it with: pip install 'blackbox-prompts[nevergrad]'"
        ) from error
    finally:
        _set_globals(outside)  # the first import draws from them
    # Its optimizers from SciPy wait for the next loss in a thread, which would keep the process from ever ending.
    recaster._MessagingThread.daemon = True
    # float([x]) is an error since numpy 2.4: https://github.com/facebookresearch/nevergrad/issues/1612
    metamodel.float = _only_element
    return nevergrad


def _only_element(value: Any) -> float:
    return float(np.asarray(value).item())


def _known(name: str) -> str:
    names = sorted(_nevergrad().optimizers.registry)
    if name in names:
        return name
    near = get_close_matches(name, names, n=3, cutoff=0.5)
    hint = f"did you mean {' or '.join(map(repr, near))}? " if near else ""
    raise SettingError(
        f"unknown nevergrad optimizer {name!r}; {hint}known: the {len(names)} names in ng.optimizers.registry"
    )
