"""Babble: what models write that are too small for the work. It has words, but it is no instruction.

Repetition is measured by the share of the text that it fills, as filters of training data do (Rae et al. 2021, arXiv
2112.11446, appendix A.1.1). Those are made for documents; here short instructions must pass, and lists of rules that
are alike ("If it asks for a place, answer location. If ..."), so the bounds are our own, wide ones.
"""

import math
import re

from blackbox.proposing.refusal import Refusal
from blackbox.proposing.words import plain, sentences, words

ROW_SHARE = 0.25
"""Share of the characters that may stand in units repeated three times in a row or more."""
SENTENCE_SHARE = 0.3
"""Share of the words that may stand in sentences that were there before."""
RICHNESS = 1.5
"""Different words, by the square root of all words (Guiraud's index), at least."""
FEW = 8
"""Words of a text from which its richness says something, and characters of a repetition from which it is one."""

_IN_A_ROW = re.compile(r"(.{1,160}?)\1{2,}")
_OPEN = re.compile(r"(?:[{/&+=<–—-]|(?<![:;-])\([^()]*|\[[^][]*)$")
_FUNCTION_WORD = re.compile(
    "a|an|and|are|as|at|be|but|by|for|from|he|her|his|i|if|in|is|it|its|not|of|on|or|she|so|that|the|their|them|then|"
    "there|these|they|this|those|to|was|we|were|what|when|which|who|will|with|you|your"
)


def babble(instruction: str) -> Refusal | None:
    """Why a text is babble; None where nothing says so."""
    if _mostly_numbers(instruction):
        return Refusal.NUMBERS
    if _in_a_row(instruction) or _said_before(instruction):
        return Refusal.REPEATED
    if _poor(instruction):
        return Refusal.POOR
    return Refusal.CUT if breaks_off(instruction) else None


def breaks_off(text: str) -> bool:
    """Whether it ends where no sentence can: behind an ampersand or a dash, inside brackets or quotes."""
    return bool(_OPEN.search(text.rstrip())) or text.count('"') % 2 == 1 or text.count("“") > text.count("”")


def _mostly_numbers(text: str) -> bool:
    return sum(map(str.isdigit, text)) > sum(map(str.isalpha, text))


def _in_a_row(text: str) -> bool:
    """The same word, phrase or letters over and over."""
    spoken = plain(text) + " "
    repeated = [len(found.group()) for found in _IN_A_ROW.finditer(spoken)]
    return sum(length for length in repeated if length >= FEW) > ROW_SHARE * len(spoken)


def _said_before(text: str) -> bool:
    """The same sentence again, wherever."""
    found = sentences(text)
    again = sum(map(len, found)) - sum(map(len, set(found)))
    return again > SENTENCE_SHARE * sum(map(len, found))


def _poor(text: str) -> bool:
    """Only words that say nothing by themselves, or few words again and again."""
    found = words(text)
    if all(map(_FUNCTION_WORD.fullmatch, found)):
        return True
    return len(found) >= FEW and len(set(found)) < RICHNESS * math.sqrt(len(found))
