"""Forward passes of a model family with what need not be computed twice left out. Every shortcut is exact:

- layers below the first in which prompts differ run once for all of them, and not again for the prompts that follow;
- what enters the first layer in which prompts differ is the same for all of them, and so are the queries, keys and
  values of all tokens that are not the prompt's;
- a prompt stands first and a decoder reads left to right: its keys and values do not depend on the row, are computed
  once for all rows, and rows hold no places for the prompt; an encoder's prompt is read with each row;
- several prompts run in one pass, sequences lie packed without padding, and options of a row share its text;
- the last layer runs for the tokens that are read, and the output head for the tokens that are asked for;
- the few tokens of an encoder-decoder's options look at the encoder's states without forming their keys and values.

What is computed for a prompt depends on the call alone, not on what is in the cache, bit for bit: layers on which the
prompts of a call agree always run for one of them.
"""

from collections.abc import Hashable, Sequence
from functools import partial
from typing import Any
from weakref import WeakKeyDictionary

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from blackbox.backends.local.attention import Heads, KeysValues, Sight, attend, attend_across
from blackbox.backends.local.families import Family
from blackbox.backends.local.families.base import Across
from blackbox.backends.local.layer_cache import LayerCache, State
from blackbox.backends.local.packing import Packed, Reads, Row, pack, reads_of
from blackbox.backends.local.placed import PlacedPrompt
from blackbox.backends.local.sequences import Batch

_LOGITS_AT_ONCE = 2**26  # of whole vocabularies: 256 MB in float32


class FastForward:
    """Runs a family.

    Args:
        family: of the model.
        model: of transformers.
        cache: where states are kept.
    """

    def __init__(self, family: Family, model: Any, cache: LayerCache) -> None:
        self.cache = cache
        self._family, self._decoder = family, family.decoder()
        self._device, self._dtype = model.device, model.dtype
        self._vocabulary_size, self._hidden_size = model.config.vocab_size, model.config.hidden_size
        self._packed: WeakKeyDictionary[Batch, dict[Hashable, Packed]] = WeakKeyDictionary()
        self._reads: WeakKeyDictionary[Batch, Reads] = WeakKeyDictionary()
        self._before: tuple[Sequence[PlacedPrompt], list[KeysValues]] | None = None  # of the latest prompts

    def read_with_each_row(self, prompt: PlacedPrompt) -> int:
        """Tokens of the prompt that are read once for each row."""
        return 0 if self._family.causal else len(prompt.tokens)

    def state_bytes(self, prompt: PlacedPrompt, batches: Sequence[Batch]) -> int:
        """What the states take that are kept for prompts like this one, bytes; at most, of the layer searched last."""
        family, own = self._family, len(prompt.tokens) if self._family.causal else 0
        extra = self.read_with_each_row(prompt)
        rows = sum(len(sequence.ids) + extra for batch in batches for sequence in batch.sequences)
        pairs = 2 * (len(family.layers) - 1) * own * family.heads.n_kv * family.heads.size
        return int(((rows + own) * self._hidden_size + pairs) * self._dtype.itemsize)

    @torch.inference_mode()
    def answers(self, prompts: Sequence[PlacedPrompt], batch: Batch, *, parting: int | None) -> Tensor:
        """How probable the targets of a batch are behind prompts that differ in nothing but their vectors.

        Args:
            parting: the first layer in which the prompts of the call, these among them, differ; None where there is
                only one prompt.

        Returns:
            Shape (n_prompts, n_targets), float64, in the order of `reads_of(batch)`: log-probabilities where the
            batch is normalised, otherwise logits.
        """
        if batch not in self._reads:
            self._reads[batch] = reads_of(batch, self._device)
        family, packed = self._family, self._rows(batch, prompts[0])
        before = self._keys_values(prompts, parting)
        key = (batch, prompts[0].tokens, prompts[0].prefix)
        hidden, _ = self._run(key, prompts, packed, parting=parting, before=before)
        if self._decoder is not None:
            hidden = self._decode(self._decoder, family.finish(hidden), packed, self._answering(batch))
            family = self._decoder
        read = _read(
            family,
            family.finish(hidden),
            self._reads[batch],
            normalised=batch.normalised,
            vocabulary_size=self._vocabulary_size,
        )
        return read.double().cpu().expand(len(prompts), -1)

    def _run(
        self,
        key: Hashable,
        prompts: Sequence[PlacedPrompt],
        packed: Packed,
        *,
        parting: int | None,
        before: list[KeysValues] | None = None,
        own: bool = False,
    ) -> tuple[Tensor, list[KeysValues]]:
        """What leaves the stack at the tokens that are read; of the prompt's `own` tokens all keys and values too."""
        family = self._family
        plan = self.cache.plan(key, prompts[0].vectors, parting=parting)
        state = plan.state.to(self._device) if plan.state else None
        hidden = state.hidden if state else family.embed(packed.ids, packed.positions)[None]
        keys_values = list(state.keys_values) if state else []
        places, biases = family.places(packed.positions, hidden), _Biases(family, packed)
        for index in range(state.layer if state else 0, len(family.layers)):
            if index == plan.parting:
                self.cache.keep(key, State(index, hidden, prompts[0].vectors, tuple(keys_values)))
            if packed.places is not None:
                hidden = _added(hidden, self._stacked(prompts, index), packed.places)
            last = index == len(family.layers) - 1 and self._decoder is None
            front = before[index] if before else None
            hidden, pair = _layer(family, index, hidden, packed, places, biases, before=front, last=last)
            if own:
                keys_values.append(pair)
        return hidden, keys_values

    def _decode(self, decoder: Family, states: Tensor, encoded: Packed, answering: Packed) -> Tensor:
        """What leaves the decoder at the tokens that are read."""
        hidden = decoder.embed(answering.ids, answering.positions)[None]
        places, biases = decoder.places(answering.positions, hidden), _Biases(decoder, answering)
        for index in range(len(decoder.layers)):
            last = index == len(decoder.layers) - 1
            sight = answering.across(encoded, asked=last)
            across = partial(_across, states=states, sight=sight, heads=decoder.heads)
            hidden, _ = _layer(decoder, index, hidden, answering, places, biases, last=last, across=across)
        return hidden

    def _keys_values(self, prompts: Sequence[PlacedPrompt], parting: int | None) -> list[KeysValues] | None:
        """What stands in front of every row, for each layer; None where nothing does."""
        if prompts[0].prefix:
            pairs = [self._stacked(prompts, index) for index in range(len(self._family.layers))]
            return [(pair[:, 0], pair[:, 1]) for pair in pairs if pair is not None]
        if not self._family.causal or not prompts[0].tokens:
            return None
        if self._before is None or not _same(self._before[0], prompts):
            tokens, start = prompts[0].tokens, prompts[0].start
            places = range(start, len(tokens)) if start < len(tokens) else None
            packed = pack([_whole(tokens)], [()], places=places, device=self._device)
            self._before = (list(prompts), self._run(tokens, prompts, packed, parting=parting, own=True)[1])
        return self._before[1]

    def _stacked(self, prompts: Sequence[PlacedPrompt], layer: int) -> Tensor | None:
        """What the prompts have in a layer, with a first axis of 1 where they all have the same; None: nothing."""
        arrays = [prompt.vectors.get(layer) for prompt in prompts]
        known = [array for array in arrays if array is not None]
        if not known:
            return None
        if all(array is arrays[0] for array in arrays):
            arrays = arrays[:1]
        stacked = np.stack([np.zeros_like(known[0]) if array is None else array for array in arrays])
        return torch.from_numpy(stacked).to(self._device, self._dtype)

    def _rows(self, batch: Batch, prompt: PlacedPrompt) -> Packed:
        """The rows of a batch, with the prompt's places among them where it is read with each row."""
        known = self._packed.setdefault(batch, {})
        front = prompt.n_positions if prompt.prefix else len(prompt.tokens)
        key: Hashable = front if self._family.causal else (prompt.tokens, prompt.start)
        if key not in known:
            asks = self._reads[batch].asks
            if self._family.causal:
                rows = [Row(one.ids, tuple(front + p for p in one.positions), one.branches) for one in batch.sequences]
                known[key] = pack(rows, asks, device=self._device)
            else:
                rows = [_whole(prompt.tokens + one.ids) for one in batch.sequences]
                asks = [[len(prompt.tokens) + place for place in of_row] for of_row in asks]
                places = range(prompt.start, len(prompt.tokens)) if prompt.n_tokens else None
                known[key] = pack(rows, asks if self._decoder is None else [()] * len(rows), places=places, device=self._device)
        return known[key]

    def _answering(self, batch: Batch) -> Packed:
        """What the decoder reads."""
        known = self._packed.setdefault(batch, {})
        if "decoder" not in known:
            rows = [Row(one.decoder_ids, one.positions, one.branches) for one in batch.sequences]
            known["decoder"] = pack(rows, self._reads[batch].asks, device=self._device)
        return known["decoder"]


class _Biases:
    """A family's bias of the scores, computed once for all layers."""

    def __init__(self, family: Family, packed: Packed) -> None:
        self._family, self._packed = family, packed
        self._known: dict[bool, Tensor | None] = {}

    def __call__(self, *, asked: bool, before: int) -> Tensor | None:
        """For the tokens that look; keys in front of the sequences have no position and no bias."""
        if asked not in self._known:
            bias = self._family.bias(*self._packed.bias_positions(asked=asked))
            self._known[asked] = None if bias is None else functional.pad(bias, (before, 0))
        return self._known[asked]


def _layer(
    family: Family,
    index: int,
    hidden: Tensor,
    packed: Packed,
    places: Any,
    biases: _Biases,
    *,
    before: KeysValues | None = None,
    last: bool,
    across: Across | None = None,
) -> tuple[Tensor, KeysValues]:
    """What leaves a layer, of the last one at the tokens that are read only, and the layer's keys and values."""
    layer, asks = family.layers[index], packed.asks if last else None
    queries, keys, values = family.project(layer, family.enter(layer, hidden), places, asks)
    if asks is not None:
        hidden = hidden[:, asks]
        if not len(asks):
            return hidden, (keys, values)
    n_before = before[0].shape[1] if before else 0
    sight = packed.sight(causal=family.causal, before=n_before, window=family.window(layer), asked=last)
    bias = biases(asked=last, before=n_before)
    seen = attend(queries, keys, values, sight=sight, heads=family.heads, before=before, bias=bias)
    return family.leave(layer, hidden, seen, across), (keys, values)


def _added(hidden: Tensor, vectors: Tensor | None, places: Tensor) -> Tensor:
    """The "add" insertion of BBTv2: vectors (prompts or 1, n, hidden_size) are added at places (sequences, n)."""
    if vectors is None:
        return hidden
    hidden = hidden.expand(max(len(hidden), len(vectors)), -1, -1).clone()
    hidden[:, places.flatten()] += vectors.repeat(1, len(places), 1)
    return hidden


def _across(queries: Tensor, key: nn.Linear, value: nn.Linear, *, states: Tensor, sight: Sight, heads: Heads) -> Tensor:
    return attend_across(queries, states, key, value, sight=sight, heads=heads)


def _read(family: Family, finished: Tensor, reads: Reads, *, normalised: bool, vocabulary_size: int) -> Tensor:
    """The targets' logits or log-probabilities, shape (prompts or 1, n_targets), from states (prompts or 1, n_asks)."""
    if not normalised:
        return family.logits(finished, reads.columns).float()[:, reads.at, reads.column]
    at_once = max(1, _LOGITS_AT_ONCE // (len(finished) * vocabulary_size))
    parts = [
        torch.log_softmax(family.logits(part, None).float(), dim=-1)[..., reads.columns]
        for part in finished.split(at_once, dim=1)
    ]
    return torch.cat(parts, dim=1)[:, reads.at, reads.column]


def _whole(ids: tuple[int, ...]) -> Row:
    return Row(ids, tuple(range(len(ids))), (0,) * len(ids))


def _same(one: Sequence[PlacedPrompt], other: Sequence[PlacedPrompt]) -> bool:
    return len(one) == len(other) and all(first is second for first, second in zip(one, other, strict=True))
