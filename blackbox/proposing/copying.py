"""Instructions that copy the data: they have learned rows by heart, and their training loss says nothing (gepa#261)."""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence

from blackbox.proposing.words import Words, runs, words

RUN = 8
"""Words in a row that no instruction may share with a training row."""
SHORTEST = 3
"""Words of a text that may not be copied as a whole; shorter ones are the words of a language."""
COMMON = 3
"""Different rows from which a run of words is the task's own way of speaking."""


class Copies:
    """Finds what instructions copy. A run of words in several rows, or in an instruction that was given, is no copy.

    Args:
        rows: of the training split, the texts of each, without its label.
        given: texts that may be quoted: the instructions that the search starts from, label words.
    """

    def __init__(self, rows: Iterable[Sequence[str]], given: Sequence[str]) -> None:
        different = {tuple(words(text) for text in row) for row in rows}
        long = [[text for text in texts if len(text) >= SHORTEST] for texts in different]
        counts = Counter(run for texts in long for run in {run for text in texts for run in _copied(text)})
        allowed = {run for text in given for length in range(SHORTEST, RUN + 1) for run in runs(words(text), length)}
        self._runs = {run for run, count in counts.items() if count < COMMON and run not in allowed}

    def __contains__(self, instruction: str) -> bool:
        said = words(instruction)
        return any(run in self._runs for length in range(SHORTEST, RUN + 1) for run in runs(said, length))


def _copied(text: Words) -> Iterator[Words]:
    """What may not be copied of a text: its runs of `RUN` words; of a shorter one, itself."""
    return runs(text, RUN) if len(text) >= RUN else iter([text])
