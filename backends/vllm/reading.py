"""Rows as what is asked of a model that tells the next token only: prefixes, and the tokens that may follow them."""

from collections.abc import Sequence
from dataclasses import dataclass

from blackbox.backends.local.sequences import TokenSequence, unrolled


@dataclass(frozen=True)
class Ask:
    """How probable are these tokens behind this prefix of a row?

    Attributes:
        query: index of the row.
        tokens: the prefix, the prompt not included.
        options: of each token that is asked for, the option that it is part of.
        asked: the tokens, none twice for the same option.
    """

    query: int
    tokens: tuple[int, ...]
    options: tuple[int, ...]
    asked: tuple[int, ...]


def asks_of(sequences: Sequence[TokenSequence], *, most: int) -> list[Ask]:
    """All that is to be asked for the options of some rows; no more than `most` tokens at a time."""
    found: list[Ask] = []
    for sequence in sequences:
        prefixes: dict[int, tuple[int, ...]] = {}
        for tokens, places in unrolled(sequence):
            for place, position in places.items():
                prefixes.setdefault(place, tokens[: position + 1])
        for place in sorted({target.place for target in sequence.targets}):
            of_place = [target for target in sequence.targets if target.place == place]
            for first in range(0, len(of_place), most):
                part = of_place[first : first + most]
                options, asked = tuple(one.option for one in part), tuple(one.token for one in part)
                found.append(Ask(sequence.query, prefixes[place], options, asked))
    return found
