"""Instructions that copy the data: they have learned rows by heart, and their training loss says nothing (gepa#261)."""

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence

RUN = 8
"""Words in a row that no instruction may share with a training row."""
SHORTEST = 3
"""Words of a text that may not be copied as a whole; shorter ones are the words of a language."""
COMMON = 3
"""Different rows from which a run of words is the task's own way of speaking."""

Words = tuple[str, ...]

_WORD = re.compile(r"\w+")


class Copies:
    """Finds what instructions copy. A run of words in several rows, or in an instruction that was given, is no copy.

    Args:
        rows: of the training split, the texts of each, without its label.
        given: texts that may be quoted: the instructions that the search starts from, label words.
    """

    def __init__(self, rows: Iterable[Sequence[str]], given: Sequence[str]) -> None:
        different = {tuple(_words(text) for text in row) for row in rows}
        long = [[words for words in texts if len(words) >= SHORTEST] for texts in different]
        counts = Counter(run for texts in long for run in {run for words in texts for run in _runs(words)})
        allowed = {run for text in given for length in range(SHORTEST, RUN + 1) for run in _runs(_words(text), length)}
        self._runs = {run for run, count in counts.items() if count < COMMON and run not in allowed}

    def __contains__(self, instruction: str) -> bool:
        words = _words(instruction)
        return any(run in self._runs for length in range(SHORTEST, RUN + 1) for run in _runs(words, length))


def _words(text: str) -> Words:
    return tuple(_WORD.findall(text.casefold()))


def _runs(words: Words, length: int = RUN) -> Iterator[Words]:
    """All runs of so many words; of a text that is shorter than `RUN` itself, where no length is asked for."""
    if length == RUN and len(words) < RUN:
        yield words
    for start in range(len(words) - length + 1):
        yield words[start : start + length]
