"""The tokens of a vocabulary that are words by themselves."""

from collections.abc import Sequence
from typing import Any


def whole_words(tokenizer: Any, context: Sequence[int], space: str, count: int) -> dict[int, str]:
    """Token -> its word, for tokens that are a word of letters alone, two at least, with nothing cut off in front.

    Args:
        tokenizer: of transformers.
        context: a token that stands in front, or none: what a token is behind it, its space included, is told by both.
        space: what a word has in front: a space or nothing. Tokens that continue a word have none.
        count: of the tokens, numbered from 0.
    """
    before = tokenizer.decode(list(context))
    special = set(tokenizer.all_special_ids)
    tokens = [token for token in range(count) if token not in special]
    texts = tokenizer.batch_decode([[*context, token] for token in tokens])
    pieces = (text.removeprefix(before) if text.startswith(before) else "" for text in texts)
    found = {token: piece for token, piece in zip(tokens, pieces, strict=True) if piece.startswith(space)}
    words = {token: piece.removeprefix(space) for token, piece in found.items()}
    return {token: word for token, word in words.items() if len(word) > 1 and word.isalpha()}
