"""The seeds that a process works on, so that several share a long benchmark."""

import os
from collections.abc import Sequence


def seeds_of(default: Sequence[int]) -> tuple[int, ...]:
    """Those named by $BLACKBOX_SEEDS (`13,21`), else the benchmark's own.

    Processes with different seeds and one $BLACKBOX_KEPT work side by side; a last one without $BLACKBOX_SEEDS puts
    their parts together.
    """
    named = os.environ.get("BLACKBOX_SEEDS")
    return tuple(int(seed) for seed in named.split(",")) if named else tuple(default)
