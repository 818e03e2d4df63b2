"""Models of published sizes with random weights: what an evaluation costs does not depend on the weights."""

from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from tokenizers import Tokenizer, models, pre_tokenizers
from transformers import (
    AutoModelForCausalLM,
    AutoModelForMaskedLM,
    LlamaConfig,
    PreTrainedTokenizerFast,
    RobertaConfig,
)

from blackbox.backends import Query
from blackbox.backends.local import LocalBackend

ROWS, SHORTEST, LONGEST = 32, 15, 65
"""Rows of the benchmarks, and how many tokens they have, evenly spread."""

LABELS = ("w101", "w102")
_SPECIAL = 10  # tokens that are no words: padding, mask, unknown


def roberta(size: str) -> Any:
    """RoBERTa of "base" or "large" size (arXiv 1907.11692), random weights."""
    wide: dict[str, Any] = {"hidden_size": 1024, "num_hidden_layers": 24, "num_attention_heads": 16}
    sizes = {"large": {**wide, "intermediate_size": 4096}, "base": {}}
    config = RobertaConfig(vocab_size=50265, max_position_embeddings=514, type_vocab_size=1, **sizes[size])
    return AutoModelForMaskedLM.from_config(config)


def smollm2() -> Any:
    """A decoder of SmolLM2-135M's size (arXiv 2502.02737), random weights."""
    config = LlamaConfig(
        vocab_size=49152,
        hidden_size=576,
        intermediate_size=1536,
        num_hidden_layers=30,
        num_attention_heads=9,
        num_key_value_heads=3,
        max_position_embeddings=8192,
    )
    return AutoModelForCausalLM.from_config(config)


def load(
    make: Callable[[], Any], *, device: str = "cpu", dtype: torch.dtype = torch.float32, **settings: Any
) -> LocalBackend:
    """A backend of a random model, the same weights each time."""
    torch.manual_seed(0)
    model = make().to(device, dtype)
    tokenizer = _tokenizer(model.config.vocab_size)
    return LocalBackend(model, tokenizer, name="random weights", model_hash="0", **settings)


def rows() -> list[Query]:
    """Rows of random words."""
    rng = np.random.default_rng(1)
    lengths = np.linspace(SHORTEST, LONGEST, ROWS).astype(int)
    texts = [" ".join(f"w{word}" for word in rng.integers(200, 40_000, size=length)) for length in lengths]
    return [Query(text + " ", LABELS) for text in texts]


def _tokenizer(size: int) -> PreTrainedTokenizerFast:
    """One token a word."""
    words = {(f"w{number}" if number >= _SPECIAL else f"<{number}>"): number for number in range(size)}
    whole = Tokenizer(models.WordLevel(words, unk_token="<3>"))
    whole.pre_tokenizer = pre_tokenizers.WhitespaceSplit()
    return PreTrainedTokenizerFast(tokenizer_object=whole, unk_token="<3>", pad_token="<1>", mask_token="<4>")
