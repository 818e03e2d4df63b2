"""Prompts as what stands in front of a row's own tokens, for programs that know a model's inputs and no prompts.

There are two such inputs: embeddings, as tokens have them, and keys and values, as a cache holds them. A decoder takes
both. What stands at the front there does not depend on the row, so that every prompt of a decoder is a cache
(prefix-tuning, arXiv 2101.00190); a soft prompt is embeddings as well where these enter the first layer as they are.
"""

from dataclasses import dataclass
from typing import Literal, Protocol, runtime_checkable

import numpy as np
import numpy.typing as npt

from blackbox.backends.base import VectorBackend
from blackbox.backends.prompts import Prompt

FloatArray = npt.NDArray[np.float32]
Tokens = tuple[int, ...]
Reads = Literal["left to right", "with masks", "encoder and decoder"]


@dataclass(frozen=True)
class Frame:
    """What a model reads around a row's own tokens.

    Attributes:
        reads: how it reads.
        begin, end: what stands around every text.
        blank: what stands in place of an option: on a model with masks one for each of its tokens, on an
            encoder-decoder one in all; None where there is nothing.
        opening: what a decoder reads before an option.
        start: what it reads before a target, which fills no blank.
        first_position: the number of a text's first position on a model with masks: RoBERTa's begin behind that of the
            padding.
    """

    reads: Reads
    begin: Tokens
    end: Tokens
    blank: int | None = None
    opening: Tokens = ()
    start: Tokens = ()
    first_position: int = 0


@dataclass(frozen=True, eq=False)
class EmbeddedFront:
    """Embeddings in front of those of a row, in the encoder of an encoder-decoder.

    Attributes:
        embeddings: shape (n_positions, embedding_size), float32. What stands before every text is the first of them:
            the row comes without it.
    """

    embeddings: FloatArray


@dataclass(frozen=True, eq=False)
class CachedFront:
    """Keys and values that every position of a row finds in the cache.

    On a decoder the row comes without what stands before every text, which is in the cache, and its positions go on
    behind it. On a model with masks it comes with that, and its positions are those that it has without a prompt.

    Attributes:
        keys_values: shape (n_layers, 2, n_positions, n_heads, head_size), float32: the keys, with their rotation where
            a model rotates them, then the values; heads are those of keys and values.
    """

    keys_values: FloatArray


@runtime_checkable
class EmbeddingBackend(VectorBackend, Protocol):
    """A backend that tells prompts as embeddings."""

    @property
    def frame(self) -> Frame: ...

    def embedded_front(self, prompt: Prompt) -> EmbeddedFront:
        """The prompt as embeddings, which score as it does.

        Raises:
            UnsupportedPromptError: it is not to be had by embeddings alone; the text says why.
        """
        ...


@runtime_checkable
class CachingBackend(EmbeddingBackend, Protocol):
    """A backend that tells prompts as a cache, too."""

    def cached_front(self, prompt: Prompt) -> CachedFront:
        """The prompt as keys and values, which score as it does.

        Raises:
            UnsupportedPromptError: it is not to be had by keys and values alone; the text says why.
        """
        ...
