"""Small models with random weights: one of every kind that is loaded, larger weights than a training starts from."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from transformers import (
    AutoModelForCausalLM,
    AutoModelForMaskedLM,
    AutoModelForSeq2SeqLM,
    BartConfig,
    BertConfig,
    BloomConfig,
    CamembertConfig,
    FalconConfig,
    Gemma2Config,
    Gemma3TextConfig,
    GemmaConfig,
    GPT2Config,
    GPTNeoXConfig,
    LlamaConfig,
    MistralConfig,
    MT5Config,
    OPTConfig,
    Qwen2Config,
    Qwen3Config,
    RobertaConfig,
    T5Config,
    XLMRobertaConfig,
)

from tests.backends.local.tokenizers import word_tokenizer

_WINDOW = 5  # shorter than the rows
_NO_ENDS = {"bos_token_id": None, "eos_token_id": None}
_BEGINS = {"bos_token_id": 1, "eos_token_id": 2, "pad_token_id": None}
SIZES = {"vocab_size": 120, "max_position_embeddings": 64}
WIDE = {"hidden_size": 32, "num_hidden_layers": 4, "num_attention_heads": 4}
_LLAMA = {**SIZES, **WIDE, "intermediate_size": 48, "num_key_value_heads": 2}
_GEMMA = {**_LLAMA, "head_dim": 12}
_GEMMA3 = {**_GEMMA, **_BEGINS, "query_pre_attn_scalar": 9, "sliding_window": _WINDOW}
_GPT2 = {"vocab_size": 120, "n_positions": 64, "n_embd": 32, "n_layer": 4, "n_head": 4, **_NO_ENDS}
_OPT = {**SIZES, **WIDE, "ffn_dim": 48}
_NEOX = _BERT = {**SIZES, **WIDE, "intermediate_size": 48}
_T5 = {
    **{"vocab_size": 120, "d_model": 32, "d_kv": 6, "d_ff": 48, "num_layers": 4, "num_decoder_layers": 3},
    **{"num_heads": 4, "relative_attention_num_buckets": 8, "relative_attention_max_distance": 10},
    **{"decoder_start_token_id": 0},
}
_BART = {
    **{"d_model": 32, "encoder_layers": 4, "decoder_layers": 3},
    **{"encoder_attention_heads": 4, "decoder_attention_heads": 2},
}
_BERT_KEYS_VALUES = ("attention.self.key", "attention.self.value")
_T5_KEYS_VALUES = ("layer.0.SelfAttention.k", "layer.0.SelfAttention.v")


@dataclass(frozen=True)
class Kind:
    """A configuration, and what the tests must know of the model that it makes.

    Attributes:
        layers: where its layers are; of an encoder-decoder, the encoder's.
        tokenizer: the style of its tokenizer.
        keys_values: where the maps to keys and values are in a layer; needed where there is an encoder.
        std: of all weights, and of biases and norms about 0 and 1: large enough for differences to show.
    """

    config: Any
    layers: str
    tokenizer: str = "plain"
    keys_values: tuple[str, str] | None = None
    std: float = 0.3

    @property
    def load_class(self) -> Any:
        """The class of transformers that makes it."""
        if self.config.is_encoder_decoder:
            return AutoModelForSeq2SeqLM
        return AutoModelForMaskedLM if self.keys_values else AutoModelForCausalLM


CAUSAL = {
    "llama": Kind(LlamaConfig(**_LLAMA, **_BEGINS, attention_bias=True), "model.layers", "begin"),
    "mistral": Kind(MistralConfig(**_LLAMA, **_BEGINS, sliding_window=_WINDOW), "model.layers", "begin"),
    "qwen2": Kind(
        Qwen2Config(**_LLAMA, use_sliding_window=True, sliding_window=_WINDOW, max_window_layers=2, pad_token_id=None),
        "model.layers",
    ),
    "qwen3": Kind(Qwen3Config(**_LLAMA, head_dim=12, pad_token_id=None), "model.layers"),
    "gemma": Kind(GemmaConfig(**_GEMMA, **_BEGINS), "model.layers", "begin"),
    "gemma2": Kind(
        Gemma2Config(**_GEMMA3, attn_logit_softcapping=1.0, final_logit_softcapping=2.0), "model.layers", "begin"
    ),
    "gemma3": Kind(
        Gemma3TextConfig(**_GEMMA3, layer_types=["sliding_attention", "full_attention"] * 2), "model.layers", "begin"
    ),
    "gpt2": Kind(GPT2Config(**_GPT2), "transformer.h"),
    "gpt2 scaled by layer": Kind(GPT2Config(**_GPT2, scale_attn_by_inverse_layer_idx=True), "transformer.h"),
    "opt": Kind(OPTConfig(**_OPT, word_embed_proj_dim=32), "model.decoder.layers", "roberta"),
    "opt norm last": Kind(
        OPTConfig(**_OPT, word_embed_proj_dim=20, do_layer_norm_before=False), "model.decoder.layers", "roberta"
    ),
    "neox": Kind(GPTNeoXConfig(**_NEOX), "gpt_neox.layers"),
    "neox in turn": Kind(
        GPTNeoXConfig(
            **_NEOX,
            use_parallel_residual=False,
            rope_parameters={"rope_type": "default", "rope_theta": 10000.0, "partial_rotary_factor": 0.5},
        ),
        "gpt_neox.layers",
    ),
}
MASKED = {
    "bert": Kind(BertConfig(**_BERT), "bert.encoder.layer", "bert", _BERT_KEYS_VALUES),
    "roberta": Kind(
        RobertaConfig(**_BERT, pad_token_id=1),
        "roberta.encoder.layer",
        "roberta",
        _BERT_KEYS_VALUES,
    ),
}
ENCODER_DECODER = {
    "t5": Kind(T5Config(**_T5), "encoder.block", "t5", _T5_KEYS_VALUES),
    "t5 gated": Kind(
        T5Config(**_T5, feed_forward_proj="gated-gelu", tie_word_embeddings=False),
        "encoder.block",
        "t5",
        _T5_KEYS_VALUES,
        std=0.2,
    ),
    "bart": Kind(
        BartConfig(**SIZES, **_BART, encoder_ffn_dim=48, decoder_ffn_dim=40, scale_embedding=True),
        "model.encoder.layers",
        "roberta",
        ("self_attn.k_proj", "self_attn.v_proj"),
    ),
}
RELATIVES = {  # models of other names that families above serve as they are
    "mt5": Kind(MT5Config(**_T5, feed_forward_proj="gated-gelu"), "encoder.block", "t5", _T5_KEYS_VALUES, std=0.2),
    "camembert": Kind(CamembertConfig(**_BERT, pad_token_id=1), "roberta.encoder.layer", "roberta", _BERT_KEYS_VALUES),
    "xlm-roberta": Kind(
        XLMRobertaConfig(**_BERT, pad_token_id=1), "roberta.encoder.layer", "roberta", _BERT_KEYS_VALUES
    ),
}
WITH_FAMILY = {**CAUSAL, **MASKED, **ENCODER_DECODER}
WITHOUT_FAMILY = {
    "falcon": Kind(FalconConfig(**SIZES, **WIDE), "transformer.h"),  # its layers answer in tuples, as Bloom's do
    "bloom": Kind(BloomConfig(vocab_size=120, hidden_size=32, n_layer=4, n_head=4), "transformer.h"),
}
KINDS = {**WITH_FAMILY, **RELATIVES, **WITHOUT_FAMILY}


def save_model(kind: Kind, folder: Path, *, seed: int) -> None:
    """Save a random model and its tokenizer."""
    torch.manual_seed(seed)
    model = kind.load_class.from_config(kind.config)
    for name, parameter in model.named_parameters():
        torch.nn.init.normal_(parameter, mean=float(parameter.ndim == 1 and name.endswith("weight")), std=kind.std)
    for name, buffer in model.named_buffers():
        if name.endswith("final_logits_bias"):
            torch.nn.init.normal_(buffer, std=kind.std)
    model.save_pretrained(folder)
    word_tokenizer(kind.tokenizer).save_pretrained(folder)
