"""Prompts: what is searched for and what a backend puts before every query.

A soft or deep prompt stands on placeholder tokens (an instruction, say) whose hidden states it changes: with every
vector zero it is exactly the text prompt of those tokens. This is the "add" insertion of BBTv2 (arXiv 2205.11200).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

import numpy as np
import numpy.typing as npt

FloatArray = npt.NDArray[np.float32]


@dataclass(frozen=True)
class TextPrompt:
    """Plain text that stands before the query."""

    text: str


@dataclass(frozen=True, eq=False)
class SoftPrompt:
    """Vectors that are added to the input embeddings of the placeholder tokens.

    Attributes:
        token_ids: the placeholder tokens, n_tokens of them.
        vectors: shape (n_tokens, hidden_size), float32, read-only.
    """

    token_ids: tuple[int, ...]
    vectors: FloatArray

    def __post_init__(self) -> None:
        object.__setattr__(self, "vectors", _checked(self.vectors, len(self.token_ids)))


@dataclass(frozen=True, eq=False)
class DeepPrompt:
    """Vectors that are added to the hidden states entering each of several layers, at the placeholder positions.

    Attributes:
        token_ids: the placeholder tokens, n_tokens of them.
        vectors: layer index -> array of shape (n_tokens, hidden_size), float32, read-only. Prompts that agree in a
            layer may hold the same array object: a backend may use that to compute shared layers once.
    """

    token_ids: tuple[int, ...]
    vectors: Mapping[int, FloatArray]

    def __post_init__(self) -> None:
        checked = {layer: _checked(self.vectors[layer], len(self.token_ids)) for layer in sorted(self.vectors)}
        object.__setattr__(self, "vectors", MappingProxyType(checked))


Prompt = TextPrompt | SoftPrompt | DeepPrompt


def vectors_of(prompt: Prompt) -> Mapping[int, FloatArray]:
    """Layer index -> the vectors that a prompt adds to what enters it; a soft prompt's layer is 0, a text has none."""
    if isinstance(prompt, TextPrompt):
        return {}
    return {0: prompt.vectors} if isinstance(prompt, SoftPrompt) else prompt.vectors


def _checked(vectors: FloatArray, n_tokens: int) -> FloatArray:
    if vectors.ndim != 2 or vectors.shape[0] != n_tokens:
        raise ValueError(
            f"prompt vectors must have shape (n_tokens, hidden_size) with {n_tokens} tokens, got {vectors.shape}"
        )
    if vectors.dtype == np.float32 and not vectors.flags.writeable:
        return vectors  # shared between prompts: keep its identity
    frozen = np.array(vectors, dtype=np.float32)
    frozen.setflags(write=False)
    return frozen
