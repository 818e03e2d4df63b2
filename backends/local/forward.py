"""Forward passes of prompts and rows with what need not be computed twice left out. Each shortcut is exact:

- layers below the first in which a prompt differs from the one before it do not run again (`layer_cache`);
- a prompt stands first and a decoder reads left to right, so the prompt's keys and values do not depend on the row:
  they are computed once and shared by all rows, which then need no places for the prompt;
- the output head runs at the positions and for the tokens that answer.

A model that cannot be split in this way, which is tried out on a few tokens, is run whole.
"""

from collections.abc import Callable, Hashable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn
from transformers import DynamicCache

from blackbox.backends.local.hooks import (
    adding,
    answers_in_tuples,
    before_layers,
    find_layers,
    head_reads,
    starting_at,
)
from blackbox.backends.local.layer_cache import KeysValues, LayerCache, State, Vectors

_TRIAL = (3, 1, 2, 1, 3, 2)  # any tokens do


@dataclass(frozen=True)
class PlacedPrompt:
    """A prompt as the model reads it.

    Attributes:
        tokens: what stands before every row: the token that begins a text, if the model has one, and the prompt's.
        start: position of the prompt's first token.
        vectors: layer -> what is added to the states entering it, shape (n_tokens, hidden_size).
    """

    tokens: tuple[int, ...]
    start: int
    vectors: Vectors


class Forward:
    """Runs a model of transformers.

    Args:
        model: a causal language model.
        cache_bytes: the most memory for states that prompts share; 0 keeps none.
        shortcuts: False runs the whole model for every prompt: what the shortcuts are checked against.
    """

    def __init__(self, model: Any, *, cache_bytes: int, shortcuts: bool = True) -> None:
        self.model, self.layers, self.head = model, find_layers(model), model.get_output_embeddings()
        self.cache = LayerCache(len(self.layers), limit=cache_bytes if shortcuts else 0)
        self._tuples = answers_in_tuples(model, self.layers)
        self._columns = shortcuts and type(self.head) is nn.Linear
        self._before: tuple[PlacedPrompt, KeysValues] | None = None  # of the last prompt, for its next batch of rows
        self._split = shortcuts and self._splits_exactly()

    def logits(
        self, prompt: PlacedPrompt, rows: Sequence[tuple[int, ...]], *, n_read: int, columns: Tensor | None
    ) -> Tensor:
        """Logits at the last `n_read` positions of each row behind a prompt.

        Args:
            prompt: stands before every row.
            rows: token ids, each at least one.
            n_read: positions read, counted from a row's end; those before its beginning hold nothing of use.
            columns: shape (n_columns,), the tokens that are asked for; None is the whole vocabulary.

        Returns:
            Shape (n_rows, n_read, n_columns), float32.
        """
        if self._split and prompt.tokens:
            if self._before is None or self._before[0] is not prompt:
                self._before = (prompt, self._keys_values(prompt))
            return self._run(prompt, rows, self._before[1], n_read=n_read, columns=columns)
        whole = [(*prompt.tokens, *row) for row in rows]
        return self._run(prompt, whole, (), n_read=n_read, columns=columns)

    def states(self, prompt: PlacedPrompt, rows: Sequence[tuple[int, ...]]) -> list[Tensor]:
        """What enters each layer at the real positions of prompt and rows, shape (positions, hidden_size), float32."""
        ids, mask = self._padded([(*prompt.tokens, *row) for row in rows])
        states: list[Tensor] = []

        def look(_layer: int, hidden: Tensor) -> Tensor:
            states.append(hidden[mask].float().cpu())
            return hidden

        with torch.inference_mode(), before_layers(self.layers, look), head_reads(self.head, mask[:, :1].long()):
            self.model(input_ids=ids, attention_mask=mask.long(), use_cache=False)
        return states

    def _run(
        self,
        prompt: PlacedPrompt,
        rows: Sequence[tuple[int, ...]],
        before: KeysValues,
        *,
        n_read: int,
        columns: Tensor | None,
    ) -> Tensor:
        """One pass over rows that begin with the prompt, or, with its keys and values `before` them, go without."""
        ids, mask = self._padded(rows)
        seen = torch.cat([mask.new_ones(len(rows), len(prompt.tokens)), mask], dim=1) if before else mask
        positions = (mask.sum(dim=1, keepdim=True) - n_read + torch.arange(n_read, device=ids.device)).clamp(min=0)
        narrow = columns if self._columns else None
        settings = (
            {"past_key_values": _spread(before, len(rows)), "use_cache": True} if before else {"use_cache": False}
        )
        reads = head_reads(self.head, positions, narrow)
        with reads, self._resumed((prompt.tokens, *rows), prompt, adds=not before) as (_, keep):
            logits: Tensor = self.model(input_ids=ids, attention_mask=seen.long(), **settings).logits.float()
            keep(())
        return logits if columns is None or narrow is not None else logits[..., columns]

    def _keys_values(self, prompt: PlacedPrompt) -> KeysValues:
        """The prompt's own, in every layer."""
        ids = torch.tensor([prompt.tokens], device=self.model.device)
        own, nowhere = DynamicCache(), torch.zeros((1, 1), dtype=torch.long, device=ids.device)
        reads = head_reads(self.head, nowhere, nowhere[0] if self._columns else None)
        with reads, self._resumed(prompt.tokens, prompt, adds=True) as (state, keep):
            self.model(input_ids=ids, past_key_values=own, use_cache=True)
            below = state.keys_values if state else ()
            keys_values = (*below, *((layer.keys, layer.values) for layer in own.layers[len(below) :]))
            keep(keys_values)
        return keys_values

    @contextmanager
    def _resumed(
        self, sequences: Hashable, prompt: PlacedPrompt, *, adds: bool
    ) -> Iterator[tuple[State | None, Callable[[KeysValues], None]]]:
        """While open, the model starts from what the last prompt shared, and the prompt's vectors are added, if asked.

        Yields:
            The state that is started from, and what must be called after the pass, with the keys and values of its
            layers where they are wanted again.
        """
        shortcut = self.cache.shortcut(sequences, prompt.vectors)
        place = {"device": self.model.device, "dtype": self.model.dtype}
        vectors = prompt.vectors.items() if adds else ()
        added = {layer: torch.tensor(array, **place) for layer, array in vectors if layer >= shortcut.first}
        kept: list[Tensor] = []

        def keep(keys_values: KeysValues) -> None:
            if shortcut.keep is not None:
                state = State(shortcut.keep, kept[0], prompt.vectors, keys_values[: shortcut.keep])
                self.cache.keep(sequences, state)

        with ExitStack() as stack:
            stack.enter_context(torch.inference_mode())
            stack.enter_context(before_layers(self.layers, adding(added, prompt.start, shortcut.keep, kept)))
            if shortcut.state:
                resumed = starting_at(self.layers, shortcut.first, shortcut.state.hidden, tuples=self._tuples)
                stack.enter_context(resumed)
            yield shortcut.state, keep

    def _padded(self, rows: Sequence[tuple[int, ...]]) -> tuple[Tensor, Tensor]:
        """Token ids, padded at the right, and the mask of real tokens; both of shape (n_rows, positions)."""
        ids = nn.utils.rnn.pad_sequence([torch.tensor(row) for row in rows], batch_first=True)
        lengths = torch.tensor([len(row) for row in rows])
        mask = torch.arange(ids.shape[1]) < lengths[:, None]
        return ids.to(self.model.device), mask.to(self.model.device)

    def _splits_exactly(self) -> bool:
        """Whether a few tokens, padded rows among them, give the same logits split after the second as whole."""
        prompt, rows = PlacedPrompt(_TRIAL[:2], 0, {}), [_TRIAL[2:], _TRIAL[3:5]]
        columns = torch.tensor([1, 2, 3], device=self.model.device)
        whole = self._run(prompt, [prompt.tokens + row for row in rows], (), n_read=1, columns=columns)
        try:
            split = self._run(prompt, rows, self._keys_values(prompt), n_read=1, columns=columns)
        except (AttributeError, IndexError, NotImplementedError, RuntimeError, TypeError, ValueError):
            return False  # a model with a cache of another kind
        finally:
            self.cache.clear()
        tolerance = 1e-3 if self.model.dtype == torch.float32 else 0.1
        return torch.allclose(split, whole, rtol=tolerance, atol=tolerance * float(whole.abs().max()))


def _spread(keys_values: KeysValues, count: int) -> DynamicCache:
    """Keys and values of one sequence for `count` of them."""
    return DynamicCache(
        [(keys.expand(count, -1, -1, -1), values.expand(count, -1, -1, -1)) for keys, values in keys_values]
    )
