"""What gradients change: a prompt, a prefix or weights by the package `peft`, or the vectors that BBTv2 searches.

Each begins as the starting text does: its tokens' embeddings, its tokens' keys and values, or no change at all.
"""

from collections.abc import Callable, Sequence
from typing import Any

import torch
from peft import (
    LoraConfig,
    PrefixTuningConfig,
    PromptTuningConfig,
    TaskType,
    get_peft_model,
    initialize_kv_prefix_from_past_key_values,
)
from torch import Tensor, nn

from benchmarks.few_shot.asking import Asker
from benchmarks.few_shot.fitted import UnfitError
from blackbox.backends.local import LocalBackend
from blackbox.backends.local.encoding import QueryEncoder
from blackbox.backends.local.hooks import before_layers
from blackbox.backends.local.reading import Reading, reading_of

RANK = 8

Adapter = Callable[[LocalBackend, QueryEncoder, Sequence[int]], tuple[Asker, list[nn.Parameter]]]


def prompt_tuning(
    backend: LocalBackend, encoder: QueryEncoder, start: Sequence[int]
) -> tuple[Asker, list[nn.Parameter]]:
    """Prompt tuning (arXiv 2104.08691): the embeddings in front of every row, that of a token that begins texts too.

    Raises:
        UnfitError: the model does not read left to right.
    """
    ids = _read_first(backend, encoder, start)
    model = get_peft_model(backend.model, PromptTuningConfig(task_type=TaskType.CAUSAL_LM, num_virtual_tokens=len(ids)))
    [weight] = tunable = _tunable(model)
    table = backend.model.get_input_embeddings()
    with torch.no_grad():
        weight.copy_(table(ids))
    return Asker(model, _head(backend), encoder, shift=len(ids)), tunable


def prefix_tuning(
    backend: LocalBackend, encoder: QueryEncoder, start: Sequence[int]
) -> tuple[Asker, list[nn.Parameter]]:
    """Prefix tuning (arXiv 2101.00190) without a projection, as in P-tuning v2 (arXiv 2110.07602).

    Raises:
        UnfitError: the model does not read left to right.
    """
    ids = _read_first(backend, encoder, start)
    with torch.no_grad():
        known = backend.model(input_ids=ids[None], use_cache=True).past_key_values
    model = get_peft_model(backend.model, PrefixTuningConfig(task_type=TaskType.CAUSAL_LM, num_virtual_tokens=len(ids)))
    initialize_kv_prefix_from_past_key_values(
        model, adapter_name="default", past_key_values=known, num_virtual_tokens=len(ids)
    )
    return Asker(model, _head(backend), encoder), _tunable(model)


def lora(backend: LocalBackend, encoder: QueryEncoder, start: Sequence[int]) -> tuple[Asker, list[nn.Parameter]]:
    """LoRA (arXiv 2106.09685) of rank 8 on queries and values; the starting text stands in front of every row."""
    model = get_peft_model(backend.model, LoraConfig(r=RANK, lora_alpha=2 * RANK))
    return Asker(model, _head(backend), encoder, front=(*encoder.prefix, *start)), _tunable(model)


def deep_tuning(backend: LocalBackend, encoder: QueryEncoder, start: Sequence[int]) -> tuple[Asker, list[nn.Parameter]]:
    """The vectors of BBTv2 (arXiv 2205.11200), added to what enters each layer at the starting text's tokens."""
    model, begin = backend.model, len(encoder.prefix)
    place = {"device": model.device, "dtype": model.dtype}
    shape = (len(backend.layers), len(start), model.config.hidden_size)
    vectors = nn.Parameter(torch.zeros(shape, **place))

    def add(layer: int, hidden: Tensor) -> Tensor:
        behind = hidden.shape[1] - begin - len(start)
        return hidden + nn.functional.pad(vectors[layer], (0, 0, begin, behind))

    def changed(**read: Tensor) -> Any:
        with before_layers(backend.layers, add):
            return model(**read)

    return Asker(changed, _head(backend), encoder, front=(*encoder.prefix, *start)), [vectors]


def _read_first(backend: LocalBackend, encoder: QueryEncoder, start: Sequence[int]) -> Tensor:
    """The tokens that the model reads in front of a row, shape (n_positions,)."""
    if reading_of(backend.model.config) is not Reading.CAUSAL:
        raise UnfitError("peft's prompts and prefixes are measured with models that read left to right")
    return torch.tensor([*encoder.prefix, *start], device=backend.model.device)


def _tunable(model: nn.Module) -> list[nn.Parameter]:
    return [parameter for parameter in model.parameters() if parameter.requires_grad]


def _head(backend: LocalBackend) -> Any:
    return backend.model.get_output_embeddings()


ADAPTERS: dict[str, Adapter] = {
    "prompt": prompt_tuning,
    "prefix": prefix_tuning,
    "lora": lora,
    "deep": deep_tuning,
}
"""By kind."""
