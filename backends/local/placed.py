"""A prompt as a model reads it."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from blackbox.backends.local.layer_cache import Vectors


@dataclass(frozen=True, eq=False)
class PlacedPrompt:
    """A prompt with what stands in front of it.

    Attributes:
        tokens: what stands before every row: the token that begins a text, if the model has one, and the prompt's.
        start: position of the prompt's first token.
        vectors: layer -> what is added to the states entering it, shape (n_tokens, hidden_size); of a prefix, layer
            -> its keys and values, shape (2, n_positions, width).
        prefix: whether the vectors are keys and values. The prompt then has no tokens of its own.
    """

    tokens: tuple[int, ...]
    start: int
    vectors: Vectors
    prefix: bool = False

    @property
    def n_tokens(self) -> int:
        """The prompt's own tokens."""
        return len(self.tokens) - self.start

    @property
    def n_positions(self) -> int:
        """Keys and values that a prefix holds in every layer."""
        return next(iter(self.vectors.values())).shape[1] if self.prefix else 0

    @property
    def length(self) -> int:
        """Positions in front of a row."""
        return len(self.tokens) + self.n_positions

    def stands_as(self, other: "PlacedPrompt") -> bool:
        """Whether the two differ in nothing but their vectors, so that they can share a pass."""
        same = (self.tokens, self.start, self.prefix) == (other.tokens, other.start, other.prefix)
        return same and self.n_positions == other.n_positions


def alike(prompts: Sequence[PlacedPrompt]) -> list[list[int]]:
    """Indices of prompts that follow each other and can share a pass."""
    groups: list[list[int]] = []
    for number, prompt in enumerate(prompts):
        if groups and prompt.stands_as(prompts[groups[-1][0]]):
            groups[-1].append(number)
        else:
            groups.append([number])
    return groups


def stacked(prompts: Sequence[PlacedPrompt], layer: int) -> npt.NDArray[np.float32] | None:
    """What the prompts have in a layer, with a first axis of 1 where they all have the same; None: nothing."""
    arrays = [prompt.vectors.get(layer) for prompt in prompts]
    known = [array for array in arrays if array is not None]
    if not known:
        return None
    if all(array is arrays[0] for array in arrays):
        arrays = arrays[:1]
    return np.stack([np.zeros_like(known[0]) if array is None else array for array in arrays])
