"""Label scores of rows with gradients: what `LocalBackend.score` tells, by the same tokens at the same places."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from blackbox.backends import Query
from blackbox.backends.local.encoding import QueryEncoder
from blackbox.backends.local.hooks import head_reads
from blackbox.backends.local.sequences import unrolled

Tokens = tuple[int, ...]


@dataclass(frozen=True)
class Ask:
    """A token that is asked for: of which option, in which of a row's paths, told at which position."""

    path: int
    position: int
    token: int
    option: int


@dataclass(frozen=True)
class AskedRow:
    """A row as the model reads it: `paths` of tokens, more than one where options part."""

    paths: tuple[Tokens, ...]
    asks: tuple[Ask, ...]


class Asker:
    """Asks a model, which may be one of peft with tokens or keys of its own in front.

    Args:
        model: called with input_ids and attention_mask.
        head: its linear output head; it reads the asked positions alone, as it does in this project's searches.
        encoder: of queries.
        front: tokens that stand in front of every row.
        shift: positions that the model puts in front of what it is given.
    """

    def __init__(self, model: Any, head: Any, encoder: QueryEncoder, *, front: Tokens = (), shift: int = 0) -> None:
        self.model, self._head, self._encoder = model, head, encoder
        self._front, self._shift = front, shift

    def rows(self, queries: Sequence[Query]) -> list[AskedRow]:
        """What is asked of each query."""
        rows: list[AskedRow] = [AskedRow((), ())] * len(queries)
        for sequence in self._encoder.sequences(queries):
            known = rows[sequence.query]
            paths, asks, first = list(known.paths), list(known.asks), len(known.paths)
            unrolling = list(unrolled(sequence))
            paths += [(*self._front, *tokens) for tokens, _ in unrolling]
            for target in sequence.targets:
                path, places = next((i, places) for i, (_, places) in enumerate(unrolling) if target.place in places)
                position = len(self._front) + places[target.place]
                asks.append(Ask(first + path, position, target.token, target.option))
            rows[sequence.query] = AskedRow(tuple(paths), tuple(asks))
        return rows

    def log_probabilities(self, rows: Sequence[AskedRow], *, n_options: int) -> Tensor:
        """Of the options, shape (n_rows, n_options), nats, normalised over them."""
        firsts, paths = [], list[Tokens]()
        for row in rows:
            firsts.append(len(paths))
            paths += row.paths
        asks = [(number, ask, firsts[number] + ask.path) for number, row in enumerate(rows) for ask in row.asks]
        columns: list[list[int]] = [[] for _ in paths]
        places = []
        for _, ask, path in asks:
            places.append((path, len(columns[path]), ask.token))
            columns[path].append(self._shift + ask.position)
        logits = self._logits(paths, columns)
        told = torch.log_softmax(logits, dim=-1)[tuple(torch.tensor(places).T)]
        options = torch.tensor([number * n_options + ask.option for number, ask, _ in asks])
        whole = torch.zeros(len(rows) * n_options).index_add(0, options, told).reshape(len(rows), n_options)
        return torch.log_softmax(whole, dim=-1)

    def _logits(self, paths: Sequence[Tokens], columns: Sequence[Sequence[int]]) -> Tensor:
        """Shape (n_paths, n_read, vocabulary_size), float32."""
        ids = nn.utils.rnn.pad_sequence([torch.tensor(path) for path in paths], batch_first=True)
        mask = (torch.arange(ids.shape[1]) < torch.tensor([len(path) for path in paths])[:, None]).long()
        positions = nn.utils.rnn.pad_sequence([torch.tensor(line, dtype=torch.long) for line in columns], True)
        device = self._head.weight.device
        with head_reads(self._head, positions.to(device)):
            logits: Tensor = self.model(input_ids=ids.to(device), attention_mask=mask.to(device)).logits
        return logits.float().cpu()
