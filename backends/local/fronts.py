"""A model's prompts as embeddings, or as keys and values: see `blackbox.backends.fronts`.

Nothing here names an architecture. What a prompt becomes goes through the model's own inputs, `inputs_embeds` and
`past_key_values` of transformers, and is refused where the model does not answer to them as it does behind the prompt.
"""

from typing import Any

import torch
from torch import Tensor
from transformers import DynamicCache

from blackbox.backends.errors import UnsupportedPromptError
from blackbox.backends.fronts import CachedFront, EmbeddedFront
from blackbox.backends.local.placed import PlacedPrompt
from blackbox.backends.local.reading import Reading, first_position
from blackbox.backends.local.whole_forward import WholeForward

_ROW = (5, 6, 7)  # any tokens


@torch.inference_mode()
def embedded_front(whole: WholeForward, prompt: PlacedPrompt) -> EmbeddedFront:
    """See `EmbeddingBackend.embedded_front`."""
    _refuse_rows(prompt)
    if prompt.prefix or set(prompt.vectors) - {0}:
        kind = "keys and values" if prompt.prefix else "vectors for other layers than the first"
        raise UnsupportedPromptError(f"a prompt with {kind} cannot be written as embeddings")
    embed = whole.model.get_input_embeddings()
    embeddings = embed(_ids(whole, prompt.tokens))[0]
    if prompt.vectors:
        added = torch.tensor(prompt.vectors[0]).to(embeddings)
        if added.shape[1] == embeddings.shape[1]:
            embeddings = torch.cat([embeddings[: prompt.start], embeddings[prompt.start :] + added])
    row = embed(_ids(whole, _ROW))
    found = _logits(whole, inputs_embeds=torch.cat([embeddings[None], row], dim=1))
    if not _alike(whole, found, _behind(whole, prompt)):
        raise UnsupportedPromptError(
            f"between the embeddings and the first layer of model type {_type(whole)!r} stands a norm or a map, and "
            "the vectors are added behind it: no embeddings are the same"
        )
    return EmbeddedFront(embeddings.float().cpu().numpy())


@torch.inference_mode()
def cached_front(whole: WholeForward, prompt: PlacedPrompt) -> CachedFront:
    """See `CachingBackend.cached_front`."""
    _refuse_rows(prompt)
    if whole.reading is Reading.ENCODER_DECODER:
        raise UnsupportedPromptError(
            f"the cache of an encoder-decoder ({_type(whole)!r}) is the decoder's, and the prompt is the encoder's"
        )
    if whole.reading is Reading.MASKED and not prompt.prefix:
        raise UnsupportedPromptError(
            f"model type {_type(whole)!r} reads all at once, and what it makes of the prompt depends on the row"
        )
    if not whole.key_value_width():
        raise UnsupportedPromptError(f"the keys and values of model type {_type(whole)!r} are not to be had")
    heads = _by_head(whole, prompt)
    found = _behind_cache(whole, heads, prompt.tokens if prompt.prefix else ())
    if not _alike(whole, found, _behind(whole, prompt)):
        raise UnsupportedPromptError(
            f"model type {_type(whole)!r} does not answer behind a cache as it does behind this prompt"
        )
    return CachedFront(heads.numpy())


def _refuse_rows(prompt: PlacedPrompt) -> None:
    if prompt.row_vectors:
        raise UnsupportedPromptError(
            "a decomposed prompt moves the rows behind it as well, which nothing in front does"
        )


def _by_head(whole: WholeForward, prompt: PlacedPrompt) -> Tensor:
    """Keys and values, shape (n_layers, 2, n_positions, n_heads, head_size)."""
    if prompt.prefix:
        size = whole.keys_values_by_head(_ROW)[0].shape[-1]
        pairs = torch.stack([torch.tensor(prompt.vectors[layer]) for layer in sorted(prompt.vectors)])
        return pairs.reshape(*pairs.shape[:-1], -1, size)
    with whole.inserted([prompt]):
        return torch.stack(whole.keys_values_by_head(prompt.tokens))


def _behind(whole: WholeForward, prompt: PlacedPrompt) -> Tensor:
    """Logits of the row behind the prompt itself."""
    ids = _ids(whole, prompt.tokens + _ROW)
    settings = {}
    if prompt.prefix and whole.reading is Reading.CAUSAL:
        settings["position_ids"] = torch.arange(ids.shape[1], device=ids.device)[None] + prompt.n_positions
    with whole.inserted([prompt]):
        return _logits(whole, input_ids=ids, **settings)


def _behind_cache(whole: WholeForward, heads: Tensor, begin: tuple[int, ...]) -> Tensor:
    """Logits of the row behind keys and values in the cache of transformers."""
    ids = _ids(whole, begin + _ROW)
    on_device = heads.to(whole.model.device, whole.model.dtype).transpose(2, 3)[:, :, None]
    mask = torch.ones(1, heads.shape[2] + ids.shape[1], dtype=torch.long, device=ids.device)
    settings = {}
    if whole.reading is Reading.MASKED:
        first = first_position(whole.model)
        settings["position_ids"] = torch.arange(first, first + ids.shape[1], device=ids.device)[None]
    cache = DynamicCache([(keys, values) for keys, values in on_device])
    return _logits(whole, input_ids=ids, attention_mask=mask, past_key_values=cache, **settings)


def _logits(whole: WholeForward, **inputs: Any) -> Tensor:
    """At the row's tokens, or at the first of the decoder."""
    if whole.reading is Reading.ENCODER_DECODER:
        inputs["decoder_input_ids"] = _ids(whole, (whole.model.config.decoder_start_token_id,))
    logits: Tensor = whole.model(**inputs).logits[0, -len(_ROW) :]
    return logits.float()


def _ids(whole: WholeForward, tokens: tuple[int, ...]) -> Tensor:
    return torch.tensor([tokens], dtype=torch.long, device=whole.model.device)


def _alike(whole: WholeForward, found: Tensor, expected: Tensor) -> bool:
    """Up to the rounding of the model's precision."""
    tolerance = 1e-4 if whole.model.dtype == torch.float32 else 0.05
    return torch.allclose(found, expected, rtol=0.0, atol=tolerance * float(expected.abs().max()))


def _type(whole: WholeForward) -> str:
    return str(whole.model.config.model_type)
