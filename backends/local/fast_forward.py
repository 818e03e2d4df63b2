"""Forward passes of a model family with what need not be computed twice left out. Every shortcut is exact:

- layers below the first in which prompts differ run once for all of them, and not again for the prompts that follow;
- what enters the first layer in which prompts differ is the same for all of them, and so are the queries, keys and
  values that it has before a prompt is added;
- a prompt stands first and a decoder reads left to right: its keys and values do not depend on the row, are computed
  once for all rows, and rows hold no places for the prompt; an encoder's prompt is read with each row;
- several prompts run in one pass, sequences lie packed without padding, and options of a row share its text;
- the last layer runs for the tokens that are read, and the output head for the tokens that are asked for;
- few queries look at many states without forming these states' keys and values, where positions allow it.

What is computed for a prompt depends on the call alone, not on what is in the cache, bit for bit: layers in which the
prompts of a call agree always run for one of them.
"""

from collections.abc import Callable, Hashable, Iterator, Sequence
from itertools import accumulate
from typing import Any
from weakref import WeakKeyDictionary

import torch
from torch import Tensor

from blackbox.backends.local.attention import KeysValues
from blackbox.backends.local.families.base import Family, Projected
from blackbox.backends.local.layer_cache import LayerCache, State, first_difference
from blackbox.backends.local.packing import Reads, Row, pack, reads_of
from blackbox.backends.local.placed import PlacedPrompt, stacked
from blackbox.backends.local.sequences import Batch
from blackbox.backends.local.stack import Stack

_LOGITS_AT_ONCE = 2**26  # of whole vocabularies: 256 MB in float32
_STACKS_KEPT = 8  # of a batch: one for each length or text of the prompt
_DECODER = "decoder"


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
        self._like = torch.empty(0, device=model.device, dtype=model.dtype)
        self._vocabulary_size, self._hidden_size = model.config.vocab_size, model.config.hidden_size
        self._stacks: WeakKeyDictionary[Batch, dict[Hashable, Stack]] = WeakKeyDictionary()
        self._reads: WeakKeyDictionary[Batch, Reads] = WeakKeyDictionary()
        self._before: tuple[tuple[PlacedPrompt, ...], list[KeysValues]] | None = None  # of the latest prompts

    @property
    def width(self) -> int:
        """Numbers in what the output head reads."""
        family = self._decoder or self._family
        with torch.inference_mode():
            return family.finish(torch.zeros(1, 1, self._hidden_size).to(self._like)).shape[-1]

    def read_with_each_row(self, prompt: PlacedPrompt) -> int:
        """Tokens of the prompt that are read once for each row."""
        return 0 if self._family.causal else len(prompt.tokens)

    def state_bytes(self, prompt: PlacedPrompt, batches: Sequence[Batch]) -> int:
        """What the states take that are kept for prompts like this one, bytes; at most, of the layer searched last."""
        family, own = self._family, len(prompt.tokens) if self._family.causal else 0
        extra = self.read_with_each_row(prompt)
        rows = sum(len(sequence.ids) + extra for batch in batches for sequence in batch.sequences)
        pairs = 2 * (len(family.layers) - 1) * own * family.heads.n_kv * family.heads.size
        return int(((rows + own) * self._hidden_size + pairs) * self._like.itemsize)

    @torch.inference_mode()
    def answers(self, prompts: Sequence[PlacedPrompt], batch: Batch, *, at_once: int) -> Tensor:
        """How probable the targets of a batch are behind prompts that differ in nothing but their vectors.

        Args:
            at_once: the most prompts of one pass.

        Returns:
            Shape (n_prompts, n_targets), float64, in the order of `reads_of(batch)`: log-probabilities where the
            batch is normalised, otherwise logits.
        """
        return self._all_read(prompts, batch, at_once, self._read)

    @torch.inference_mode()
    def outputs(self, prompts: Sequence[PlacedPrompt], batch: Batch, *, at_once: int) -> Tensor:
        """What the output head reads for the targets: as `answers`, of shape (n_prompts, n_targets, width)."""
        return self._all_read(prompts, batch, at_once, self._output)

    @torch.inference_mode()
    def logits(self, outputs: Tensor) -> Tensor:
        """The logits of all tokens, shape (n, vocabulary_size), from outputs of shape (n, width)."""
        return (self._decoder or self._family).logits(outputs[None].to(self._like), None)[0].double().cpu()

    def _all_read(
        self,
        prompts: Sequence[PlacedPrompt],
        batch: Batch,
        at_once: int,
        read: Callable[[Tensor, Batch, Stack], Tensor],
    ) -> Tensor:
        if batch not in self._reads:
            self._reads[batch] = reads_of(batch, self._like.device)
        parts = [prompts[start : start + at_once] for start in range(0, len(prompts), at_once)]
        first = prompts[0]
        rows, key = self._rows(batch, first), (batch, *first.standing)
        left = self._run(key, rows, parts, before=self._in_front(parts))
        found = [read(hidden, batch, rows).double().cpu() for hidden, _ in left]
        return torch.cat([one.expand(len(part), *one.shape[1:]) for part, one in zip(parts, found, strict=True)])

    def _run(
        self,
        key: Hashable,
        stack: Stack,
        parts: Sequence[Sequence[PlacedPrompt]],
        *,
        before: Sequence[Sequence[KeysValues]] | None = None,
        own: bool = False,
    ) -> Iterator[tuple[Tensor, list[KeysValues]]]:
        """What leaves the stack for each part of the prompts; of the prompts' own tokens all keys and values too."""
        vectors = [prompt.vectors for part in parts for prompt in part]
        n_layers = len(stack.family.layers)
        parting = first_difference(vectors, n_layers) if len(vectors) > 1 else None
        plan = self.cache.plan(key, vectors[0], parting=parting)
        state = plan.state.to(self._like.device) if plan.state else State(0, stack.embedded(), vectors[0])
        trunk, rest = range(state.layer, plan.parting), range(plan.parting, n_layers)
        below, shared = list(state.keys_values), None
        hidden = self._through(
            stack,
            trunk,
            state.hidden,
            parts[0][:1],
            before=before[0] if before else None,
            collect=below if own else None,
        )
        self.cache.keep(key, State(plan.parting, hidden, vectors[0], tuple(below)))
        if len(vectors) > 1 and not own:
            shared = stack.shared(plan.parting, hidden)
        for number, part in enumerate(parts):
            above: list[KeysValues] = []
            left = self._through(
                stack,
                rest,
                hidden,
                part,
                before=before[number] if before else None,
                shared=shared,
                collect=above if own else None,
            )
            yield left, below + above

    def _through(
        self,
        stack: Stack,
        layers: range,
        hidden: Tensor,
        prompts: Sequence[PlacedPrompt],
        *,
        before: Sequence[KeysValues] | None,
        shared: Projected | None = None,
        collect: list[KeysValues] | None = None,
    ) -> Tensor:
        """What leaves some layers; `shared` is what the first has before a prompt is added, where it is known."""
        for index in layers:
            added = None if prompts[0].prefix else self._stacked(prompts, index)
            front = before[index] if before else None
            hidden, pair = stack.layer(index, hidden, added=added, before=front, shared=shared)
            shared = None
            if collect is not None:
                collect.append(pair)
        return hidden

    def _in_front(self, parts: Sequence[Sequence[PlacedPrompt]]) -> list[list[KeysValues]] | None:
        """What stands in front of every row, for each part and layer; None where nothing does."""
        first = parts[0][0]
        if first.prefix:
            layers = range(len(self._family.layers))
            pairs = [[self._stacked(part, index) for index in layers] for part in parts]
            return [[(pair[:, 0], pair[:, 1]) for pair in of_part if pair is not None] for of_part in pairs]
        if not self._family.causal or not first.tokens:
            return None
        prompts = tuple(prompt for part in parts for prompt in part)
        if self._before is None or self._before[0] != prompts:
            packed = pack([_row(first.tokens)], [()], adds=[first.adds], device=self._like.device)
            stack = Stack(self._family, packed, narrows=True, like=self._like)
            self._before = (prompts, next(self._run(first.tokens, stack, [prompts], own=True))[1])
        ends = list(accumulate(len(part) for part in parts))
        spans = [slice(end - len(part), end) for end, part in zip(ends, parts, strict=True)]
        return [[(_of(keys, span), _of(values, span)) for keys, values in self._before[1]] for span in spans]

    def _decoded(self, decoder: Family, states: Tensor, rows: Stack, batch: Batch) -> Tensor:
        """What leaves the decoder at the tokens that are read."""
        known = self._stacks[batch]
        if _DECODER not in known:
            own = [Row(one.decoder_ids, one.positions, one.branches, one.stems) for one in batch.sequences]
            packed = pack(own, self._reads[batch].asks, device=self._like.device)
            known[_DECODER] = Stack(decoder, packed, narrows=True, like=self._like)
        stack = known[_DECODER]
        hidden = stack.embedded()
        for index in range(len(decoder.layers)):
            hidden, _ = stack.layer(index, hidden, across=stack.look_at(states, rows.packed, index))
        return hidden

    def _read(self, hidden: Tensor, batch: Batch, rows: Stack) -> Tensor:
        """The targets' logits or log-probabilities, shape (prompts or 1, n_targets), from what leaves the stack."""
        family, reads = self._decoder or self._family, self._reads[batch]
        hidden = self._finished(hidden, batch, rows)
        if not batch.normalised:
            return family.logits(hidden, reads.columns).float()[:, reads.at, reads.column]
        at_once = max(1, _LOGITS_AT_ONCE // (len(hidden) * self._vocabulary_size))
        parts = [hidden[:, first : first + at_once] for first in range(0, hidden.shape[1], at_once)]
        likely = [torch.log_softmax(family.logits(one, None).float(), dim=-1)[..., reads.columns] for one in parts]
        return torch.cat(likely, dim=1)[:, reads.at, reads.column]

    def _output(self, hidden: Tensor, batch: Batch, rows: Stack) -> Tensor:
        """Shape (prompts or 1, n_targets, width)."""
        return self._finished(hidden, batch, rows)[:, self._reads[batch].at]

    def _finished(self, hidden: Tensor, batch: Batch, rows: Stack) -> Tensor:
        """What the output head reads of what leaves the stack."""
        hidden = self._family.finish(hidden)
        if self._decoder is None:
            return hidden
        return self._decoder.finish(self._decoded(self._decoder, hidden, rows, batch))

    def _stacked(self, prompts: Sequence[PlacedPrompt], layer: int) -> Tensor | None:
        """What the prompts have in a layer, on the device: see `stacked`."""
        found = stacked(prompts, layer)
        return None if found is None else torch.from_numpy(found).to(self._like)

    def _rows(self, batch: Batch, prompt: PlacedPrompt) -> Stack:
        """The rows of a batch, with the places of the prompt's vectors among them."""
        known = self._stacks.setdefault(batch, {})
        tokens, asks = prompt.tokens, self._reads[batch].asks
        of_rows = (prompt.n_tokens, prompt.row_vectors) if prompt.row_vectors else ()
        key: Hashable = (prompt.length, *of_rows) if self._family.causal else (tokens, prompt.start, *of_rows)
        if key not in known:
            if self._family.causal:
                front = prompt.length
                rows = [
                    Row(one.ids, tuple(front + p for p in one.positions), one.branches, one.stems)
                    for one in batch.sequences
                ]
                adds = [prompt.adds_to(one.positions) for one in batch.sequences]
            else:
                front = len(tokens)
                rows = [_row(tokens + one.ids) for one in batch.sequences]
                asks = [[front + place for place in of_row] for of_row in asks]
                own = [prompt.adds_to(range(len(one.ids))) for one in batch.sequences]
                adds = [[*prompt.adds, *((front + place, vector) for place, vector in of_row)] for of_row in own]
            if self._decoder is not None:
                asks = [[] for _ in rows]  # the decoder is read
            if len(known) >= _STACKS_KEPT:
                known.clear()
            packed = pack(rows, asks, adds=adds, device=self._like.device)
            known[key] = Stack(self._family, packed, narrows=self._decoder is None, like=self._like)
        return known[key]


def _of(states: Tensor, span: slice) -> Tensor:
    """The states of some prompts, or those that all of them share."""
    return states[span] if len(states) > 1 else states


def _row(ids: tuple[int, ...]) -> Row:
    return Row(ids, tuple(range(len(ids))), (0,) * len(ids))
