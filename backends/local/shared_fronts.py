"""Rows that begin alike: neighbours that share their front become one sequence, a tree that is read once.

The tokens of a sentence, asked for one by one behind the same text, or questions about one passage, cost their own ends
only. Each row's end is a branch of the shared trunk, so that no row sees another's.
"""

from collections.abc import Sequence
from dataclasses import replace

from blackbox.backends.local.sequences import TokenSequence

_LEAST = 8  # tokens that are worth sharing
_MOST = 512  # tokens of a tree: every two of them have a place in its mask


def with_shared_fronts(sequences: Sequence[TokenSequence]) -> list[TokenSequence]:
    """The same questions, with neighbours joined that have their front in common: at least half of each, and 8 tokens.

    Args:
        sequences: of a model that reads left to right, none of them joined yet.
    """
    joined: list[TokenSequence] = []
    group: list[TokenSequence] = []
    front = 0
    for sequence in sequences:
        shared = _shared(group[0], sequence, front) if group else 0
        if (
            2 * shared >= max(front, _trunk(sequence))
            and shared >= _LEAST
            and _size([*group, sequence], shared) <= _MOST
        ):
            group.append(sequence)
            front = shared
            continue
        joined += _tree(group, front)
        group, front = [sequence], _trunk(sequence)
    return joined + _tree(group, front)


def _trunk(sequence: TokenSequence) -> int:
    """Tokens that all options share."""
    return sequence.branches.count(0)


def _shared(first: TokenSequence, second: TokenSequence, most: int) -> int:
    pairs = zip(first.ids[:most], second.ids[: _trunk(second)], strict=False)
    return next((place for place, (one, other) in enumerate(pairs) if one != other), min(most, _trunk(second)))


def _size(group: Sequence[TokenSequence], front: int) -> int:
    return front + sum(len(sequence.ids) - front for sequence in group)


def _tree(group: Sequence[TokenSequence], front: int) -> list[TokenSequence]:
    """One sequence of some whose first `front` tokens are the same."""
    if len(group) < 2:
        return list(group)
    ids, branches, stems = list(group[0].ids[:front]), [0] * front, list[int]()
    targets = []
    for sequence in group:
        ends = _trunk(sequence) > front
        own = len(stems) + 1 if ends else 0
        stems += [0] if ends else []
        before, base = len(stems), len(ids) - front
        stems += [before + stem if stem else own for stem in sequence.stems]
        ids += sequence.ids[front:]
        branches += [before + branch if branch else own for branch in sequence.branches[front:]]
        targets += [
            replace(target, query=sequence.query, place=target.place if target.place < front else base + target.place)
            for target in sequence.targets
        ]
    return [TokenSequence(tuple(ids), group[0].query, tuple(targets), tuple(branches), stems=tuple(stems))]
