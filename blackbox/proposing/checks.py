"""What an instruction must be like before it becomes a part of prompts."""

import re
from collections.abc import Sequence

from blackbox.proposing.bounded import ELLIPSIS
from blackbox.proposing.copying import Copies
from blackbox.proposing.meta_prompts import NO_INSTRUCTION, fixed_parts
from blackbox.proposing.refusal import Refusal

ECHO = 6
"""Words in a row that no instruction may share with the meta prompts."""

_WORD = re.compile(r"\w+")
_PLACEHOLDER = re.compile(
    r"\b(?:instruction|prompt|case|version) \d\b|\{[^{}]*\}|\[(?:insert|your|the|input|text|label|answer)\b[^\]]*\]|"
    r"<(?:insert|your|the|input|text|label|answer|instruction)\b[^>]*>|\.\.\.$",
    re.IGNORECASE,
)
_BROKEN = re.compile(
    r"<\|.*?\|?>|</?\s*(?:prompt|s|think)\s*>|\[/?INST\]|[\x00-\x08\x0b-\x1f\x7f\ufffd]", re.IGNORECASE
)


class Checks:
    """Checks of instructions.

    Args:
        copies: finds what is copied from training rows.
        longest: characters of an instruction at most.
    """

    def __init__(self, copies: Copies, *, longest: int) -> None:
        self._copies, self._longest = copies, longest
        self._echoes = {run for part in fixed_parts() for run in _runs(part)}

    def refusal(self, instruction: str, known: Sequence[str]) -> Refusal | None:
        """Why it cannot be used; None where it can be. `known` are the instructions that are there already."""
        if not _WORD.search(instruction):
            return Refusal.EMPTY
        if _BROKEN.search(instruction):
            return Refusal.UNREADABLE
        if len(instruction) > self._longest:
            return Refusal.LONG
        if self._echoed(instruction):
            return Refusal.ECHOED
        if _plain(instruction) in map(_plain, known):
            return Refusal.KNOWN
        return Refusal.COPIED if instruction in self._copies else None

    def _echoed(self, instruction: str) -> bool:
        marks = ELLIPSIS in instruction or NO_INSTRUCTION in instruction or _PLACEHOLDER.search(instruction)
        return bool(marks) or not self._echoes.isdisjoint(_runs(instruction))


def _runs(text: str) -> set[tuple[str, ...]]:
    words = _WORD.findall(text.casefold())
    return {tuple(words[start : start + ECHO]) for start in range(len(words) - ECHO + 1)}


def _plain(text: str) -> str:
    """Two instructions that differ in case, white space or punctuation only are the same."""
    return " ".join(_WORD.findall(text.casefold()))
