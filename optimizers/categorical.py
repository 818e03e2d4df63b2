"""Search over a few categorical variables with a few hundred noisy losses.

Estimation-of-distribution algorithms (PBIL, Baluja 1994; UMDA, Muehlenbein & Paass 1996; cGA, Harik 1999; the
cross-entropy method, Rubinstein 1999) draw a generation variable by variable from the categories that the elite has,
and TPE (Bergstra 2011) from those more common in the elite than in the rest. They forget how much better a category
was. In simulations with 120 evaluations, PBIL, the cross-entropy method over all that was told, TPE and mutations of
the best stayed behind, on average over landscapes, a model of all losses told so far, `random_effects`. Generations are
drawn from it by Thompson sampling (Thompson 1933): each candidate is the best of a pool for one draw of the losses from
the posterior, so that what is likely good is asked often, and what is unknown now and then.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np

from blackbox.optimizers.base import State
from blackbox.optimizers.blas import one_blas_thread
from blackbox.optimizers.choices import Choice, ChoiceOptimizer
from blackbox.optimizers.domain import Domain
from blackbox.optimizers.random_effects import Choices, RandomEffects, standardized

_MUTATED, _CROSSED, _UNIFORM = 150, 90, 60  # of the pool that generations are drawn from
_JITTER = 1e-6  # of variance, about 1: two choices of a pool may be as good as the same


class Categorical(ChoiceOptimizer):
    """Thompson sampling from random effects of categories; see the module.

    The first generation, and the last candidate of each, is drawn uniformly, so that no category ever dies out.

    Args:
        sizes: Categories of each variable, at least two combinations in all.
        blocks: Runs of variables that choose from the same categories, as in `Domain`; None: no two are alike.
        population_size: Candidates a generation, at least 2.
        seed: Two searches with the same seed and losses ask the same candidates.

    Raises:
        SettingError: A setting out of its range, or blocks that do not fit the sizes.
    """

    def __init__(
        self, sizes: Sequence[int], *, blocks: Sequence[int] | None = None, population_size: int = 20, seed: int
    ) -> None:
        super().__init__(sizes, population_size=population_size, seed=seed)
        alone = (1,) * self.dimension
        self._blocks = Domain(alone if blocks is None else tuple(blocks), sizes=self._categories).blocks

    def _settings(self) -> State:
        return {"blocks": list(self._blocks)}

    def _propose(self) -> Iterable[Choice]:
        if not np.isfinite(self._losses).any():
            return []
        with one_blas_thread():
            x = self._told.astype(np.int64)
            model = RandomEffects.fitted(x, standardized(self._losses), blocks=self._blocks, sizes=self._categories)
            pool = self._pool(x[model.predict(x)[0].argsort(kind="stable")])
            return self._drawn(model, pool)[: self.population_size - 1] if len(pool) else []

    def _pool(self, ranked: Choices) -> Choices:
        """Choices not asked yet: relatives of the best told, and uniform ones; `ranked` has the best told first."""
        best = ranked[: max(4, self.population_size // 2)]
        mothers = best[self._rng.integers(len(best), size=_MUTATED)]
        parents = best[self._rng.integers(len(best), size=(3, _CROSSED))]
        uniform = self._rng.integers(self._categories, size=(_UNIFORM, self.dimension))
        crossed = np.take_along_axis(parents, self._rng.integers(3, size=(1, _CROSSED, self.dimension)), axis=0)[0]
        odd = self._rng.random(_CROSSED) < 0.5
        crossed[odd] = self._mutated(crossed[odd], others=0.0)
        pool = np.concatenate([self._mutated(mothers, others=1.0), crossed, uniform]).tolist()
        asked = self._asked_before()
        return np.array([choice for choice in dict.fromkeys(map(tuple, pool)) if choice not in asked], dtype=np.int64)

    def _mutated(self, choices: Choices, *, others: float) -> Choices:
        """Choices with one variable drawn anew, and `others` more on average."""
        anew = self._rng.random(choices.shape) < others / self.dimension
        np.put_along_axis(anew, self._rng.integers(self.dimension, size=(len(choices), 1)), True, axis=1)
        return np.where(anew, self._rng.integers(self._categories, size=choices.shape), choices)

    def _drawn(self, model: RandomEffects, pool: Choices) -> list[Choice]:
        """The best of the pool by one draw from the posterior, by another, ..., each once."""
        mean, covariance = model.predict(pool)
        root = np.linalg.cholesky(covariance + _JITTER * np.eye(len(pool)))
        draws = mean[:, None] + root @ self._rng.standard_normal((len(pool), 4 * self.population_size))
        return [tuple(pool[i].tolist()) for i in dict.fromkeys(draws.argmin(axis=0).tolist())]
