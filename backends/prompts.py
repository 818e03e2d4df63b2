"""Prompts: what is searched for and what a backend puts before every query.

A soft or deep prompt stands on placeholder tokens (an instruction, say) whose hidden states it changes: with every
vector zero it is exactly the text prompt of those tokens. This is the "add" insertion of BBTv2 (arXiv 2205.11200).
A prefix prompt (prefix-tuning, arXiv 2101.00190; P-tuning v2, arXiv 2110.07602) has no states of its own: it is what
the query's positions find in the attention of every layer, the keys and values that tokens before them would leave.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

FloatArray = npt.NDArray[np.float32]


@dataclass(frozen=True)
class Demonstration:
    """A row with its answer, shown before the query: the text in front of the blank, what fills it, the text behind.

    Attributes:
        row: the number of the training row that it was made from, from 0. Backends do not read it: whoever scores
            training rows leaves this one out, since its answer stands in the prompt.
    """

    before: str
    answer: str
    after: str = ""
    row: int | None = None

    @property
    def whole(self) -> str:
        return self.before + self.answer + self.after


@dataclass(frozen=True)
class TextPrompt:
    """Text that stands before the query: an instruction, then rows with their answers.

    Attributes:
        text: the instruction.
        demonstrations: rows with answers. A chat model sees each as a turn of the user and one of its own.
        role: who says the instruction to a chat model: the "user", in front of the first row, or the "system".
        template, label_words: how rows are put behind this prompt, where that is not the task's own way: the text of a
            row with a place for its label, and a word for each label in the task's order. Backends do not read them:
            the queries that they get are written so already.
    """

    text: str
    demonstrations: tuple[Demonstration, ...] = ()
    role: Literal["user", "system"] = "user"
    template: str | None = None
    label_words: tuple[str, ...] | None = None

    @property
    def whole(self) -> str:
        """All that stands before the query, for models that go on with a text; a blank line ends a demonstration."""
        return self.text + "".join(f"{shown.whole}\n\n" for shown in self.demonstrations)


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

    def __reduce__(self) -> tuple[Any, ...]:
        return SoftPrompt, (self.token_ids, self.vectors)


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

    def __reduce__(self) -> tuple[Any, ...]:
        return DeepPrompt, (self.token_ids, dict(self.vectors))


@dataclass(frozen=True, eq=False)
class PrefixPrompt:
    """Keys and values that every position of the query attends to, in every layer of the model.

    Attributes:
        token_ids: the tokens that the search started from, for people to read; the model does not read them.
        keys_values: layer index -> array of shape (2, n_positions, width), float32, read-only: the keys, then the
            values; width is the number of key and value heads times the size of a head. All layers have the same
            shape. There is a position for each token at least: the token that a model puts at the beginning of every
            text may have one too. Prompts that agree in a layer may hold the same array object, as in `DeepPrompt`.
    """

    token_ids: tuple[int, ...]
    keys_values: Mapping[int, FloatArray]

    def __post_init__(self) -> None:
        if not self.keys_values:
            raise ValueError("a prefix prompt must have keys and values for at least one layer, got none")
        layers = sorted(self.keys_values)
        expected = self.keys_values[layers[0]].shape
        for layer in layers:
            _check_keys_values(layer, self.keys_values[layer].shape, expected, len(self.token_ids))
        checked = {layer: _frozen(self.keys_values[layer]) for layer in layers}
        object.__setattr__(self, "keys_values", MappingProxyType(checked))

    def __reduce__(self) -> tuple[Any, ...]:
        return PrefixPrompt, (self.token_ids, dict(self.keys_values))

    @property
    def n_positions(self) -> int:
        """Positions that a query attends to besides its own."""
        return len(next(iter(self.keys_values.values()))[0])


@dataclass(frozen=True, eq=False)
class DecomposedPrompt:
    """A soft prompt that moves the rows as well (DePT, arXiv 2309.05173).

    A vector is added to what enters the first layer at each placeholder token, and at each of the first positions
    behind them, whatever token of a row stands there.

    Attributes:
        token_ids: the placeholder tokens, n_tokens of them.
        vectors: shape (n_tokens + n_positions, hidden_size), float32, read-only: those of the tokens, then those of a
            row's positions, from its first token on.
    """

    token_ids: tuple[int, ...]
    vectors: FloatArray

    def __post_init__(self) -> None:
        least = len(self.token_ids) + 1
        if self.vectors.ndim != 2 or len(self.vectors) < least:
            raise ValueError(
                f"the vectors of a decomposed prompt must have shape (n_tokens + n_positions, hidden_size) with at "
                f"least {least} vectors for {least - 1} tokens and a position, got {self.vectors.shape}"
            )
        object.__setattr__(self, "vectors", _frozen(self.vectors))

    def __reduce__(self) -> tuple[Any, ...]:
        return DecomposedPrompt, (self.token_ids, self.vectors)


Prompt = TextPrompt | SoftPrompt | DeepPrompt | PrefixPrompt | DecomposedPrompt


def vectors_of(prompt: Prompt) -> Mapping[int, FloatArray]:
    """Layer index -> what a prompt holds for it; a text holds nothing.

    For soft and decomposed (layer 0) and deep prompts these are the vectors added to what enters the layer, for a
    prefix prompt its keys and values there.
    """
    if isinstance(prompt, TextPrompt):
        return {}
    if isinstance(prompt, PrefixPrompt):
        return prompt.keys_values
    return {0: prompt.vectors} if isinstance(prompt, SoftPrompt | DecomposedPrompt) else prompt.vectors


def _check_keys_values(layer: int, shape: tuple[int, ...], expected: tuple[int, ...], n_tokens: int) -> None:
    least = max(1, n_tokens)
    if len(shape) != 3 or shape[0] != 2 or shape[1] < least:
        raise ValueError(
            f"keys and values must have shape (2, n_positions, width) with n_positions at least {least} "
            f"for {n_tokens} tokens, got {shape} for layer {layer}"
        )
    if shape != expected:
        raise ValueError(f"all layers of a prefix must have the same shape, got {expected} and {shape} (layer {layer})")


def _checked(vectors: FloatArray, n_tokens: int) -> FloatArray:
    if vectors.ndim != 2 or vectors.shape[0] != n_tokens:
        raise ValueError(
            f"prompt vectors must have shape (n_tokens, hidden_size) with {n_tokens} tokens, got {vectors.shape}"
        )
    return _frozen(vectors)


def _frozen(vectors: FloatArray) -> FloatArray:
    if vectors.dtype == np.float32 and not vectors.flags.writeable:
        return vectors  # shared between prompts: keep its identity
    frozen = np.array(vectors, dtype=np.float32)
    frozen.setflags(write=False)
    return frozen
