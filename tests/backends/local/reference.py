"""What a backend must answer, from the model's own forward pass: one row and one option at a time.

No padding, no batches, no shared layers; special tokens, blanks and prompts are put together here once more.
"""

from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from operator import attrgetter
from typing import Any

import numpy as np
import torch
from torch import nn
from transformers import DynamicCache

from blackbox.backends import PrefixPrompt, Prompt, Query, TextPrompt
from blackbox.backends.prompts import vectors_of
from tests.backends.local.conftest import Loaded

Tokens = list[int]


def expected_scores(loaded: Loaded, prompts: Sequence[Prompt], queries: Sequence[Query]) -> np.ndarray:
    """Log-probabilities, nats, shape (n_prompts, n_queries, n_options)."""
    return np.stack([_of_prompt(loaded, prompt, queries) for prompt in prompts])


def expected_text(loaded: Loaded, prompt: Prompt, query: Query, *, max_tokens: int) -> str:
    """The most probable token behind all that stands before it, again and again; everything is read anew each time."""
    ends = {loaded.tokenizer.eos_token_id, loaded.model.generation_config.eos_token_id}
    written: Tokens = []
    while len(written) < max_tokens and not ends & set(written):
        written.append(int(next_logits(loaded, prompt, query, written).argmax()))
    text = [token for token in written if token not in ends]
    return str(loaded.tokenizer.decode(text, skip_special_tokens=True)).strip()


@torch.inference_mode()
def next_logits(loaded: Loaded, prompt: Prompt, query: Query, written: Tokens) -> torch.Tensor:
    """Logits of the token behind a prompt, a row and what is written so far, shape (vocabulary_size,)."""
    begin, read = _begin(loaded), _encode(loaded, query.before.rstrip())
    front = begin + _tokens_of(loaded, prompt)
    if loaded.model.config.is_encoder_decoder:
        answering = torch.tensor([_opening(loaded, fills=False)[1] + written])
        ids = front + read + _end(loaded)
        return _logits(loaded, prompt, ids, len(begin), decoder_input_ids=answering)[-1]
    ids = read if isinstance(prompt, PrefixPrompt) else front + read  # a prefix holds what begins a text
    return _logits(loaded, prompt, ids + written, len(begin))[-1]


def _of_prompt(loaded: Loaded, prompt: Prompt, queries: Sequence[Query]) -> np.ndarray:
    table = [[_likelihood(loaded, prompt, query, option) for option in query.options] for query in queries]
    found = torch.tensor(table, dtype=torch.float64)
    return (found if found.shape[1] == 1 else found.log_softmax(-1)).numpy()


@torch.inference_mode()
def _likelihood(loaded: Loaded, prompt: Prompt, query: Query, option: str) -> float:
    """The sum of the log-probabilities of an option's tokens."""
    before, tokens = _split(loaded, query, option)
    begin, end = _begin(loaded), _end(loaded)
    front = begin + _tokens_of(loaded, prompt)
    behind = _encode(loaded, query.after)
    if loaded.model.config.is_encoder_decoder:
        blank, opening = _opening(loaded, fills=len(query.options) > 1)
        read = front + before + blank + behind + end
        answering = opening + tokens[:-1]
        logits = _logits(loaded, prompt, read, len(begin), decoder_input_ids=torch.tensor([answering]))
        places = range(len(opening) - 1, len(answering))
    elif loaded.kind.keys_values:
        masks = [loaded.tokenizer.mask_token_id] * len(tokens)
        logits = _logits(loaded, prompt, front + before + masks + behind + end, len(begin))
        places = range(len(front + before), len(front + before + masks))
    else:
        if isinstance(prompt, PrefixPrompt):
            front = []  # the prefix holds what begins a text
        logits = _logits(loaded, prompt, front + before + tokens, len(begin))
        places = range(len(front + before) - 1, len(front + before + tokens) - 1)
    log_p = logits.log_softmax(-1)
    return sum(float(log_p[place, token]) for place, token in zip(places, tokens, strict=True))


def _logits(loaded: Loaded, prompt: Prompt, ids: Tokens, first: int, **settings: Any) -> torch.Tensor:
    """Logits behind a prompt that stands at `first`, shape (positions, vocabulary_size)."""
    if not isinstance(prompt, PrefixPrompt):
        with _added(loaded, prompt, first):
            return loaded.model(torch.tensor([ids]), **settings).logits[0]  # type: ignore[no-any-return]
    if not loaded.kind.keys_values:
        return _behind_cache(loaded, prompt, ids)
    more = torch.tensor([ids + [ids[0]] * prompt.n_positions])
    with _prefixed(loaded, prompt):
        if not settings:
            return loaded.model(more).logits[0]  # type: ignore[no-any-return]
        states = loaded.model.get_encoder()(more).last_hidden_state[:, : len(ids)]
    return loaded.model(encoder_outputs=(states,), **settings).logits[0]  # type: ignore[no-any-return]


def _behind_cache(loaded: Loaded, prompt: PrefixPrompt, ids: Tokens) -> torch.Tensor:
    """A decoder's logits behind keys and values in the cache of transformers."""
    cache, size = DynamicCache(), _head_size(loaded)
    for layer, pair in prompt.keys_values.items():
        keys, values = (torch.tensor(part).unflatten(-1, (-1, size)).transpose(0, 1)[None] for part in pair)
        cache.update(keys, values, layer)
    positions = torch.arange(prompt.n_positions, prompt.n_positions + len(ids))[None]
    return loaded.model(torch.tensor([ids]), past_key_values=cache, position_ids=positions).logits[0]  # type: ignore[no-any-return]


@contextmanager
def _added(loaded: Loaded, prompt: Prompt, first: int) -> Iterator[None]:
    """While open, vectors are added to what leaves the layer below, and for layer 0 to what enters it."""
    layers = attrgetter(loaded.kind.layers)(loaded.model)
    with ExitStack() as hooks:
        for layer, array in vectors_of(prompt).items():
            added, places = torch.tensor(array), slice(first, first + len(array))

            def behind(_: nn.Module, __: Any, output: Any, added: Any = added, places: slice = places) -> None:
                (output[0] if isinstance(output, tuple) else output)[:, places] += added

            def before(_: nn.Module, args: Any, added: Any = added, places: slice = places) -> None:
                there = args[0][:, places]
                there += added[: there.shape[1]]  # a row may be shorter than what a decomposed prompt has for it

            handle = (
                layers[layer - 1].register_forward_hook(behind)
                if layer
                else layers[0].register_forward_pre_hook(before)
            )
            hooks.callback(handle.remove)
        yield


@contextmanager
def _prefixed(loaded: Loaded, prompt: PrefixPrompt) -> Iterator[None]:
    """While open, the last tokens that an encoder reads are seen as the prefix, at no distance from any token."""
    n = prompt.n_positions
    with ExitStack() as hooks:
        for number, layer in enumerate(attrgetter(loaded.kind.layers)(loaded.model)):
            for path, array in zip(loaded.kind.keys_values or (), prompt.keys_values[number], strict=True):

                def replace(_: nn.Module, __: Any, output: torch.Tensor, array: np.ndarray = array) -> torch.Tensor:
                    return torch.cat([output[:, :-n], torch.tensor(array)[None]], dim=1)

                hooks.callback(attrgetter(path)(layer).register_forward_hook(replace).remove)
        if loaded.model.config.model_type in ("t5", "mt5"):

            def no_bias(_: nn.Module, __: Any, output: torch.Tensor) -> torch.Tensor:
                return torch.cat([output[:, :-n], torch.zeros_like(output[:, -n:])], dim=1)

            bias = loaded.model.encoder.block[0].layer[0].SelfAttention.relative_attention_bias
            hooks.callback(bias.register_forward_hook(no_bias).remove)
        yield


def _encode(loaded: Loaded, text: str) -> Tokens:
    return list(loaded.tokenizer(text, add_special_tokens=False).input_ids)


def _split(loaded: Loaded, query: Query, option: str) -> tuple[Tokens, Tokens]:
    before = _encode(loaded, query.before)
    return before, _encode(loaded, query.before + option)[len(before) :]


def _tokens_of(loaded: Loaded, prompt: Prompt) -> Tokens:
    if isinstance(prompt, PrefixPrompt):
        return []
    return _encode(loaded, prompt.text) if isinstance(prompt, TextPrompt) else list(prompt.token_ids)


def _begin(loaded: Loaded) -> Tokens:
    return {"plain": [], "begin": [1], "bert": [2], "roberta": [0], "t5": []}[loaded.kind.tokenizer]


def _end(loaded: Loaded) -> Tokens:
    return {"plain": [], "begin": [], "bert": [3], "roberta": [2], "t5": [1]}[loaded.kind.tokenizer]


def _opening(loaded: Loaded, *, fills: bool) -> tuple[Tokens, Tokens]:
    """The blank of an encoder-decoder, and what its decoder reads before an option."""
    if loaded.kind.tokenizer == "t5":  # <extra_id_0> is 3, and the decoder starts with the padding 0
        return ([3], [0, 3]) if fills else ([], [0])
    return ([4] if fills else []), [2, 0]  # BART's <mask>, and </s> <s>


def _head_size(loaded: Loaded) -> int:
    config = loaded.model.config
    return getattr(config, "head_dim", None) or config.hidden_size // config.num_attention_heads
