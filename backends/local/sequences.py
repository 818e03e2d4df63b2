"""Token sequences that answer queries, and the batches that they are read in."""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Target:
    """One token of an option.

    Attributes:
        option: index of the option among those of its query.
        place: index of the position whose output tells how probable the token is, among the sequence's answering
            tokens.
        token: the token.
        query: index of the query, where the sequence answers several; None is the sequence's own.
    """

    option: int
    place: int
    token: int
    query: int | None = None


@dataclass(frozen=True)
class TokenSequence:
    """A row as the model reads it, the prompt and what stands in front of that not included.

    The answering tokens, those that hold the options, are a tree: a trunk that all options share, branch 0, and
    branches for options of several tokens, which part where the options do. A token sees its own branch and what that
    grows from, so that one sequence answers for all options; where rows begin alike, for several queries.

    Attributes:
        ids: the tokens behind the prompt.
        query: index of the query that it answers, the first of several.
        targets: the tokens that are asked for.
        branches: the branch of each answering token: of `ids`, or of `decoder_ids` where there are any.
        decoder_ids: what the decoder of an encoder-decoder reads.
        stems: of each branch but the trunk, from 1 on, the branch at whose end it begins. No branch stands in front of
            its stem's end.
    """

    ids: tuple[int, ...]
    query: int
    targets: tuple[Target, ...]
    branches: tuple[int, ...]
    decoder_ids: tuple[int, ...] = ()
    stems: tuple[int, ...] = ()

    @property
    def n_tokens(self) -> int:
        """Tokens that are read."""
        return len(self.ids) + len(self.decoder_ids)

    @property
    def answering(self) -> tuple[int, ...]:
        """The tokens in which the places of the targets count."""
        return self.decoder_ids or self.ids

    @property
    def positions(self) -> tuple[int, ...]:
        """The position of each answering token: a branch goes on where its stem ends."""
        ends: dict[int, int] = {0: 0}
        places = []
        for branch in self.branches:
            place = ends.setdefault(branch, ends[self.stems[branch - 1]] if branch else 0)
            places.append(place)
            ends[branch] = place + 1
        return tuple(places)


@dataclass(frozen=True, eq=False)
class Batch:
    """Sequences of one forward pass.

    Attributes:
        sequences: shortest first.
        normalised: whether a target's log-probability among the whole vocabulary is needed. Otherwise every option of
            a query is read at the same positions, and the logits differ from that by a constant for each query.
    """

    sequences: tuple[TokenSequence, ...]
    normalised: bool

    def n_tokens(self, extra: int) -> int:
        """Tokens that are read, with `extra` more for each sequence."""
        return sum(extra + one.n_tokens for one in self.sequences)

    def halves(self) -> "tuple[Batch, Batch]":
        """The same sequences in two batches."""
        half = len(self.sequences) // 2
        return Batch(self.sequences[:half], self.normalised), Batch(self.sequences[half:], self.normalised)


def needs_normalising(sequences: Sequence[TokenSequence]) -> bool:
    """Whether options of a query are read at different positions, or a query has one option only."""
    places: dict[int, dict[int, list[tuple[int, int]]]] = {}
    for number, sequence in enumerate(sequences):
        for target in sequence.targets:
            query = sequence.query if target.query is None else target.query
            places.setdefault(query, {}).setdefault(target.option, []).append((number, target.place))
    return any(
        len(options) < 2 or any(read != options[min(options)] for read in options.values())
        for options in places.values()
    )


def cut_batches(sequences: Sequence[TokenSequence], *, extra: int, batch_tokens: int) -> Iterator[Batch]:
    """Cut sequences, shortest first, into even batches of at most `batch_tokens` tokens.

    Args:
        extra: tokens that are read with each sequence (the prompt's, unless it is read on its own).
        batch_tokens: a single sequence that is longer gets a batch of its own.
    """
    normalised = needs_normalising(sequences)
    ordered = sorted(sequences, key=lambda one: len(one.ids))
    total = sum(extra + one.n_tokens for one in ordered)
    even = total / max(1, math.ceil(total / batch_tokens))
    batch: list[TokenSequence] = []
    size, done, end = 0, 0, even
    for sequence in ordered:
        length = extra + sequence.n_tokens
        if batch and (size + length > batch_tokens or done + length / 2 > end):
            yield Batch(tuple(batch), normalised)
            batch, size, end = [], 0, max(end, done) + even
        batch.append(sequence)
        size, done = size + length, done + length
    if batch:
        yield Batch(tuple(batch), normalised)


def lineage(stems: Sequence[int], branch: int) -> set[int]:
    """A branch, and all that it grows from, the trunk included."""
    found = {0, branch}
    while branch:
        branch = stems[branch - 1]
        found.add(branch)
    return found


def unrolled(sequence: TokenSequence) -> Iterator[tuple[tuple[int, ...], dict[int, int]]]:
    """Each path from the trunk to the end of a branch: its tokens, and the place of each of them in the tree."""
    tips = sorted(set(range(1, len(sequence.stems) + 1)) - set(sequence.stems)) or [0]
    for tip in tips:
        seen = lineage(sequence.stems, tip)
        places = [place for place, branch in enumerate(sequence.branches) if branch in seen]
        tokens = tuple(sequence.answering[place] for place in places)
        yield tokens, {place: position for position, place in enumerate(places)}
