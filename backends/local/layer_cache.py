"""What layers a prompt need not run again: the state that it shares with the prompt before it.

Prompts that agree below layer j enter layer j with the same hidden states. A search that changes one layer at a time
asks for many such prompts in a row, so one state for each batch of rows, where the last two prompts parted, is nearly
all that is worth keeping. Agreement is that of array objects: prompt spaces share the arrays of layers that agree.
"""

from collections import OrderedDict
from collections.abc import Hashable, Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from torch import Tensor

Vectors = Mapping[int, npt.NDArray[np.float32]]


KeysValues = tuple[tuple[Tensor, Tensor], ...]
"""Keys and values of consecutive layers, each of shape (sequences, heads, positions, head_size)."""


@dataclass(frozen=True)
class State:
    """What enters a layer, before that layer's vectors are added, for a prompt with these vectors.

    Attributes:
        layer: the layer that is entered.
        hidden: hidden states, shape (sequences, positions, hidden_size).
        vectors: the prompt's.
        keys_values: those of the layers below, where the sequences are the prompt itself.
    """

    layer: int
    hidden: Tensor
    vectors: Vectors
    keys_values: KeysValues = ()

    @property
    def bytes(self) -> int:
        """What the state takes."""
        return self.hidden.nbytes + sum(keys.nbytes + values.nbytes for keys, values in self.keys_values)


@dataclass(frozen=True)
class Shortcut:
    """Start from `state`, where there is one, and hand the hidden states entering layer `keep` back to the cache."""

    state: State | None
    keep: int | None

    @property
    def first(self) -> int:
        """The first layer that must run."""
        return self.state.layer if self.state else 0


@dataclass
class _Entry:
    """The latest prompt of a batch, and the state that is kept."""

    latest: Vectors
    state: State | None = None


class LayerCache:
    """States by batch, the least recently used of them dropped beyond `limit` bytes or `MOST_BATCHES`.

    Args:
        n_layers: of the model.
        limit: bytes that all states together may take; 0 keeps none.
    """

    MOST_BATCHES = 256

    def __init__(self, n_layers: int, *, limit: int) -> None:
        self._n_layers, self._limit = n_layers, limit
        self._entries: OrderedDict[Hashable, _Entry] = OrderedDict()

    @property
    def bytes(self) -> int:
        """What the states take."""
        return sum(entry.state.bytes for entry in self._entries.values() if entry.state)

    def shortcut(self, batch: Hashable, vectors: Vectors) -> Shortcut:
        """How to run a batch of rows behind a prompt with these vectors."""
        if not self._limit:
            return Shortcut(None, None)
        entry = self._entries.pop(batch, None)
        self._entries[batch] = _Entry(vectors, entry.state if entry else None)
        self._drop()
        if entry is None:
            return Shortcut(None, None)
        state = entry.state
        if state and self._parting(state.vectors, vectors) < state.layer:
            state = None
        parting = min(self._parting(entry.latest, vectors), self._n_layers - 1)
        return Shortcut(state, parting if parting > (state.layer if state else 0) else None)

    def keep(self, batch: Hashable, state: State) -> None:
        """Take a state in the place of the batch's earlier one."""
        if batch in self._entries:
            self._entries[batch].state = state
            self._drop()

    def clear(self) -> None:
        """Forget everything."""
        self._entries.clear()

    def _drop(self) -> None:
        while self._entries and (len(self._entries) > self.MOST_BATCHES or self.bytes > self._limit):
            self._entries.popitem(last=False)

    def _parting(self, one: Vectors, other: Vectors) -> int:
        """The first layer in which two prompts differ."""
        return next((i for i in range(self._n_layers) if one.get(i) is not other.get(i)), self._n_layers)
