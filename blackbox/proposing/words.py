"""The words and sentences of a text, as the checks of instructions compare them: without case and punctuation."""

import re
from collections.abc import Iterator

Words = tuple[str, ...]

_WORD = re.compile(r"\w+")
_END = re.compile(r"[.!?;:\n。！？；：]+")


def words(text: str) -> Words:
    """In order; a script without spaces has one word between two marks."""
    return tuple(_WORD.findall(text.casefold()))


def sentences(text: str) -> list[Words]:
    """The words of each sentence or clause that has some."""
    return [found for part in _END.split(text) if (found := words(part))]


def plain(text: str) -> str:
    """Texts that differ in case, white space or punctuation only have the same."""
    return " ".join(words(text))


def runs(of: Words, length: int) -> Iterator[Words]:
    """All runs of so many words."""
    for start in range(len(of) - length + 1):
        yield of[start : start + length]
