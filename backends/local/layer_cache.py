"""States that enter a layer, kept for prompts that agree below it.

Prompts that agree below layer j enter layer j with the same hidden states. A search that changes one layer at a time
asks for many such prompts in a row, so one state for each batch of rows, at the layer where the latest prompts parted,
is all that is worth keeping. Agreement is that of array objects: prompt spaces share the arrays of layers that agree.
"""

from collections import OrderedDict
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from blackbox.backends.local.attention import KeysValues

Vectors = Mapping[int, npt.NDArray[np.float32]]
"""Layer -> what a prompt has there: see `blackbox.backends.prompts.vectors_of`."""


@dataclass(frozen=True)
class State:
    """What enters a layer, before that layer's vectors are added, for a prompt with these vectors.

    Attributes:
        layer: the layer that is entered.
        hidden: hidden states, shape (1, tokens, hidden_size).
        vectors: the prompt's.
        keys_values: those of the layers below, where the tokens are the prompt's own.
    """

    layer: int
    hidden: Tensor
    vectors: Vectors
    keys_values: tuple[KeysValues, ...] = ()

    @property
    def bytes(self) -> int:
        """What the state takes."""
        return self.hidden.nbytes + sum(keys.nbytes + values.nbytes for keys, values in self.keys_values)

    def to(self, device: str | torch.device) -> "State":
        """The same on a device."""
        pairs = tuple((keys.to(device), values.to(device)) for keys, values in self.keys_values)
        return State(self.layer, self.hidden.to(device), self.vectors, pairs)


@dataclass(frozen=True)
class Plan:
    """How to run a batch.

    Attributes:
        state: what to start from; None is the embeddings.
        parting: the layer whose entering state is to be kept; prompts of the pass agree in all layers below.
    """

    state: State | None
    parting: int


@dataclass
class _Entry:
    """What is known of a batch.

    Attributes:
        latest: vectors of its latest prompt.
        used, used_before: when it was asked for last, and the time before that.
        state: what is kept.
    """

    latest: Vectors
    used: int = -1
    used_before: int = -1
    state: State | None = None


class LayerCache:
    """States by batch, never more than `limit` bytes.

    A state takes free room, or that of states that have been asked for less recently than its own batch had been:
    batches in turn that do not all fit keep those that do, instead of driving each other out.

    Args:
        n_layers: of the model.
        limit: bytes that all states together may take; 0 keeps none.
        device: where states are kept; None leaves them where they are made.
    """

    MOST_BATCHES = 256

    def __init__(self, n_layers: int, *, limit: int, device: str | None = None) -> None:
        self._n_layers, self._limit, self._device = n_layers, limit, device
        self._entries: OrderedDict[Hashable, _Entry] = OrderedDict()
        self._clock = 0
        self.bytes = 0

    def plan(self, batch: Hashable, vectors: Vectors, *, parting: int | None) -> Plan:
        """How to run a batch behind prompts of which one has these vectors.

        Args:
            parting: the first layer in which the prompts differ; None where there is one, which may be followed by
                others that part from it where it parts from the one before.
        """
        self._clock += 1
        entry = self._entries.pop(batch, None)
        last = self._n_layers - 1
        if parting is None:
            parting = first_difference([entry.latest, vectors], self._n_layers) if entry else 0
        parting = min(parting, last)
        if not self._limit:
            return Plan(None, parting)
        entry = entry or _Entry(vectors)
        entry.latest, entry.used_before, entry.used = vectors, entry.used, self._clock
        self._entries[batch] = entry
        while len(self._entries) > self.MOST_BATCHES:
            self._let_go(self._entries.popitem(last=False)[1])
        state = entry.state
        if state and not state.layer <= min(parting, first_difference([state.vectors, vectors], self._n_layers)):
            state = None
        return Plan(state, parting)

    def keep(self, batch: Hashable, state: State) -> None:
        """Take a state in the place of the batch's earlier one, if there is room."""
        entry = self._entries.get(batch)
        if entry is None:
            return
        self._let_go(entry)
        for other in list(self._entries.values()):
            if self.bytes + state.bytes <= self._limit or other.used >= entry.used_before:
                break
            self._let_go(other)
        if self.bytes + state.bytes <= self._limit:
            entry.state = state if self._device is None else state.to(self._device)
            self.bytes += state.bytes

    def clear(self) -> None:
        """Forget everything."""
        self._entries.clear()
        self.bytes = 0

    def _let_go(self, entry: _Entry) -> None:
        if entry.state is not None:
            self.bytes -= entry.state.bytes
            entry.state = None


def first_difference(prompts: Sequence[Vectors], n_layers: int) -> int:
    """The first layer in which some of the prompts hold different arrays; `n_layers` where they all agree."""
    first, *others = prompts
    return next((i for i in range(n_layers) if any(first.get(i) is not other.get(i) for other in others)), n_layers)
