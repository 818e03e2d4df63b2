"""The tokens that a soft or deep prompt stands on, or whose keys and values a prefix has: where a search starts."""

from itertools import cycle, islice

import numpy as np

from blackbox.backends import VectorBackend
from blackbox.errors import SettingError

DEFAULT_TOKENS = 50  # as in BBT


def start_tokens(backend: VectorBackend, *, text: str | None, length: int | None, seed: int) -> tuple[int, ...]:
    """The tokens of a text, repeated or cut to `length`; without a text, tokens drawn from the vocabulary.

    Raises:
        SettingError: the text has no token.
    """
    if text is None:
        rng = np.random.default_rng(seed)
        drawn = rng.integers(0, backend.shape.vocabulary_size, size=length or DEFAULT_TOKENS)
        return tuple(int(token) for token in drawn)
    tokens = backend.encode(text)
    if not tokens:
        raise SettingError("prompt must be a text of at least one token, got an empty one")
    return tuple(islice(cycle(tokens), length or len(tokens)))
