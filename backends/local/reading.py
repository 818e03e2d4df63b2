"""How a model reads, and the encoder of queries that goes with it."""

from enum import Enum
from typing import Any

from blackbox.backends.local.encoding import CausalEncoder, EncoderDecoderEncoder, MaskedEncoder, QueryEncoder


class Reading(Enum):
    """The three ways."""

    CAUSAL = "left to right"
    MASKED = "all at once, with masks to be filled in"
    ENCODER_DECODER = "all at once, with a decoder that answers"


def reading_of(model: Any) -> Reading:
    """How a language model of transformers reads."""
    if model.config.is_encoder_decoder:
        return Reading.ENCODER_DECODER
    return Reading.MASKED if type(model).__name__.endswith("ForMaskedLM") else Reading.CAUSAL


def query_encoder(model: Any, tokenizer: Any, *, single_token_labels: bool) -> QueryEncoder:
    """What makes token sequences of queries for a model."""
    settings: dict[str, Any] = {"single_token_labels": single_token_labels, "max_tokens": longest_sequence(model)}
    reading = reading_of(model)
    if reading is Reading.CAUSAL:
        return CausalEncoder(tokenizer, **settings)
    if reading is Reading.MASKED:
        return MaskedEncoder(tokenizer, **settings)
    start = (model.config.decoder_start_token_id,)
    sentinel = tokenizer.convert_tokens_to_ids("<extra_id_0>")  # of T5; its decoder repeats it in front of the answer
    if sentinel is not None and sentinel != tokenizer.unk_token_id:
        return EncoderDecoderEncoder(tokenizer, blank=sentinel, opening=(*start, sentinel), start=start, **settings)
    begin = () if tokenizer.bos_token_id is None else (tokenizer.bos_token_id,)  # of BART's decoder
    opening = (*start, *begin)
    return EncoderDecoderEncoder(tokenizer, blank=tokenizer.mask_token_id, opening=opening, start=opening, **settings)


def longest_sequence(model: Any) -> int:
    """The most tokens that a model reads."""
    table = getattr(getattr(model.base_model, "embeddings", None), "position_embeddings", None)
    if table is not None and table.padding_idx is not None:
        return int(table.num_embeddings - table.padding_idx - 1)  # RoBERTa's begin behind that of the padding
    return getattr(model.config, "max_position_embeddings", None) or 1_000_000
