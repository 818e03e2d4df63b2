"""A prompt as a model reads it."""

from collections.abc import Iterable, Sequence
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
            -> its keys and values, shape (2, n_positions, width). Where there are vectors for rows, they follow
            those of the tokens in layer 0.
        prefix: whether the vectors are keys and values. The prompt then has no tokens of its own.
        row_vectors: positions of a row, from its first, to which a vector is added.
    """

    tokens: tuple[int, ...]
    start: int
    vectors: Vectors
    prefix: bool = False
    row_vectors: int = 0

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
        return self.standing == other.standing

    @property
    def standing(self) -> tuple[object, ...]:
        """All but the vectors."""
        return self.tokens, self.start, self.prefix, self.n_positions, self.row_vectors

    @property
    def adds(self) -> list[tuple[int, int]]:
        """The places among its tokens to which vectors are added, with the number of each."""
        return [(self.start + number, number) for number in range(self.n_tokens)]

    def adds_to(self, positions: Iterable[int]) -> list[tuple[int, int]]:
        """The places among a row's tokens, which stand at these positions, with the number of the vector of each."""
        numbered = enumerate(positions)
        return [(place, self.n_tokens + position) for place, position in numbered if position < self.row_vectors]


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
