"""Divide and conquer over blocks of a vector: BBTv2 (arXiv 2205.11200, Algorithm 1), stated without layers.

Each block has an optimizer of its own; they are asked in turn, one generation each, while the other blocks stand at the
incumbent. The released code fixes a block at the best sample it has ever seen, found while the other blocks stood
elsewhere, and never scores what it puts together. Here the incumbent is always a whole vector that has been scored, and
gives way only to a whole candidate with a lower loss.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Literal

import numpy as np
from numpy.typing import ArrayLike

from blackbox.optimizers import saved, settings
from blackbox.optimizers.base import Best, FloatArray, Optimizer, State, read_only, saved_best
from blackbox.optimizers.errors import SettingError, StateError
from blackbox.optimizers.schedule import SensitivitySchedule


class Blockwise(Optimizer):
    """Optimizers of blocks, asked in turn; the first `ask` returns the start alone, so that its loss is known.

    A block's optimizer searches offsets from `center`; `population_size` is the largest of theirs, and one more where
    the incumbent is asked again.

    Args:
        blocks: Size of each block, in order, each at least 2; the dimension is their sum.
        make: (dimension, seed) -> optimizer of one block; called again when a state is loaded.
        center: The start, shape (dimension,); None: zeros.
        schedule: "turns", or "sensitivity": more turns for blocks in which losses differ more, see `schedule`.
        reevaluate: Losses of different generations cannot be compared (they are of other rows): the incumbent is asked
            in each generation, first, and gives way to the lowest of the same generation.
        seed: Source of the blocks' seeds.

    Raises:
        SettingError: No blocks, a block below 2, or `make` returns an optimizer of another dimension.
    """

    def __init__(
        self,
        blocks: Sequence[int],
        *,
        make: Callable[[int, int], Optimizer],
        center: ArrayLike | None = None,
        schedule: Literal["turns", "sensitivity"] = "turns",
        reevaluate: bool = False,
        seed: int,
    ) -> None:
        self._sizes = tuple(settings.whole_number(f"blocks[{i}]", size, at_least=2) for i, size in enumerate(blocks))
        if not self._sizes:
            raise SettingError("blocks must name at least one block size, got none")
        self._seeds = _child_seeds(settings.whole_number("seed", seed, at_least=0), len(self._sizes))
        self._make = make
        self._inner = self._made()
        largest = max(inner.population_size for inner in self._inner)
        super().__init__(sum(self._sizes), largest + reevaluate)
        self._center = settings.start("center", center, self.dimension)
        ends = np.cumsum(self._sizes).tolist()
        self._slices = [slice(end - size, end) for end, size in zip(ends, self._sizes, strict=True)]
        self._turn: int | None = None
        self._reevaluate = reevaluate
        self._held: Best | None = None  # the incumbent, where it is asked again
        named = settings.one_of("schedule", schedule, ("turns", "sensitivity"))
        self._schedule = SensitivitySchedule(len(self._sizes)) if named == "sensitivity" else None

    @property
    def blocks(self) -> tuple[int, ...]:
        """The size of each block."""
        return self._sizes

    @property
    def block(self) -> int | None:
        """Index of the block that the candidates asked, or asked next, change; None for the start."""
        return self._turn

    @property
    def mean(self) -> FloatArray | None:
        """The means of all blocks; None where a block's optimizer has none."""
        means = [inner.mean for inner in self._inner]
        if any(mean is None for mean in means):
            return None
        return read_only(self._center + np.concatenate([mean for mean in means if mean is not None]))

    @property
    def incumbent(self) -> Best | None:
        """The whole vector at which blocks stand whose turn it is not, with its loss; None before the start was told.

        It is `best`, or, while every loss told was inf, the start. Where it is asked again, it is the lowest of its
        last generation.
        """
        if self._turn is None:
            return None
        known = self._held if self._reevaluate else self.best
        return known or Best(self._center, np.inf)

    def stop(self) -> dict[str, object]:
        """Each block's reasons as `block i`, once every block has stopped; one that stops alone loses its turns."""
        reasons: dict[str, object] = {}
        start = self._turn or 0
        for i in (*range(start, len(self._inner)), *range(start)):
            why = self._inner[i].stop()
            if not why:
                return {}
            reasons[f"block {i}"] = why
        return dict(sorted(reasons.items(), key=lambda item: int(item[0].split()[1])))

    def _ask(self) -> FloatArray:
        if self._turn is None or self.incumbent is None:
            return self._center[None]
        part = self._slices[self._turn]
        offsets = self._offsets(self._inner[self._turn])
        candidates = np.tile(self.incumbent.candidate, (len(offsets), 1))
        candidates[:, part] = self._center[part] + offsets
        return np.concatenate([self.incumbent.candidate[None], candidates]) if self._reevaluate else candidates

    def _offsets(self, inner: Optimizer) -> FloatArray:
        """A block's candidates; a pass asks a few of those that it will ask when its turn has come."""
        asked = inner.ask() if inner.asked is None else inner.asked
        return asked[: self._schedule.probes] if self._schedule and self._schedule.probing else asked

    def _tell(self, candidates: FloatArray, losses: FloatArray) -> None:
        if self._reevaluate:
            i = int(losses.argmin())
            self._held = Best(read_only(candidates[i]), float(losses[i]))
        if self._turn is None:
            self._turn = 0
            return
        inner, own = self._inner[self._turn], losses[1:] if self._reevaluate else losses
        if inner.asked is not None and not (self._schedule and self._schedule.probing):
            inner.tell(inner.asked, own)
        self._turn = self._after(self._turn, own)

    def _after(self, turn: int, losses: FloatArray) -> int:
        """The next block by schedule whose optimizer goes on; where none does, the next block."""
        if self._schedule:
            self._schedule.told(losses, [not inner.stop() for inner in self._inner])
            return self._schedule.block
        count = len(self._inner)
        following = [(turn + i) % count for i in range(1, count + 1)]
        return next((i for i in following if not self._inner[i].stop()), following[0])

    def _settings(self) -> State:
        schedule = {"schedule": self._schedule.settings()} if self._schedule else {}
        again = {"reevaluate": True} if self._reevaluate else {}
        return {"blocks": list(self._sizes), "center": self._center.tolist(), **schedule, **again}

    def _state(self) -> State:
        held = self._held and {"candidate": self._held.candidate.tolist(), "loss": self._held.loss}
        again = {"held": held} if self._reevaluate else {}
        schedule = {"schedule": self._schedule.state()} if self._schedule else {}
        return {"turn": self._turn, "blocks": [inner.state_dict() for inner in self._inner], **again, **schedule}

    def _load_state(self, state: State) -> None:
        turn = saved.take(state, "turn", object)
        states = saved.take(state, "blocks", list)
        if turn is not None and not (isinstance(turn, int) and turn in range(len(self._inner))):
            raise StateError(f"'turn' in the state must be null or a block below {len(self._inner)}, got {turn!r}")
        if len(states) != len(self._inner):
            raise StateError(f"the state holds {len(states)} blocks, this optimizer {len(self._inner)}")
        held = saved_best(saved.take(state, "held", object), self.dimension) if self._reevaluate else None
        schedule = self._schedule and self._schedule.loaded(saved.take(state, "schedule", dict))
        # Fresh ones, so that a state that fails at its last block leaves the first ones alone.
        self._inner = [_loaded(inner, i, states[i]) for i, inner in enumerate(self._made())]
        self._turn, self._held, self._schedule = turn, held, schedule

    def _made(self) -> list[Optimizer]:
        inner = [self._make(size, seed) for size, seed in zip(self._sizes, self._seeds, strict=True)]
        for i, (optimizer, size) in enumerate(zip(inner, self._sizes, strict=True)):
            if optimizer.dimension != size:
                raise SettingError(
                    f"make({size}, seed) must return dimension {size}, got {optimizer.dimension} (block {i})"
                )
        return inner


def _loaded(optimizer: Optimizer, block: int, state: Mapping[str, Any]) -> Optimizer:
    try:
        optimizer.load_state_dict(state)
    except StateError as error:
        raise StateError(f"block {block}: {error}") from error
    return optimizer


def _child_seeds(seed: int, count: int) -> list[int]:
    """Independent seeds, 64 bits each."""
    return [int(child.generate_state(1, np.uint64)[0]) for child in np.random.SeedSequence(seed).spawn(count)]
