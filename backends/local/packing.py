"""Batches of sequences as packed tensors: everything of a pass that does not depend on the prompts' vectors."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import accumulate

import torch
from torch import Tensor, nn

from blackbox.backends.local.attention import Sight
from blackbox.backends.local.sequences import Batch, lineage

Tokens = tuple[int, ...]


@dataclass(frozen=True, eq=False)
class Row:
    """One sequence to be packed: its tokens, their positions and branches, and these' stems (see `TokenSequence`)."""

    ids: Tokens
    positions: Tokens
    branches: Tokens
    stems: Tokens = ()


@dataclass(frozen=True, eq=False)
class Packed:
    """Sequences one behind the other, on a device.

    Attributes:
        ids, positions: shape (tokens,).
        table: shape (sequences, longest), the packed index of each token; 0 where a sequence has ended.
        back: shape (tokens,), index of each packed token in the table, flat.
        real: bool, shape (sequences, longest), where the table holds tokens.
        branches: shape (sequences, longest).
        lineages: bool, shape (sequences, branches, branches), whether the tokens of one branch see those of another.
        places: shape (n,), packed indices of the tokens to which a prompt's vectors are added; None where they are not
            among these.
        vectors: shape (n,), the number of the vector that is added there.
        asks: shape (n_asks,), packed indices of the tokens whose outputs are read.
        asks_table, asks_back: as `table` and `back`, with places in `asks`; the tokens that are read, by sequence.
    """

    ids: Tensor
    positions: Tensor
    table: Tensor
    back: Tensor
    real: Tensor
    branches: Tensor
    lineages: Tensor
    places: Tensor | None
    vectors: Tensor | None
    asks: Tensor
    asks_table: Tensor
    asks_back: Tensor
    _sights: dict[tuple[object, ...], Sight] = field(default_factory=dict)

    def sight(self, *, causal: bool, before: int, window: int | None, asked: bool) -> Sight:
        """Who sees whom among these tokens and `before` keys in front of each sequence.

        Args:
            window: positions that a token sees, itself included; None is no limit.
            asked: only the tokens that are read look.
        """
        key = (causal, before, window, asked)
        if key not in self._sights:
            queries, back = (self.asks_table, self.asks_back) if asked else (self.table, self.back)
            lookers = self._lookers(asked)
            visible = self.real[:, None, :].expand(-1, queries.shape[1], -1)
            if causal:
                behind = torch.arange(self.table.shape[1], device=lookers.device)[None, None, :] > lookers[:, :, None]
                each = torch.arange(len(lookers), device=lookers.device)[:, None, None]
                mine = self.branches.gather(1, lookers)[:, :, None]
                visible = visible & ~behind & self.lineages[each, mine, self.branches[:, None, :]]
            visible = torch.cat([visible.new_ones((*visible.shape[:2], before)), visible], dim=2)
            if window is not None:
                far = self._query_positions(asked)[:, :, None] - self._key_positions(before)[:, None, :] >= window
                visible = visible & ~far
            everything = bool(visible.all())
            self._sights[key] = Sight(queries, back, self.table, None if everything else visible[:, None])
        return self._sights[key]

    def across(self, encoded: "Packed", *, asked: bool) -> Sight:
        """Who sees whom where these tokens look at those of an encoder, sequence by sequence."""
        key = (id(encoded), asked)
        if key not in self._sights:
            queries, back = (self.asks_table, self.asks_back) if asked else (self.table, self.back)
            visible = encoded.real[:, None, None, :].expand(-1, 1, queries.shape[1], -1)
            self._sights[key] = Sight(queries, back, encoded.table, None if bool(encoded.real.all()) else visible)
        return self._sights[key]

    @property
    def moves_asked(self) -> bool:
        """Whether a prompt's vectors are added to tokens that are read."""
        return self.places is not None and bool(torch.isin(self.asks, self.places).any())

    def bias_positions(self, *, asked: bool) -> tuple[Tensor, Tensor]:
        """Positions of the tokens that look and of those that are looked at: (sequences, q) and (sequences, k)."""
        return self._query_positions(asked), self._key_positions(0)

    def _lookers(self, asked: bool) -> Tensor:
        """Places in their sequences of the tokens that look, shape (sequences, q)."""
        n, longest = self.table.shape
        if not asked:
            return torch.arange(longest, device=self.table.device).expand(n, -1)
        return self.back[self.asks][self.asks_table] % longest

    def _query_positions(self, asked: bool) -> Tensor:
        queries = self.asks[self.asks_table] if asked else self.table
        return self.positions[queries]

    def _key_positions(self, before: int) -> Tensor:
        front = torch.arange(before, device=self.table.device).expand(len(self.table), -1)
        return torch.cat([front, self.positions[self.table]], dim=1)


def pack(
    rows: Sequence[Row],
    asks: Sequence[Sequence[int]],
    *,
    adds: Sequence[Sequence[tuple[int, int]]] | None = None,
    device: torch.device,
) -> Packed:
    """Pack rows.

    Args:
        asks: of each row, the places of the tokens whose outputs are read.
        adds: of each row, the places to which a prompt's vectors are added, with the number of the vector.
    """
    lengths = [len(row.ids) for row in rows]
    starts = _starts(lengths)
    table, back, real = _table(lengths)
    asks_table, asks_back, _ = _table([len(of_row) for of_row in asks])
    asked = [start + place for start, of_row in zip(starts, asks, strict=True) for place in of_row]
    of_rows = zip(starts, [()] * len(rows) if adds is None else adds, strict=True)
    pairs = [(start + place, vector) for start, of_row in of_rows for place, vector in of_row]
    added = torch.tensor(pairs, device=device).T if pairs else None
    branches = nn.utils.rnn.pad_sequence([torch.tensor(row.branches, dtype=torch.long) for row in rows], True)
    return Packed(
        ids=torch.tensor([token for row in rows for token in row.ids], device=device),
        positions=torch.tensor([position for row in rows for position in row.positions], device=device),
        table=table.to(device),
        back=back.to(device),
        real=real.to(device),
        branches=branches.to(device),
        lineages=_lineages(rows).to(device),
        places=added if added is None else added[0],
        vectors=added if added is None else added[1],
        asks=torch.tensor(asked, dtype=torch.long, device=device),
        asks_table=asks_table.to(device),
        asks_back=asks_back.to(device),
    )


@dataclass(frozen=True, eq=False)
class Reads:
    """What is read at the answering tokens of a batch.

    Attributes:
        asks: of each sequence, the places that are read.
        at: shape (n_targets,), index of each target's place among all that are read.
        columns: shape (n_columns,), the tokens that are asked for.
        column: shape (n_targets,), index of each target's token among the columns.
        into: shape (2, n_targets), the query and the option that each target counts for.
    """

    asks: list[list[int]]
    at: Tensor
    columns: Tensor
    column: Tensor
    into: Tensor


def reads_of(batch: Batch, device: torch.device) -> Reads:
    """What is read of a batch."""
    asks = [sorted({target.place for target in sequence.targets}) for sequence in batch.sequences]
    starts = _starts([len(places) for places in asks])
    columns = sorted({target.token for sequence in batch.sequences for target in sequence.targets})
    column_of = {token: index for index, token in enumerate(columns)}
    at, column, into = [], [], []
    for sequence, places, start in zip(batch.sequences, asks, starts, strict=True):
        for target in sequence.targets:
            at.append(start + places.index(target.place))
            column.append(column_of[target.token])
            into.append((sequence.query if target.query is None else target.query, target.option))
    return Reads(
        asks=asks,
        at=torch.tensor(at, device=device),
        columns=torch.tensor(columns, device=device),
        column=torch.tensor(column, device=device),
        into=torch.tensor(into).T,
    )


def _lineages(rows: Sequence[Row]) -> Tensor:
    most = 1 + max((len(row.stems) for row in rows), default=0)
    found = torch.zeros(len(rows), most, most, dtype=torch.bool)
    for number, row in enumerate(rows):
        for branch in range(len(row.stems) + 1):
            found[number, branch, list(lineage(row.stems, branch))] = True
    return found


def _starts(lengths: Sequence[int]) -> list[int]:
    return [0, *accumulate(lengths)][:-1]


def _table(lengths: Sequence[int]) -> tuple[Tensor, Tensor, Tensor]:
    """The packed index of each token, shape (sequences, longest), its way back, and where the table is real."""
    longest = max(lengths, default=0)
    real = torch.arange(longest)[None] < torch.tensor(lengths)[:, None]
    table = torch.zeros(len(lengths), longest, dtype=torch.long)
    table[real] = torch.arange(sum(lengths))
    return table, real.flatten().nonzero()[:, 0], real
