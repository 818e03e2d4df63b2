"""Tokens that a soft or deep prompt stands on, or whose keys and values a prefix has: where a search starts."""

from collections.abc import Sequence
from itertools import cycle, islice

import numpy as np

from blackbox.backends import VectorBackend
from blackbox.errors import SettingError

DEFAULT_TOKENS = 50  # as in BBT
COMMON_TOKENS = 5000  # as in arXiv 2104.08691


def repeated(tokens: Sequence[int], length: int | None, *, what: str) -> tuple[int, ...]:
    """Tokens, repeated or cut to `length`; `what` they are stands in the error.

    Raises:
        SettingError: there is no token.
    """
    if not tokens:
        raise SettingError(f"{what} must be a text of at least one token, got an empty one")
    return tuple(islice(cycle(tokens), length or len(tokens)))


def random_tokens(backend: VectorBackend, length: int, *, seed: int) -> tuple[int, ...]:
    """Tokens drawn from the whole vocabulary, each as likely as any other."""
    drawn = np.random.default_rng(seed).integers(0, backend.shape.vocabulary_size, size=length)
    return tuple(int(token) for token in drawn)


def common_tokens(backend: VectorBackend, length: int, *, seed: int, common: int = COMMON_TOKENS) -> tuple[int, ...]:
    """Words drawn from the most common tokens, each once where there are enough.

    The tokenizers of language models number their tokens in the order in which they were made of a corpus, or by their
    frequency in it, so the lowest numbers are the most common. A word is a token of letters that a text can have.

    Args:
        common: the numbers below it are the most common tokens.

    Raises:
        SettingError: there is no word among them.
    """
    order = np.random.default_rng(seed).permutation(min(common, backend.shape.vocabulary_size)).tolist()
    words = (token for token in order if _is_word(backend, token))
    return repeated(list(islice(words, length)), length, what="the most common part of the vocabulary")


def _is_word(backend: VectorBackend, token: int) -> bool:
    text = backend.decode([token])
    return text.strip().isalpha() and backend.encode(text) == (token,)
