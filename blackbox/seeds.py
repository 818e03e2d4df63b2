"""One seed for a run, independent ones for its parts."""

from typing import Literal, get_args

import numpy as np

Part = Literal["shots", "start", "projection", "optimizer", "race", "shown", "rows"]


def part_seed(seed: int, part: Part) -> int:
    """The seed of a part of a run, 64 bits: a child of the run's (`numpy.random.SeedSequence.spawn`)."""
    child = np.random.SeedSequence(seed, spawn_key=(get_args(Part).index(part),))
    return int(child.generate_state(1, np.uint64)[0])
