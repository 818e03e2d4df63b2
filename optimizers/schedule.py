"""Which block of a blockwise search has the next turn.

In turn, each block has as many evaluations, also one that the loss does not depend on. Here a short pass looks at a few
candidates of each, and turns go to blocks in proportion to the spread of their losses, by largest remainders; what a
block's own generations tell of its spread is taken in, and a round in turn now and then looks at all of them anew.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from blackbox.optimizers import saved, settings
from blackbox.optimizers.base import FloatArray, State
from blackbox.optimizers.errors import StateError


class SensitivitySchedule:
    """Rounds of as many turns as there are blocks, after a pass in which each has one with a few candidates.

    Args:
        blocks: How many, at least 1.
        probes: Candidates of a block in the pass, at least 2.
        refresh: Every so many rounds are one in turn, at least 2.

    Raises:
        SettingError: A setting out of its range.
    """

    def __init__(self, blocks: int, *, probes: int = 4, refresh: int = 4) -> None:
        self._blocks = settings.whole_number("blocks", blocks, at_least=1)
        self.probes = settings.whole_number("probes", probes, at_least=2)
        self._refresh = settings.whole_number("refresh", refresh, at_least=2)
        self._spreads = np.zeros(blocks)
        self._queue = list(range(blocks))
        self._round = 0  # 0: the pass

    @property
    def block(self) -> int:
        """Whose turn it is."""
        return self._queue[0]

    @property
    def probing(self) -> bool:
        """Whether its turn is one of the pass."""
        return self._round == 0

    @property
    def spreads(self) -> tuple[float, ...]:
        """The standard deviation of the losses of each block's last turn; 0 before it and where none is finite."""
        return tuple(self._spreads.tolist())

    def told(self, losses: FloatArray, going_on: Sequence[bool]) -> None:
        """Take in the losses of a turn and find the next.

        Args:
            losses: Of the turn's candidates, shape (n,).
            going_on: Of each block, whether it shall have further turns; where none shall, all have.
        """
        finite = losses[np.isfinite(losses)]
        self._spreads[self._queue.pop(0)] = finite.std() if len(finite) else 0.0
        wanted = going_on if any(going_on) else [True] * self._blocks
        self._queue = [block for block in self._queue if wanted[block] or self.probing]
        if self._queue:
            return
        self._round += 1
        in_turn = self._round % self._refresh == 0
        shares = np.ones(self._blocks) if in_turn else self._spreads
        self._queue = spread_out(turns(np.where(wanted, shares, 0.0), self._blocks))
        self._queue = self._queue or [block for block in range(self._blocks) if wanted[block]]

    def settings(self) -> State:
        """What a state must share with the schedule that loads it."""
        return {"probes": self.probes, "refresh": self._refresh}

    def state(self) -> State:
        """JSON values."""
        return {"round": self._round, "queue": list(self._queue), "spreads": self._spreads.tolist()}

    def loaded(self, state: object) -> SensitivitySchedule:
        """A schedule that goes on from what `state` returned; this one stays as it is.

        Raises:
            StateError: A damaged state.
        """
        schedule = SensitivitySchedule(self._blocks, probes=self.probes, refresh=self._refresh)
        schedule._round = saved.take(state, "round", int)
        schedule._queue = saved.take(state, "queue", list).copy()
        spreads = saved.array(saved.take(state, "spreads", list), "spreads", rank=1, width=self._blocks)
        schedule._spreads = spreads.copy()
        if not schedule._queue or any(block not in range(self._blocks) for block in schedule._queue):
            raise StateError(f"'queue' in the state must hold blocks below {self._blocks}, got {schedule._queue}")
        return schedule


def turns(shares: FloatArray, count: int) -> list[int]:
    """`count` turns in proportion to `shares`, shape (blocks,), by largest remainders; none where all shares are 0.

    Of equal remainders the earlier block's counts.
    """
    total = float(shares.sum())
    if not total > 0:
        return [0] * len(shares)
    quotas = count * (shares / total)
    given = np.floor(quotas).astype(int)
    for block in np.argsort(given - quotas, kind="stable")[: count - int(given.sum())]:
        given[block] += 1
    found: list[int] = given.tolist()
    return found


def spread_out(counts: Sequence[int]) -> list[int]:
    """Each block as often as it counts, its turns as far apart as they can be; of equals the earlier block first."""
    places = [((turn + 0.5) / count, block) for block, count in enumerate(counts) for turn in range(count)]
    return [block for _, block in sorted(places)]
