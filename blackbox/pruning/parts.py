"""The parts of a prompt that can be taken out of it, from the largest to the smallest.

XPrompt (arXiv 2210.04457) takes whole tokens out of a soft prompt, then pieces of those that are left. The pieces here
are layers: what a deep prompt adds in one of them. A text is taken apart into demonstrations, sentences and words.
"""

import re
from collections.abc import Callable, Collection
from dataclasses import dataclass, replace
from typing import TypeVar

import numpy as np

from blackbox.backends import DecomposedPrompt, DeepPrompt, PrefixPrompt, Prompt, SoftPrompt, TextPrompt
from blackbox.errors import SettingError

T = TypeVar("T")
P = TypeVar("P", bound=Prompt)

_SENTENCE = re.compile(r".+?(?:[.!?]+(?=\s)\s*|\n+|\Z)", re.DOTALL)
_WORD = re.compile(r"\S+\s*")


@dataclass(frozen=True)
class Level:
    """Parts of one size.

    Attributes:
        name: what they are called, in the plural.
        count: how many a prompt has.
        without: a prompt without those of some numbers.
        least: how many must stay.
    """

    name: str
    count: Callable[[Prompt], int]
    without: Callable[[Prompt, Collection[int]], Prompt]
    least: int


def levels_of(prompt: Prompt) -> tuple[Level, ...]:
    """What is tried to be taken out of a prompt, in this order.

    Raises:
        SettingError: a kind of prompt that has no known parts.
    """
    if isinstance(prompt, TextPrompt):
        return (_SHOWN, _SENTENCES, _WORDS)
    if isinstance(prompt, DeepPrompt):
        return (_TOKENS, _LAYERS)
    if isinstance(prompt, SoftPrompt | DecomposedPrompt | PrefixPrompt):
        return (_TOKENS,)
    raise SettingError(f"no part is known of a {type(prompt).__name__}: it cannot be pruned")


def _without_tokens(prompt: Prompt, removed: Collection[int]) -> Prompt:
    if isinstance(prompt, TextPrompt):
        raise SettingError("a text is pruned by words, not by tokens")
    kept = [place for place in range(len(prompt.token_ids)) if place not in removed]
    token_ids = tuple(prompt.token_ids[place] for place in kept)
    if isinstance(prompt, SoftPrompt):
        return SoftPrompt(token_ids, prompt.vectors[kept])
    if isinstance(prompt, DeepPrompt):
        return DeepPrompt(token_ids, {layer: vectors[kept] for layer, vectors in prompt.vectors.items()})
    if isinstance(prompt, DecomposedPrompt):
        of_rows = range(len(prompt.token_ids), len(prompt.vectors))
        return DecomposedPrompt(token_ids, prompt.vectors[[*kept, *of_rows]])
    front = prompt.n_positions - len(prompt.token_ids)  # that of the token which begins every text stays
    places = [*range(front), *(front + place for place in kept)]
    return PrefixPrompt(
        token_ids, {layer: np.ascontiguousarray(pair[:, places]) for layer, pair in prompt.keys_values.items()}
    )


def _count_tokens(prompt: Prompt) -> int:
    return 0 if isinstance(prompt, TextPrompt) else len(prompt.token_ids)


def _without_layers(prompt: Prompt, removed: Collection[int]) -> Prompt:
    deep = _deep(prompt)
    kept = _left(list(deep.vectors), removed)
    return DeepPrompt(deep.token_ids, {layer: deep.vectors[layer] for layer in kept})


def _without_shown(prompt: Prompt, removed: Collection[int]) -> Prompt:
    text = _text(prompt)
    return replace(text, demonstrations=tuple(_left(list(text.demonstrations), removed)))


def _of_text(cut: re.Pattern[str]) -> tuple[Callable[[Prompt], int], Callable[[Prompt, Collection[int]], Prompt]]:
    """Counting and taking out pieces of an instruction; white space at its end is none of theirs."""

    def pieces(prompt: Prompt) -> tuple[list[str], str]:
        text = _text(prompt).text
        return cut.findall(text.rstrip()), text[len(text.rstrip()) :]

    def without(prompt: Prompt, removed: Collection[int]) -> Prompt:
        found, end = pieces(prompt)
        left = "".join(_left(found, removed)).rstrip()
        return replace(_text(prompt), text=left + end if left else "")

    return lambda prompt: len(pieces(prompt)[0]), without


def _left(parts: list[T], removed: Collection[int]) -> list[T]:
    return [part for place, part in enumerate(parts) if place not in removed]


def _text(prompt: Prompt) -> TextPrompt:
    if not isinstance(prompt, TextPrompt):
        raise SettingError(f"only a text has such parts, got a {type(prompt).__name__}")
    return prompt


def _deep(prompt: Prompt) -> DeepPrompt:
    if not isinstance(prompt, DeepPrompt):
        raise SettingError(f"only a deep prompt has such parts, got a {type(prompt).__name__}")
    return prompt


_TOKENS = Level("tokens", _count_tokens, _without_tokens, least=1)
_LAYERS = Level("layers", lambda prompt: len(_deep(prompt).vectors), _without_layers, least=1)
_SHOWN = Level("demonstrations", lambda prompt: len(_text(prompt).demonstrations), _without_shown, least=0)
_SENTENCES = Level("sentences", *_of_text(_SENTENCE), least=0)
_WORDS = Level("words", *_of_text(_WORD), least=0)
