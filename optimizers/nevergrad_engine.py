"""One optimizer of Nevergrad (arXiv 1812.07889 and later) at work, in a world of its own.

This is the one file that imports `nevergrad`, when an optimizer is made; the import takes seconds.
"""

from __future__ import annotations

import random
import warnings
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from contextlib import contextmanager
from difflib import get_close_matches
from threading import Lock
from typing import Any

import numpy as np

from blackbox.optimizers.base import FloatArray
from blackbox.optimizers.blas import one_blas_thread
from blackbox.optimizers.cma_es import csa_unless_named
from blackbox.optimizers.errors import MissingPackageError, SettingError
from blackbox.optimizers.replay import LIBRARY_ERRORS

_one_at_a_time = Lock()
"""Global random state is swapped while an engine works, so that engines in several threads take turns."""


class NevergradEngine:
    """One of Nevergrad's optimizers and the global random state that it draws from, kept from everybody else's.

    Args:
        name: In `nevergrad.optimizers.registry`.
        parametrization: Makes the search space from the module `nevergrad.p`.
        population_size: Nevergrad's `num_workers`.
        budget: Evaluations planned.
        seed: Of everything random.
    """

    def __init__(
        self,
        name: str,
        parametrization: Callable[[Any], Any],
        *,
        population_size: int,
        budget: int | None,
        seed: int,
    ) -> None:
        own, shared, plain = (int(word) for word in np.random.SeedSequence(seed).generate_state(3))
        self._globals = (np.random.RandomState(shared).get_state(), random.Random(plain).getstate())
        self._asked: list[Any] = []
        self._next: Future[list[Any]] | None = None
        with self._world():
            ng = _nevergrad()
            space = parametrization(ng.p)
            space.random_state = np.random.RandomState(own)
            family = ng.optimizers.registry[name]
            self._count = 1 if family.no_parallelization else population_size
            self._optimizer = family(space, budget=budget, num_workers=self._count)

    def ask(self) -> FloatArray:
        if self._next is None:
            with self._world():
                self._next = self._population()
        self._asked, self._next = self._next.result(), None
        return np.array([candidate.value for candidate in self._asked], dtype=np.float64)

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
            f"Nevergrad's optimizers need it ({error}); install it with: pip install 'blackbox-prompts[nevergrad]'"
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


def known_name(name: str) -> str:
    """`name` itself.

    Raises:
        MissingPackageError: nevergrad is not installed.
        SettingError: Its registry lacks the name; the nearest ones are named.
    """
    names = sorted(_nevergrad().optimizers.registry)
    if name in names:
        return name
    near = get_close_matches(name, names, n=3, cutoff=0.5)
    hint = f"did you mean {' or '.join(map(repr, near))}? " if near else ""
    raise SettingError(
        f"unknown nevergrad optimizer {name!r}; {hint}known: the {len(names)} names in ng.optimizers.registry"
    )
