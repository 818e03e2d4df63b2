"""Search that learns from single rows: a pool of choices, each best on some of them, and a model that reads failures.

GEPA (Agrawal et al. 2025, arXiv 2507.19457): a parent is drawn with a probability by the number of rows on which no
other in the pool is better (algorithm 2), and a model reads rows on which it fails. GEPA accepts a child that is better
than its parent on three rows; here it must pass a paired test.

**The test.** On the rows that both have met, at least `LEAST_ROWS`, the differences of losses, child less parent, are
given signs anew, each equally likely (Fisher's randomization test of paired differences, one-sided). The child is
accepted if at most a share `LEVEL` of all signs gives a sum as low as the one seen. The level is lenient: the pool only
says where to search on, and the selection has dev rows of its own.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray

from blackbox.optimizers import saved
from blackbox.optimizers.base import FloatArray, State
from blackbox.optimizers.breeding import Breeding, Child, choices
from blackbox.optimizers.edits import Choice, cross, edit
from blackbox.optimizers.errors import StateError, TellError
from blackbox.optimizers.proposals import Proposer, Request

LEAST_ROWS = 4
LEVEL = 0.2
REFLECTED = 0.5
"""Share of children for which a new instruction is asked for; the others are edits of their parents."""
MERGED = 0.25
"""Share of children that take variables from a second member of the pool."""
ROWS = 6
"""Failed rows that go to the proposer, drawn from twice as many of the worst."""
_EXACT = 12  # rows up to which all signs are tried
_DRAWN = 4095


class Reflective(Breeding):
    """A pool of at most twice `population_size` choices. Losses of rows are told by `tell_rows`, before `tell`.

    Without losses of rows a child must have a lower loss than its parent.

    Args:
        sizes, blocks, population_size, proposer, key, seed: As of `Breeding`.

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
        super().__init__(
            sizes, blocks=blocks, population_size=population_size, proposer=proposer, key=key, seed=seed
        )  # fmt: skip
        self._pool: list[Choice] = []
        self._losses: list[float] = []
        self._rows = np.zeros((0, 1))  # losses of the pool, NaN where not known
        self._rows_told: FloatArray | None = None

    def tell_rows(self, candidates: ArrayLike, row_losses: ArrayLike) -> None:
        """Takes the losses on single rows of the candidates that wait for theirs; `tell` comes next.

        Args:
            candidates: As of `tell`, shape (n, dimension).
            row_losses: Shape (n, n_rows), NaN where not known; the same rows each time.

        Raises:
            TellError: Another shape, or nothing was asked.
        """
        told = np.array(row_losses, dtype=np.float64)
        count = 0 if self.asked is None else len(self.asked)
        width = self._rows.shape[1] if self._pool and self._rows.shape[1] > 1 else None
        if not count or told.ndim != 2 or len(told) != count or (width or told.shape[1]) != told.shape[1]:
            expected = f"({count}, {width or 'n_rows'})"
            raise TellError(f"row losses must have shape {expected}, one row of numbers a candidate, got {told.shape}")
        self._rows_told = told

    def _children(self, rng: np.random.Generator) -> list[Child]:
        if not self._pool:
            return []
        shares = parent_shares(self._rows)
        parents = [int(i) for i in rng.choice(len(self._pool), size=self.population_size, p=shares)]
        children = [(parent, self._merged(parent, rng)) for parent in parents]
        reflects = rng.random(len(parents)) < REFLECTED
        requests = [self._reflection(parent, rng) for parent, asks in zip(parents, reflects, strict=True) if asks]
        asking = [child for child, asks in zip(children, reflects, strict=True) if asks]
        proposed = iter(self._proposed(requests, asking, rng))
        return [
            next(proposed) if asks else (parent, edit(choice, self._of, rng))
            for (parent, choice), asks in zip(children, reflects, strict=True)
        ]

    def _merged(self, parent: int, rng: np.random.Generator) -> Choice:
        """The parent, sometimes with variables of another member; the instruction is always its own."""
        own = self._pool[parent]
        if len(self._pool) < 2 or rng.random() >= MERGED:
            return own
        other = self._pool[(parent + 1 + int(rng.integers(len(self._pool) - 1))) % len(self._pool)]
        return (own[0], *cross(own[1:], other[1:], rng))

    def _reflection(self, parent: int, rng: np.random.Generator) -> Request:
        """Asks with some of the rows on which the parent has its highest losses; without such rows, for a change."""
        choice, losses = self._pool[parent], self._rows[parent]
        known = np.flatnonzero(~np.isnan(losses))
        if len(losses) == 1 or not len(known):
            return Request("mutate", (choice[0],), choice)
        worst = known[np.argsort(-losses[known], kind="stable")][: 2 * ROWS]
        drawn = np.sort(rng.choice(len(worst), size=min(ROWS, len(worst)), replace=False))
        return Request("reflect", (choice[0],), choice, tuple(int(row) for row in worst[drawn]))

    def _survive(self, choices: Sequence[Choice], losses: FloatArray) -> None:
        rows, self._rows_told = self._rows_told, None
        if rows is None:
            rows = losses[:, None] if self._rows.shape[1] == 1 else np.full((len(losses), self._rows.shape[1]), np.nan)
        parents, origins = len(self._pool), self._origins
        if not parents:
            self._rows = np.zeros((0, rows.shape[1]))
        pairs = zip(choices, losses.tolist(), rows, origins, strict=True)
        accepted = [
            (choice, loss, of_rows)
            for choice, loss, of_rows, origin in pairs
            if np.isfinite(loss)
            and choice not in self._pool
            and (not 0 <= origin < parents or self._accepts(loss, of_rows, origin))
        ]
        for choice, loss, of_rows in accepted:
            self._pool, self._losses = [*self._pool, choice], [*self._losses, loss]
            self._rows = np.vstack([self._rows, of_rows])
        self._keep(_kept(self._rows, self._losses, 2 * self.population_size))

    def _accepts(self, loss: float, rows: FloatArray, parent: int) -> bool:
        differences = rows - self._rows[parent]
        differences = differences[np.isfinite(differences)]
        if rows.size == 1 or np.isnan(rows).all():
            return loss < self._losses[parent]
        rng = np.random.default_rng([self._seed, self._generation, parent])
        return len(differences) >= LEAST_ROWS and sign_flip_p_value(differences, rng) <= LEVEL

    def _keep(self, members: Sequence[int]) -> None:
        self._pool = [self._pool[i] for i in members]
        self._losses = [self._losses[i] for i in members]
        self._rows = self._rows[list(members)]

    def _members_state(self) -> State:
        rows = [[None if np.isnan(loss) else loss for loss in line] for line in self._rows.tolist()]
        return {"choices": [list(choice) for choice in self._pool], "losses": list(self._losses), "rows": rows}

    def _load_members(self, state: State) -> None:
        pool = choices(saved.take(state, "choices", list), "choices", self.dimension)
        losses, listed = saved.take(state, "losses", list), saved.take(state, "rows", list)
        rows = np.array(saved.array(listed, "rows", rank=2)) if listed else np.zeros((0, 1))
        if not len(losses) == len(rows) == len(pool) or not all(isinstance(loss, float) for loss in losses):
            raise StateError(f"'losses' and 'rows' in the state must be {len(pool)}, one a choice")
        self._pool, self._losses, self._rows = pool, losses, rows


def parent_shares(rows: FloatArray) -> FloatArray:
    """Probabilities of members to be drawn, shape (n,): by the number of rows on which none is better.

    A member that another one dominates (nowhere worse, somewhere better) is not drawn.

    Args:
        rows: Losses, shape (n, n_rows), NaN where not known; a loss that is not known is worse than all.
    """
    losses = np.where(np.isnan(rows), np.inf, rows)
    counts = (best_rows(losses) & ~_dominated(losses)[:, None]).sum(axis=1).astype(np.float64)
    shares: FloatArray = counts / counts.sum() if counts.sum() else np.full(len(rows), 1 / len(rows))
    return shares


def best_rows(losses: FloatArray) -> NDArray[np.bool_]:
    """Where a member is jointly best: shape as `losses`, (n, n_rows); inf is never best."""
    return np.asarray((losses == losses.min(axis=0)) & np.isfinite(losses))


def sign_flip_p_value(differences: FloatArray, rng: np.random.Generator) -> float:
    """Share of all ways to give the differences signs whose sum is as low as theirs; drawn where they are many."""
    n = len(differences)
    if n <= _EXACT:
        signs = 1 - 2 * ((np.arange(2**n)[:, None] >> np.arange(n)) & 1)
        extra = 0
    else:
        signs, extra = 1 - 2 * rng.integers(2, size=(_DRAWN, n)), 1
    sums = signs @ np.abs(differences)
    tolerance = 1e-9 * np.abs(differences).sum()
    as_low = int((sums <= differences.sum() + tolerance).sum())
    return (as_low + extra) / (len(signs) + extra)


def _dominated(losses: FloatArray) -> NDArray[np.bool_]:
    """Which members another one is nowhere worse than and somewhere better, shape (n,)."""
    nowhere_worse = (losses[:, None] <= losses[None]).all(axis=2)
    somewhere_better = (losses[:, None] < losses[None]).any(axis=2)
    return np.asarray((nowhere_worse & somewhere_better).any(axis=0))


def _kept(rows: FloatArray, losses: Sequence[float], most: int) -> list[int]:
    """Numbers of at most so many members, in order: the lowest loss, then those best on the most rows."""
    if len(losses) <= most:
        return list(range(len(losses)))
    counts = best_rows(np.where(np.isnan(rows), np.inf, rows)).sum(axis=1)
    lowest = int(np.argmin(losses))
    ranked = sorted(range(len(losses)), key=lambda i: (i != lowest, -counts[i], losses[i], i))
    return sorted(ranked[:most])
