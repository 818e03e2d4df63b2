"""Models that write one token after the other, with the keys and values of all that they have read kept.

They run through transformers' own code and its caches. The prompt is read first, its vectors added or its keys and
values put in the cache, then the rows behind it, then token by token; nothing is read twice.
"""

import inspect
from collections.abc import Callable, Sequence
from typing import Any, Protocol

import torch
from torch import Tensor
from transformers import DynamicCache, EncoderDecoderCache

from blackbox.backends.local.attention import KeysValues
from blackbox.backends.local.hooks import before_layers, head_reads
from blackbox.backends.local.placed import PlacedPrompt, stacked
from blackbox.backends.local.whole_forward import WholeForward

Tokens = tuple[int, ...]
_ANY_TOKEN = 5


class Continuing(Protocol):
    """Sequences of which each goes on by a token at a time."""

    def begin(self) -> Tensor:
        """Logits of each sequence's first token, shape (sequences, vocabulary_size), float32."""

    def go_on(self, tokens: Sequence[int]) -> Tensor:
        """Logits of the token behind these, one for each sequence."""

    def keep(self, places: Sequence[int]) -> None:
        """Leave all sequences out but those at these places."""


class LeftToRight:
    """Goes on with each row behind each prompt, prompt by prompt.

    Args:
        whole: of a model that reads left to right.
        prompts: that differ in nothing but their vectors.
        rows: the tokens behind a prompt, at least one in each. Shorter ones are padded at the left, which a layer with
            a window counts: where there are such layers the rows must be of the same length.
    """

    def __init__(self, whole: WholeForward, prompts: Sequence[PlacedPrompt], rows: Sequence[Tokens]) -> None:
        self._whole, self._device = whole, whole.model.device
        self._takes_positions = "position_ids" in inspect.signature(whole.model.forward).parameters
        self._cache = DynamicCache()
        for layer, (keys, values) in enumerate(_in_front(whole, prompts)):
            each = [one.repeat_interleave(len(rows), dim=0) for one in (keys, values)]
            self._cache.update(*each, layer)
        longest = max(map(len, rows))
        ids = [[0] * (longest - len(row)) + list(row) for row in rows]
        real = [[0] * (longest - len(row)) + [1] * len(row) for row in rows]
        self._ids = torch.tensor(ids, device=self._device).repeat(len(prompts), 1)
        behind = torch.tensor(real, device=self._device).repeat(len(prompts), 1)
        self._mask = torch.cat([behind.new_ones(len(behind), prompts[0].length), behind], dim=1)
        self._front, self._of_rows = prompts[0].length, _for_rows(whole, prompts)
        self._prompt = torch.arange(len(prompts), device=self._device).repeat_interleave(len(rows))

    def begin(self) -> Tensor:
        return self._read(self._ids)

    def go_on(self, tokens: Sequence[int]) -> Tensor:
        self._mask = torch.cat([self._mask, self._mask.new_ones(len(self._mask), 1)], dim=1)
        return self._read(torch.tensor(tokens, device=self._device)[:, None])

    def keep(self, places: Sequence[int]) -> None:
        chosen = torch.tensor(places, device=self._device)
        self._cache.batch_select_indices(chosen)
        self._mask, self._prompt = self._mask[chosen], self._prompt[chosen]

    def _read(self, ids: Tensor) -> Tensor:
        settings: dict[str, Tensor] = {}
        positions = (self._mask.cumsum(dim=1) - 1)[:, -ids.shape[1] :]
        if self._takes_positions:
            settings["position_ids"] = positions.clamp(min=0)
        last = torch.full_like(ids[:, :1], ids.shape[1] - 1)
        with head_reads(self._whole.head, last), before_layers(self._whole.layers[:1], self._moved(positions)):
            answer = self._whole.model(
                input_ids=ids, attention_mask=self._mask, past_key_values=self._cache, use_cache=True, **settings
            )
        logits: Tensor = answer.logits[:, 0].float()
        return logits

    def _moved(self, positions: Tensor) -> Callable[[int, Tensor], Tensor]:
        """Adds to what enters the first layer the vectors that the prompts have for rows' positions."""
        places = positions - self._front

        def add(_layer: int, hidden: Tensor) -> Tensor:
            if not self._of_rows.shape[1]:
                return hidden
            here = (places >= 0) & (places < self._of_rows.shape[1])
            vectors = self._of_rows[self._prompt[:, None], places.clamp(0, self._of_rows.shape[1] - 1)]
            return hidden + vectors * here[..., None]

        return add


class Answering:
    """The decoder of an encoder-decoder answers each row behind a prompt.

    Args:
        whole: of an encoder-decoder.
        prompt: in front of the rows.
        rows: what the encoder reads behind the prompt.
        opening: what the decoder reads first.
    """

    def __init__(self, whole: WholeForward, prompt: PlacedPrompt, rows: Sequence[Tokens], opening: Tokens) -> None:
        self._model = whole.model
        ids, real = whole.padded([prompt.tokens + row for row in rows])
        self._mask = real.long()
        with whole.inserted([prompt]):
            encoder = self._model.get_encoder()
            self._states: Tensor = encoder(input_ids=ids, attention_mask=self._mask).last_hidden_state
        self._opening = torch.tensor([opening] * len(rows), device=ids.device)
        self._cache = EncoderDecoderCache(DynamicCache(), DynamicCache())

    def begin(self) -> Tensor:
        return self._read(self._opening)

    def go_on(self, tokens: Sequence[int]) -> Tensor:
        return self._read(torch.tensor(tokens, device=self._opening.device)[:, None])

    def keep(self, places: Sequence[int]) -> None:
        chosen = torch.tensor(places, device=self._opening.device)
        self._cache.batch_select_indices(chosen)
        self._mask, self._states = self._mask[chosen], self._states[chosen]

    def _read(self, ids: Tensor) -> Tensor:
        answer = self._model(
            encoder_outputs=(self._states,),
            attention_mask=self._mask,
            decoder_input_ids=ids,
            past_key_values=self._cache,
            use_cache=True,
        )
        logits: Tensor = answer.logits[:, -1].float()
        return logits


def _in_front(whole: WholeForward, prompts: Sequence[PlacedPrompt]) -> list[KeysValues]:
    """What the prompts leave for those behind them, of each layer, shape (prompts, heads, positions, head_size)."""
    first = prompts[0]
    if first.prefix:
        like = _read_alone(whole, prompts[:1], (_ANY_TOKEN,))
        return [_parted(stacked(prompts, layer), keys, len(prompts)) for layer, (keys, _) in enumerate(like)]
    if not first.tokens:
        return []
    with whole.inserted(prompts):
        return _read_alone(whole, prompts, first.tokens)


def _for_rows(whole: WholeForward, prompts: Sequence[PlacedPrompt]) -> Tensor:
    """What the prompts add to rows, by position, shape (prompts, positions, hidden_size)."""
    place = {"device": whole.model.device, "dtype": whole.model.dtype}
    first = prompts[0]
    if not first.row_vectors:
        return torch.zeros(len(prompts), 0, 0, **place)
    arrays = stacked(prompts, 0)
    return torch.tensor(arrays, **place)[:, first.n_tokens :].expand(len(prompts), -1, -1)


def _read_alone(whole: WholeForward, prompts: Sequence[PlacedPrompt], tokens: Tokens) -> list[KeysValues]:
    """Keys and values of tokens that stand first, once for each prompt."""
    cache = DynamicCache()
    ids = torch.tensor([tokens] * len(prompts), device=whole.model.device)
    with head_reads(whole.head, torch.zeros_like(ids[:, :1])):
        whole.model(input_ids=ids, attention_mask=torch.ones_like(ids), past_key_values=cache, use_cache=True)
    return [(layer.keys, layer.values) for layer in cache.layers]


def _parted(arrays: Any, like: Tensor, n_prompts: int) -> KeysValues:
    """A layer's keys and values of prefixes, shape (prompts or 1, 2, positions, width), as those of `like`."""
    pairs = torch.from_numpy(arrays).to(like)
    heads = pairs.reshape(*pairs.shape[:3], like.shape[1], like.shape[3]).transpose(2, 3)
    return heads[:, 0].expand(n_prompts, -1, -1, -1), heads[:, 1].expand(n_prompts, -1, -1, -1)
