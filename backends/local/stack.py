"""A family's layers over packed tokens, one layer at a time."""

from functools import partial
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional

from blackbox.backends.local.attention import KeysValues, Sight, attend, attend_across
from blackbox.backends.local.families.base import Across, Family, Projected
from blackbox.backends.local.packing import Packed


class Stack:
    """What a family's layers make of some tokens, with what depends on the tokens' positions only kept.

    Args:
        family: of the model, or its decoder.
        packed: the tokens.
        narrows: whether the last layer runs for the tokens that are read only.
        like: a tensor on the model's device and in its precision.
    """

    def __init__(self, family: Family, packed: Packed, *, narrows: bool, like: Tensor) -> None:
        self.family, self.packed = family, packed
        self._last = len(family.layers) - 1 if narrows else None
        self._places = family.places(packed.positions, like)
        self._biases: dict[tuple[bool, int], Tensor | None] = {}

    def embedded(self) -> Tensor:
        """What enters the first layer, shape (1, tokens, hidden_size)."""
        return self.family.embed(self.packed.ids, self.packed.positions)[None]

    def shared(self, index: int, hidden: Tensor) -> Projected | None:
        """Queries, keys and values of a layer before any prompt is added, for `layer`; None where it forms none.

        Nor are there any where new ones would need the positions of a decoder's tokens, or be asked for.
        """
        if self._asks(index) is not None and (self.family.recalls or self.packed.moves_asked):
            return None
        if self.family.causal and self.packed.places is not None:
            return None
        layer = self.family.layers[index]
        return self.family.project(layer, self.family.enter(layer, hidden), self._places, self._asks(index))

    def layer(
        self,
        index: int,
        hidden: Tensor,
        *,
        added: Tensor | None = None,
        before: KeysValues | None = None,
        shared: Projected | None = None,
        across: Across | None = None,
    ) -> tuple[Tensor, KeysValues]:
        """What leaves a layer, and its keys and values.

        Args:
            hidden: what enters it, shape (prompts or 1, tokens, hidden_size).
            added: the prompts' vectors, shape (prompts or 1, n, hidden_size), of which each place has one.
            before: keys and values that stand in front of every sequence.
            shared: what `shared` has said of `hidden`.
            across: a decoder's look at the encoder's states.

        Returns:
            Shape (prompts or 1, tokens, hidden_size); of a last layer that narrows, the tokens that are read.
        """
        family, layer, asks = self.family, self.family.layers[index], self._asks(index)
        entered = self._added(hidden, added)
        if asks is not None and before is None and family.recalls:
            look = partial(attend_across, states=entered, sight=self._sight(layer, 0, True), heads=family.heads)
            seen = family.recall(layer, entered, asks, look)
            return family.leave(layer, entered[:, asks], seen), (entered[:, :0], entered[:, :0])
        queries, keys, values = (
            family.project(layer, family.enter(layer, entered), self._places, asks)
            if shared is None
            else self._moved(layer, entered, added, shared, asks)
        )
        if asks is not None:
            entered = entered[:, asks]
            if not len(asks):
                return entered, (keys, values)
        n_before = before[0].shape[1] if before else 0
        seen = attend(
            queries,
            keys,
            values,
            sight=self._sight(layer, n_before, asks is not None),
            heads=family.heads,
            before=before,
            bias=self._bias(n_before, asks is not None),
        )
        return family.leave(layer, entered, seen, across), (keys, values)

    def look_at(self, states: Tensor, encoded: Packed, index: int) -> Across:
        """A decoder layer's look at the states of an encoder, shape (prompts or 1, tokens, hidden_size)."""
        sight = self.packed.across(encoded, asked=self._asks(index) is not None)
        return partial(attend_across, states=states, sight=sight, heads=self.family.heads)

    def _asks(self, index: int) -> Tensor | None:
        return self.packed.asks if index == self._last else None

    def _added(self, hidden: Tensor, vectors: Tensor | None) -> Tensor:
        """The "add" insertion of BBTv2 at the prompt's places in every sequence."""
        if vectors is None or self.packed.places is None:
            return hidden
        hidden = hidden.expand(max(len(hidden), len(vectors)), -1, -1).clone()
        hidden[:, self.packed.places] += vectors[:, self.packed.vectors]
        return hidden

    def _moved(
        self, layer: Any, entered: Tensor, added: Tensor | None, shared: Projected, asks: Tensor | None
    ) -> Projected:
        """What the prompts' vectors make of shared queries, keys and values: new ones at the prompt's places.

        Where nothing comes before the maps, W (h + p) = W h + W p, and W p is the same for all rows.
        """
        family, places, vectors = self.family, self.packed.places, self.packed.vectors
        if places is None or added is None:
            return shared
        if family.enters_as_it_is:
            nothing = torch.zeros_like(added[:1, :1])
            pairs = zip(
                family.project(layer, added, None, None), family.project(layer, nothing, None, None), strict=True
            )
            old = (one[:, places] for one in shared)
            new = [was + (moved - zero)[:, vectors] for was, (moved, zero) in zip(old, pairs, strict=True)]
        else:
            at = entered[:, places]
            new = list(family.project(layer, family.enter(layer, at), None, None))
        moved = [_put(one, places, fresh) for one, fresh in zip(shared[1:], new[1:], strict=True)]
        return (_put(shared[0], places, new[0]) if asks is None else shared[0]), moved[0], moved[1]

    def _sight(self, layer: Any, before: int, asked: bool) -> Sight:
        window = self.family.window(layer)
        return self.packed.sight(causal=self.family.causal, before=before, window=window, asked=asked)

    def _bias(self, before: int, asked: bool) -> Tensor | None:
        """The family's bias of the scores; keys in front of the sequences have no position and no bias."""
        if (asked, before) not in self._biases:
            bias = self.family.bias(*self.packed.bias_positions(asked=asked))
            self._biases[asked, before] = None if bias is None else functional.pad(bias, (before, 0))
        return self._biases[asked, before]


def _put(states: Tensor, places: Tensor, new: Tensor) -> Tensor:
    """States with new ones at some places, for each prompt."""
    states = states.expand(len(new), -1, -1).clone()
    states[:, places] = new
    return states
