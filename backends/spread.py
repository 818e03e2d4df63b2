"""The spread of what passes through a model, without the few giant numbers that language models have."""

import numpy as np
import numpy.typing as npt


def clipped_std(values: npt.NDArray[np.float32], rounds: int = 5) -> float:
    """Standard deviation after `rounds` of clipping to mean +- 3 standard deviations (BBTv2's released code).

    Numbers that are all the same have no spread of their own; for them it is 1, so that a space can be scaled by it.

    Args:
        values: any shape.
    """
    if np.ptp(values) == 0:
        return 1.0
    clipped = values.astype(np.float64)
    for _ in range(rounds):
        mean, std = clipped.mean(), clipped.std(ddof=1)
        clipped = clipped.clip(mean - 3 * std, mean + 3 * std)
    return float(clipped.std(ddof=1))
