"""Small models with random weights, saved as folders that `from_pretrained` loads."""

from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from tokenizers import Tokenizer, models, pre_tokenizers
from transformers import AutoModelForCausalLM as Auto
from transformers import (
    BloomConfig,
    FalconConfig,
    Gemma2Config,
    GPT2Config,
    GPTNeoXConfig,
    LlamaConfig,
    OPTConfig,
    PreTrainedTokenizerFast,
    Qwen2Config,
)

from blackbox.backends import Query
from blackbox.backends.local import LocalBackend, load_backend

TEXTS = ["a quiet film about great love .", "it was bad and long", "the worst evening of my life", "great fun"]
SIZES = {"vocab_size": 120, "max_position_embeddings": 64}
WIDE = {"hidden_size": 32, "num_hidden_layers": 4, "num_attention_heads": 4}
CONFIGS = {
    "llama": LlamaConfig(**SIZES, **WIDE, intermediate_size=48, num_key_value_heads=2),
    "qwen2": Qwen2Config(**SIZES, **WIDE, intermediate_size=48, num_key_value_heads=2),
    "gemma2": Gemma2Config(**SIZES, **WIDE, intermediate_size=48, num_key_value_heads=2, head_dim=8),
    "neox": GPTNeoXConfig(**SIZES, **WIDE, intermediate_size=48),
    "gpt2": GPT2Config(vocab_size=120, n_positions=64, n_embd=32, n_layer=4, n_head=4),
    "falcon": FalconConfig(**SIZES, **WIDE),  # its layers answer in tuples, as those of Bloom do
    "bloom": BloomConfig(vocab_size=120, hidden_size=32, n_layer=4, n_head=4),
    "opt": OPTConfig(**SIZES, **WIDE, ffn_dim=48, word_embed_proj_dim=32),
}

QUERIES = [
    Query("a quiet film . it was ", ("great", "bad")),
    Query("the worst evening of my long life and it was bad , it was ", ("great", "bad")),
    Query("fun ", ("great", "bad")),
]
LONG_WORDS = [Query(query.before, ("great fun", "bad", "long life and love")) for query in QUERIES]

Save = Callable[..., Path]


@pytest.fixture(scope="session")
def saved_model(tmp_path_factory: pytest.TempPathFactory) -> Save:
    """Saves a random model of a kind with a word tokenizer; returns its folder."""

    def save(kind: str, *, seed: int = 1) -> Path:
        folder = tmp_path_factory.getbasetemp() / f"{kind}-{seed}"
        if not folder.exists():
            torch.manual_seed(seed)
            model = Auto.from_config(CONFIGS[kind])
            model.generation_config.pad_token_id = 0
            for parameter in model.parameters():
                torch.nn.init.normal_(parameter, std=0.3)  # large enough for differences to show
            model.save_pretrained(folder)
            tokenizer().save_pretrained(folder)
        return folder

    return save


@pytest.fixture
def load(saved_model: Save) -> Callable[..., LocalBackend]:
    """Loads a random model of a kind as a backend."""

    def make(kind: str = "llama", **settings: object) -> LocalBackend:
        return load_backend(str(saved_model(kind)), device="cpu", **settings)  # type: ignore[arg-type]

    return make


def tokenizer() -> PreTrainedTokenizerFast:
    """Word pieces: the words of `TEXTS`, and single letters for all others."""
    letters = [chr(code) for code in range(ord("a"), ord("z") + 1)] + [".", ","]
    pieces = ["[UNK]", *letters, *("##" + letter for letter in letters), *sorted({*" ".join(TEXTS).split()})]
    vocabulary = {piece: number for number, piece in enumerate(dict.fromkeys(pieces))}
    words = Tokenizer(models.WordPiece(vocabulary, unk_token="[UNK]"))
    words.pre_tokenizer = pre_tokenizers.Whitespace()
    return PreTrainedTokenizerFast(tokenizer_object=words, unk_token="[UNK]")
