"""What an instruction must be like before it becomes a part of prompts."""

import re
from collections.abc import Iterable, Sequence

from blackbox.proposing.babble import babble
from blackbox.proposing.bounded import ELLIPSIS
from blackbox.proposing.copying import Copies
from blackbox.proposing.meta_prompts import NO_INSTRUCTION, fixed_parts
from blackbox.proposing.refusal import Refusal
from blackbox.proposing.talk import talks_about_instructions
from blackbox.proposing.words import Words, plain, runs, sentences, words

ECHO = 6
"""Words in a row that no instruction may share with the meta prompts."""
SENTENCE = 3
"""Words of a sentence of the meta prompts that no instruction may have as its own."""

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
        answers: what the model of the task may answer; none of them is an instruction.
        longest: characters of an instruction at most.
    """

    def __init__(self, copies: Copies, answers: Iterable[str] = (), *, longest: int) -> None:
        self._copies, self._longest = copies, longest
        self._answers = {plain(answer) for answer in answers}
        self._echoes = {run for part in fixed_parts() for run in _echoes(part)}

    def refusal(self, instruction: str, known: Sequence[str]) -> Refusal | None:
        """Why it cannot be used; None where it can be. `known` are the instructions that are there already."""
        if not words(instruction):
            return Refusal.EMPTY
        if _BROKEN.search(instruction):
            return Refusal.UNREADABLE
        if len(instruction) > self._longest:
            return Refusal.LONG
        return self._taken_over(instruction, known) or _talk(instruction, known) or babble(instruction)

    def _taken_over(self, instruction: str, known: Sequence[str]) -> Refusal | None:
        """Where it is from, if it is not new."""
        if self._echoed(instruction):
            return Refusal.ECHOED
        if plain(instruction) in map(plain, known):
            return Refusal.KNOWN
        if plain(instruction) in self._answers:
            return Refusal.ANSWER
        return Refusal.COPIED if instruction in self._copies else None

    def _echoed(self, instruction: str) -> bool:
        marks = ELLIPSIS in instruction or NO_INSTRUCTION in instruction or _PLACEHOLDER.search(instruction)
        return bool(marks) or not self._echoes.isdisjoint(_echoes(instruction))


def _talk(instruction: str, known: Sequence[str]) -> Refusal | None:
    """Where none of those that are there speaks of instructions, a new one shall not."""
    talks = talks_about_instructions(instruction) and not any(map(talks_about_instructions, known))
    return Refusal.TALK if talks else None


def _echoes(text: str) -> set[Words]:
    """What a text may not share with another: long runs of words, and whole sentences."""
    return {*runs(words(text), ECHO), *(said for said in sentences(text) if len(said) >= SENTENCE)}
