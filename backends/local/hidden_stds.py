"""The spread of hidden states, without the few giant values that language models have."""

import torch
from torch import Tensor


def clipped_std(states: Tensor, rounds: int = 5) -> float:
    """Standard deviation after `rounds` of clipping to mean +- 3 standard deviations (BBTv2's released code).

    Args:
        states: any shape.
    """
    for _ in range(rounds):
        mean, std = states.mean(), states.std()
        states = states.clamp(mean - 3 * std, mean + 3 * std)
    return float(torch.std(states))
