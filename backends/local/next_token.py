"""Which token is written next."""

from collections.abc import Callable, Sequence

import numpy as np
import torch
from torch import Tensor

Tokens = tuple[int, ...]
Choose = Callable[[Tensor, Sequence[int]], list[int]]
"""Logits of the next token, shape (sequences, vocabulary_size), and the number of each sequence -> its next token."""

NO_TOKEN = -1
"""In the place of a token where the logits are no finite numbers."""


def most_probable(logits: Tensor, numbers: Sequence[int]) -> list[int]:
    """The token with the highest logit; the first of several."""
    return _checked(logits, logits.argmax(dim=-1))


def drawn(temperature: float, seed: int, read: Sequence[Tokens]) -> Choose:
    """Tokens drawn with the probabilities softmax(logits / temperature).

    What is drawn for a sequence depends on the seed, the tokens that it has read and their number only: its text does
    not change with what else is written in the same call.

    Args:
        read: of each sequence, the tokens in front of its text.
    """
    generators = [np.random.default_rng([seed, *tokens]) for tokens in read]

    def choose(logits: Tensor, numbers: Sequence[int]) -> list[int]:
        levels = torch.tensor([[generators[number].random()] for number in numbers], dtype=torch.float64)
        sums = torch.softmax(logits.double() / temperature, dim=-1).cumsum(dim=-1)
        places = torch.searchsorted(sums, levels.to(sums.device) * sums[:, -1:], right=True)
        return _checked(logits, places[:, 0].clamp(max=logits.shape[1] - 1))

    return choose


def _checked(logits: Tensor, chosen: Tensor) -> list[int]:
    return [int(token) for token in chosen.where(logits.amax(dim=-1).isfinite(), NO_TOKEN)]
