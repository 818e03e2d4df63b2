"""How a model reads, and the encoder of queries that goes with it."""

from enum import Enum
from typing import Any

from transformers import MODEL_FOR_MASKED_LM_MAPPING

from blackbox.backends.errors import BackendSettingError
from blackbox.backends.local.encoding import CausalEncoder, EncoderDecoderEncoder, MaskedEncoder, QueryEncoder

_SENTINELS = ("<extra_id_0>", "\u2581<extra_id_0>")  # as T5's vocabulary writes it, and mT5's


class Reading(Enum):
    """The three ways."""

    CAUSAL = "left to right"
    MASKED = "all at once, with masks to be filled in"
    ENCODER_DECODER = "all at once, with a decoder that answers"


def reading_of(config: Any) -> Reading:
    """How a language model of transformers reads, from its configuration."""
    if config.is_encoder_decoder:
        return Reading.ENCODER_DECODER
    masked = type(config) in MODEL_FOR_MASKED_LM_MAPPING and not getattr(config, "is_decoder", False)
    return Reading.MASKED if masked else Reading.CAUSAL


def query_encoder(model: Any, tokenizer: Any, *, single_token_labels: bool) -> QueryEncoder:
    """What makes token sequences of queries for a model.

    Raises:
        BackendSettingError: a masked model whose tokenizer has no mask, or a decoder that begins with no token.
    """
    settings: dict[str, Any] = {"single_token_labels": single_token_labels, "max_tokens": longest_sequence(model)}
    reading = reading_of(model.config)
    if reading is Reading.CAUSAL:
        return CausalEncoder(tokenizer, **settings)
    kind = model.config.model_type
    if reading is Reading.MASKED:
        if tokenizer.mask_token_id is None:
            raise BackendSettingError(f"a masked model ({kind}) needs a tokenizer with a mask token, this one has none")
        return MaskedEncoder(tokenizer, **settings)
    if model.config.decoder_start_token_id is None:
        raise BackendSettingError(f"the configuration of an encoder-decoder ({kind}) must name decoder_start_token_id")
    start = (model.config.decoder_start_token_id,)
    sentinel = _sentinel(tokenizer)
    if sentinel is not None:
        return EncoderDecoderEncoder(tokenizer, blank=sentinel, opening=(*start, sentinel), start=start, **settings)
    begin = () if tokenizer.bos_token_id is None else (tokenizer.bos_token_id,)  # of BART's decoder
    opening = (*start, *begin)
    return EncoderDecoderEncoder(tokenizer, blank=tokenizer.mask_token_id, opening=opening, start=opening, **settings)


def _sentinel(tokenizer: Any) -> int | None:
    """The token for a blank of T5 and mT5, whose decoder repeats it in front of the answer; None without one."""
    found = (tokenizer.convert_tokens_to_ids(token) for token in _SENTINELS)
    return next((token for token in found if token is not None and token != tokenizer.unk_token_id), None)


def longest_sequence(model: Any) -> int:
    """The most tokens that a model reads."""
    table = _positions(model)
    if table is not None and table.padding_idx is not None:
        return int(table.num_embeddings - first_position(model))
    return getattr(model.config, "max_position_embeddings", None) or 1_000_000


def first_position(model: Any) -> int:
    """The number of a text's first position; RoBERTa's begin behind that of the padding."""
    table = _positions(model)
    return 0 if table is None or table.padding_idx is None else int(table.padding_idx + 1)


def _positions(model: Any) -> Any:
    """The table of learned positions, where an encoder keeps one in the usual place."""
    return getattr(getattr(model.base_model, "embeddings", None), "position_embeddings", None)
