"""CMA-ES (Hansen, The CMA Evolution Strategy: A Tutorial, arXiv 1604.00772), as pycma implements it.

What stands here is what pycma needs to be a part: a random generator of its own, no files and no printing, one thread
in BLAS, a step-size rule that is always named, failed candidates, and a state without pickle (see `replay`). This is
the one file that imports `cma`, when an optimizer is made.
"""

from __future__ import annotations

import math
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, ClassVar, Literal

import numpy as np
from numpy.typing import ArrayLike

from blackbox.optimizers import saved, settings
from blackbox.optimizers.base import FloatArray, State, read_only
from blackbox.optimizers.blas import one_blas_thread
from blackbox.optimizers.errors import SearchError, SettingError, StateError
from blackbox.optimizers.replay import ReplayedOptimizer

LARGEST_FULL = 3_000
"""Dimension up to which a full covariance is allowed; an eigendecomposition takes seconds there."""

LAZINESS = 5
"""Generations between eigendecompositions, as a multiple of pycma's 1 / (10 d (c1 + cmu)).

Along one direction the covariance then grows by a half between two of them at most. Generations to a target on sphere,
ellipsoid, cigar and Rosenbrock, d = 5 ... 40, stay the same within the spread of the seeds; at d = 500 a
generation costs less than half.
"""

PATIENCE = 10
"""Generations before `tolfun` is believed: with an error rate as the loss one flat generation says little."""


class CMAES(ReplayedOptimizer):
    """Covariance matrix adaptation evolution strategy.

    `sigma` only sets the scale: a loss that depends on z / sigma runs the same way for every sigma.

    Args:
        dimension: Length of a candidate, at least 2; up to 3,000 with a full covariance.
        population_size: Candidates a generation, at least 2, with "tpa" at least 4.
        sigma: Initial standard deviation of each coordinate, above 0.
        covariance: "full" learns how coordinates go together (memory and time grow with the square of the dimension),
            "diagonal" the scale of each (sep-CMA-ES, Ros and Hansen 2008).
        step_size: "csa", cumulative step-size adaptation, or "tpa", two-point adaptation (Hansen 2008), much faster
            where few of many dimensions matter. By itself pycma 4.5 takes "tpa" from 300 dimensions up; before, and
            in BBT, a full covariance went with "csa".
        center: Initial mean, shape (dimension,); None: zeros.
        seed: Two runs with the same seed and losses ask the same candidates.

    Raises:
        SettingError: A setting out of its range.
    """

    _library = "pycma"
    packages: ClassVar[tuple[str, ...]] = ("cma", "numpy")

    def __init__(
        self,
        dimension: int,
        *,
        population_size: int = 20,
        sigma: float = 1.0,
        covariance: Literal["full", "diagonal"] = "full",
        step_size: Literal["csa", "tpa"] = "csa",
        center: ArrayLike | None = None,
        seed: int,
    ) -> None:
        super().__init__(dimension, population_size, seed=seed)
        self._sigma = settings.step("sigma", sigma)
        self._covariance = settings.one_of("covariance", covariance, ("full", "diagonal"))
        self._step_size = settings.one_of("step_size", step_size, ("csa", "tpa"))
        self._center = settings.start("center", center, self.dimension)
        self._refuse_what_cannot_work()
        self._engine: PycmaEngine = self._start(self._seed)

    def stop(self) -> dict[str, object]:
        """pycma's reasons, with the thresholds that were passed.

        Reported: `tolx` (all standard deviations below 1e-11 sigma), `tolfun` (all losses of this generation and the
        lowest of each of the last 10 + 30 d / population_size lie within 1e-11; from the 10th generation on),
        `tolfacupx` (a standard deviation above 1000 sigma), `tolupsigma`, `tolconditioncov`, `noeffectcoord`,
        `noeffectaxis`. Switched off, since they would end a search on a long plateau, which losses such as an error
        rate have: `tolflatfitness`, `tolfunhist`, `tolstagnation`, `tolxstagnation`. Budgets (`maxiter`, `maxfevals`,
        `timeout`, `ftarget`) are the business of whoever asks.
        """
        return self._engine.stop()

    @property
    def mean(self) -> FloatArray:
        return read_only(self._engine.mean)

    def inject(self, candidate: ArrayLike) -> None:
        """Has a candidate that was found elsewhere asked in the next generation, as pycma's `inject` does it.

        It takes the place of one that would have been drawn and is scored as any other. Where it is farther from the
        mean than draws are, what is asked lies in its direction as far away as a draw, so that one candidate from
        afar cannot blow up the covariance (Hansen 2011, arXiv 1110.4181). Of several for one generation the last
        counts; the mean itself is left out, since nothing can be learned from it.

        Args:
            candidate: Shape (dimension,).

        Raises:
            SettingError: Another shape, or an element that is no finite number.
        """
        self._engine.inject(settings.start("candidate", candidate, self.dimension))

    def _refuse_what_cannot_work(self) -> None:
        if self._covariance == "full" and self.dimension > LARGEST_FULL:
            raise SettingError(
                f"covariance='full' takes a dimension of at most {LARGEST_FULL}, got {self.dimension}; "
                "use covariance='diagonal', or blocks with an optimizer each (Blockwise)"
            )
        if self._step_size == "tpa" and self.population_size < 4:
            raise SettingError(
                f"step_size='tpa' takes a population_size of at least 4, got {self.population_size}: "
                "two candidates of each generation are its test points; use step_size='csa'"
            )

    def _settings(self) -> State:
        names = {"covariance": self._covariance, "step_size": self._step_size}
        return {"sigma": self._sigma, **names, "center": self._center.tolist()}

    def _state(self) -> State:
        injected = [{"generation": n, "candidate": z.tolist()} for n, z in self._engine.injected.items()]
        return {**super()._state(), "injected": injected}

    def _restart(self, seed: int, state: State) -> PycmaEngine:
        engine = self._start(seed)
        engine.injected = dict(_saved_injection(one, self.dimension) for one in saved.take(state, "injected", list))
        return engine

    def _start(self, seed: int) -> PycmaEngine:
        options = {
            "popsize": self.population_size,
            "CMA_diagonal": self._covariance == "diagonal",
            "AdaptSigma": _step_size_rule(self._step_size, self.dimension, self.population_size),
            "tolx": 1e-11 * self._sigma,
            "maxiter": math.inf,
        }
        return PycmaEngine(self._center, self._sigma, options, seed)


class PycmaEngine:
    """`cma.CMAEvolutionStrategy`, quiet and alone: nothing global is drawn from, written or shown."""

    def __init__(self, center: FloatArray, sigma: float, options: dict[str, Any], seed: int) -> None:
        import cma  # type: ignore[import-untyped]

        rng = np.random.default_rng(seed)
        alone = {"randn": lambda *shape: rng.standard_normal(shape), "seed": math.nan}
        quiet = {"verbose": -10, "signals_filename": ""}
        never = {"tolflatfitness": math.inf, "tolfunhist": 0, "tolstagnation": 0, "tolxstagnation": False}
        with one_blas_thread():
            self._es = cma.CMAEvolutionStrategy(np.array(center), sigma, {**options, **alone, **quiet, **never})
        if not options["CMA_diagonal"]:
            self._es.sm.lazy_update_gap *= LAZINESS
        self.injected: dict[int, FloatArray] = {}  # by the generation in which it is, or was, asked
        self._next = 0  # the generation that is asked next

    def inject(self, candidate: FloatArray) -> None:
        """Have `candidate`, shape (d,), asked in the next generation."""
        self.injected[self._next] = candidate

    @property
    def mean(self) -> FloatArray:
        """pycma's, shape (d,)."""
        return np.array(self._es.mean, dtype=np.float64)

    def ask(self) -> FloatArray:
        # Directions that are injected: the test points of TPA, mirrored points in populations below 6.
        if not all(0 < direction @ direction < np.inf for direction in self._es.pop_injection_directions):
            raise SearchError(f"pycma's mean moves no more, or to infinity; stop() says {self.stop()}")
        injected = self.injected.get(self._next)
        self._next += 1
        with one_blas_thread(), np.errstate(all="ignore"):
            if injected is not None and (injected != self._es.mean).any():
                self._es.inject([injected])
            return np.array(self._es.ask())

    def tell(self, candidates: FloatArray, losses: FloatArray) -> None:
        with one_blas_thread(), np.errstate(all="ignore"):
            self._es.tell(list(candidates), finite(losses).tolist())

    def stop(self) -> dict[str, object]:
        with np.errstate(all="ignore"):
            reasons = dict(self._es.stop())
        if self._es.countiter < PATIENCE:
            reasons.pop("tolfun", None)
        return reasons


def _saved_injection(one: object, dimension: int) -> tuple[int, FloatArray]:
    """Of a state: the generation, and what was injected into it, shape (dimension,)."""
    generation = saved.take(one, "generation", int)
    candidate = saved.array(saved.take(one, "candidate", list), "candidate", rank=1, width=dimension)
    if generation < 0 or not np.isfinite(candidate).all():
        raise StateError(f"what was injected into generation {generation} of the state is damaged")
    return generation, candidate


def finite(losses: FloatArray) -> FloatArray:
    """`losses`, shape (n,), each inf as one number above the finite ones: CMA-ES only ranks, but pycma subtracts."""
    failed = np.isinf(losses)
    if not failed.any():
        return losses
    worst = float(losses[~failed].max(initial=-np.inf))
    above = 0.0 if worst == -np.inf else min(worst + max(1.0, abs(worst)), sys.float_info.max)
    return np.where(failed, above, losses)


@contextmanager
def csa_unless_named() -> Iterator[None]:
    """While it is entered, a new pycma optimizer that names no step-size rule takes CSA in every dimension.

    For callers of pycma that ask in an order that TPA cannot take: https://github.com/facebookresearch/nevergrad/issues/1690
    """
    from cma import evolution_strategy

    before = evolution_strategy.TPA_dimension
    evolution_strategy.TPA_dimension = math.inf
    try:
        yield
    finally:
        evolution_strategy.TPA_dimension = before


def _step_size_rule(name: str, dimension: int, population_size: int) -> object:
    from cma.sigma_adaptation import CMAAdaptSigmaCSA, CMAAdaptSigmaTPA  # type: ignore[import-untyped]

    if name == "csa":
        return CMAAdaptSigmaCSA
    rule = CMAAdaptSigmaTPA(dimension=dimension, popsize=population_size)
    rule.check_consistency = _no_check
    return rule


def _no_check(es: object) -> None:
    """Instead of pycma's self-test of TPA, which draws coordinates from numpy's global generator every generation."""
