"""Forward passes through a model's own code, whole, for one prompt at a time.

For models without a family, and what the families are checked against.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor, nn

from blackbox.backends.local.attention import KeysValues
from blackbox.backends.local.hooks import (
    before_layers,
    find_layers,
    head_is_given,
    head_reads,
    in_front_of_keys,
    takes_prefixes,
)
from blackbox.backends.local.placed import PlacedPrompt, stacked
from blackbox.backends.local.reading import Reading
from blackbox.backends.local.sequences import Batch, TokenSequence, unrolled

Tokens = tuple[int, ...]
_ANY_TOKEN = (5,)


class WholeForward:
    """Runs a model of transformers.

    Args:
        model: a language model.
        reading: how it reads.
    """

    def __init__(self, model: Any, reading: Reading) -> None:
        self.model, self.layers, self.head = model, find_layers(model), model.get_output_embeddings()
        self.reading = reading

    @property
    def width(self) -> int:
        """See `FastForward.width`."""
        return int(self.head.weight.shape[1])

    def read_with_each_row(self, prompt: PlacedPrompt) -> int:
        """Tokens of the prompt that are read once for each row: all."""
        return len(prompt.tokens)

    def state_bytes(self, prompt: PlacedPrompt, batches: Sequence[Batch]) -> int:
        """What is kept for later prompts: nothing."""
        return 0

    def key_value_width(self) -> int:
        """Numbers in the keys of a position, all heads together; 0 where the model takes no prefix."""
        if not takes_prefixes(self.model, self.layers):
            return 0
        pairs = self.keys_values(_ANY_TOKEN)
        return pairs[0].shape[-1] if len(pairs) == len(self.layers) else 0

    @torch.inference_mode()
    def answers(self, prompts: Sequence[PlacedPrompt], batch: Batch, *, at_once: int) -> Tensor:
        """See `FastForward.answers`."""
        return torch.stack([self._answers(prompt, batch) for prompt in prompts])

    @torch.inference_mode()
    def outputs(self, prompts: Sequence[PlacedPrompt], batch: Batch, *, at_once: int) -> Tensor:
        """See `FastForward.outputs`."""
        return torch.stack([self._outputs(prompt, batch) for prompt in prompts])

    @torch.inference_mode()
    def logits(self, outputs: Tensor) -> Tensor:
        """See `FastForward.logits`; a model may do more to logits than its head, so that a token is read for them."""
        place = {"device": self.model.device, "dtype": self.model.dtype}
        ids, mask = self.padded([_ANY_TOKEN])
        with head_is_given(self.head, outputs[None].to(**place)):
            return self._call(ids, mask, [_ANY_TOKEN])[0].double().cpu()

    @torch.inference_mode()
    def states(self, prompt: PlacedPrompt, sequences: Sequence[TokenSequence]) -> list[Tensor]:
        """What enters each layer at the real positions of prompt and rows, shape (positions, hidden_size), float32."""
        ids, mask = self.padded([prompt.tokens + sequence.ids for sequence in sequences])
        states: list[Tensor] = []

        def look(_layer: int, hidden: Tensor) -> Tensor:
            states.append(hidden[mask].float().cpu())
            return hidden

        with before_layers(self.layers, look), head_reads(self.head, torch.zeros_like(ids[:, :1])):
            self._call(ids, mask, [sequence.decoder_ids[:1] for sequence in sequences])
        return states

    @torch.inference_mode()
    def keys_values(self, tokens: Tokens) -> list[Tensor]:
        """What the layers' self-attention makes of tokens alone, each of shape (2, n_tokens, width), float32."""
        return [pair.flatten(2) for pair in self.keys_values_by_head(tokens)]

    @torch.inference_mode()
    def keys_values_by_head(self, tokens: Tokens) -> list[Tensor]:
        """The same, each of shape (2, n_tokens, heads, size)."""
        seen: list[Tensor] = []

        def look(_layer: int, keys: Tensor, values: Tensor) -> KeysValues:
            seen.append(torch.cat([keys, values]).transpose(1, 2).float().cpu())
            return keys, values

        ids = torch.tensor([tokens], device=self.model.device)
        with in_front_of_keys(self.model, self.layers, look), head_reads(self.head, torch.zeros_like(ids[:, :1])):
            self._call(ids, torch.ones_like(ids, dtype=torch.bool), [tokens[:1]])
        return seen

    def _answers(self, prompt: PlacedPrompt, batch: Batch) -> Tensor:
        """Shape (n_targets,)."""
        logits, rows, columns, tokens = self._asked(prompt, batch)
        if batch.normalised:
            logits = torch.log_softmax(logits, dim=-1)
        return logits[rows, columns, tokens].double().cpu()

    def _outputs(self, prompt: PlacedPrompt, batch: Batch) -> Tensor:
        """Shape (n_targets, width)."""
        seen: list[Tensor] = []
        _, rows, columns, _ = self._asked(prompt, batch, look=seen.append)
        return seen[0][rows, columns].double().cpu()

    def _asked(
        self, prompt: PlacedPrompt, batch: Batch, *, look: Callable[[Tensor], None] | None = None
    ) -> tuple[Tensor, list[int], list[int], list[int]]:
        """Logits where targets are told, (n_paths, n_read, vocabulary_size), and the three indices of each target.

        Args:
            look: is shown what the output head reads there.
        """
        paths = [(sequence, *path) for sequence in batch.sequences for path in unrolled(sequence)]
        decodes = self.reading is Reading.ENCODER_DECODER
        ids, mask = self.padded([prompt.tokens + (one.ids if decodes else path) for one, path, _ in paths])
        asks, tokens = [], []
        for sequence in batch.sequences:
            own = [(row, places) for row, (one, _, places) in enumerate(paths) if one is sequence]
            for target in sequence.targets:
                row, places = next((row, places) for row, places in own if target.place in places)
                asks.append((row, places[target.place] + (0 if decodes else len(prompt.tokens))))
                tokens.append(target.token)
        positions, columns = _by_row(asks, len(paths))
        with self.inserted([prompt]), head_reads(self.head, positions.to(ids.device), look):
            logits = self._call(ids, mask, [path for _, path, _ in paths], shift=prompt.n_positions)
        return logits, [row for row, _ in asks], columns, tokens

    def _call(self, ids: Tensor, mask: Tensor, decoder_rows: Sequence[Tokens], *, shift: int = 0) -> Tensor:
        """Logits of rows, float32; `shift` is how many keys stand in front of them, which a decoder counts."""
        settings: dict[str, Tensor] = {}
        if self.reading is Reading.ENCODER_DECODER:
            settings["decoder_input_ids"] = self.padded(decoder_rows)[0]
        elif self.reading is Reading.CAUSAL and shift:
            settings["position_ids"] = torch.arange(shift, shift + ids.shape[1], device=ids.device)[None]
        logits: Tensor = self.model(input_ids=ids, attention_mask=mask.long(), **settings).logits
        return logits.float()

    @contextmanager
    def inserted(self, prompts: Sequence[PlacedPrompt]) -> Iterator[None]:
        """While open, vectors are where they belong: one prompt's in every row, or those of several in a row each.

        Args:
            prompts: that differ in nothing but their vectors.
        """
        first, layers = prompts[0], {layer for prompt in prompts for layer in prompt.vectors}
        place = {"device": self.model.device, "dtype": self.model.dtype}
        tensors = {layer: torch.tensor(stacked(prompts, layer), **place) for layer in layers}

        def add(layer: int, hidden: Tensor) -> Tensor:
            if layer not in tensors:
                return hidden
            changed, added = hidden.clone(), tensors[layer]
            places = changed[:, first.start : first.start + added.shape[1]]  # those for rows stand behind the prompt's
            places += added[:, : places.shape[1]]
            return changed

        def stand_in_front(layer: int, keys: Tensor, values: Tensor) -> KeysValues:
            n, heads, _, size = keys.shape
            pairs = tensors[layer].reshape(-1, 2, first.n_positions, heads, size)
            front = pairs.transpose(2, 3).expand(n, -1, -1, -1, -1)
            return torch.cat([front[:, 0], keys], dim=2), torch.cat([front[:, 1], values], dim=2)

        with (
            in_front_of_keys(self.model, self.layers, stand_in_front)
            if first.prefix
            else before_layers(self.layers, add)
        ):
            yield

    def padded(self, rows: Sequence[Tokens]) -> tuple[Tensor, Tensor]:
        """Token ids, padded at the right, and the mask of real tokens; both of shape (n_rows, positions)."""
        pad = self.model.config.pad_token_id or 0
        ids = nn.utils.rnn.pad_sequence([torch.tensor(row) for row in rows], batch_first=True, padding_value=pad)
        lengths = torch.tensor([len(row) for row in rows])
        mask = torch.arange(ids.shape[1]) < lengths[:, None]
        return ids.to(self.model.device), mask.to(self.model.device)


def _by_row(asks: Sequence[tuple[int, int]], n_rows: int) -> tuple[Tensor, list[int]]:
    """Positions that are asked for, as a table with a line for each row, and the column of each ask in it."""
    lines: list[list[int]] = [[] for _ in range(n_rows)]
    columns = []
    for row, position in asks:
        columns.append(len(lines[row]))
        lines[row].append(position)
    return nn.utils.rnn.pad_sequence([torch.tensor(line, dtype=torch.long) for line in lines], True), columns
