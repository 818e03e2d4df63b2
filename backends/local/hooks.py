"""Ways into the forward pass of a model of transformers.

Nothing here names an architecture: the layers are the module list that is as long as the configuration says. Prompts
enter and states are read through hooks on the model's own forward pass, so that every model computes exactly what it
computes elsewhere.
"""

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional
from transformers.masking_utils import ALL_MASK_ATTENTION_FUNCTIONS
from transformers.modeling_utils import ALL_ATTENTION_FUNCTIONS

from blackbox.backends.errors import BackendSettingError
from blackbox.backends.local.attention import KeysValues

_OURS = "blackbox"  # the name of the attention below among those of transformers


def find_layers(model: Any) -> nn.ModuleList:
    """The layers of a model; of an encoder-decoder, the encoder's.

    Raises:
        BackendSettingError: there is no module list of `num_hidden_layers` modules.
    """
    count = model.config.num_hidden_layers
    for module in model.modules():
        if isinstance(module, nn.ModuleList) and len(module) == count:
            return module
    raise BackendSettingError(
        f"model {type(model).__name__!r} has no list of {count} layers; deep prompts need a model whose layers "
        "can be found"
    )


@contextmanager
def before_layers(layers: nn.ModuleList, change: Callable[[int, Tensor], Tensor]) -> Iterator[None]:
    """While open, `change(layer, hidden_states)` replaces the hidden states entering each layer.

    Hidden states have shape (sequences, positions, hidden_size).
    """

    def hook(index: int) -> Callable[..., Any]:
        def enter(_module: nn.Module, args: tuple[Any, ...], kwargs: dict[str, Any]) -> tuple[Any, dict[str, Any]]:
            if args:
                return (change(index, args[0]), *args[1:]), kwargs
            return args, {**kwargs, "hidden_states": change(index, kwargs["hidden_states"])}

        return enter

    handles = [layer.register_forward_pre_hook(hook(i), with_kwargs=True) for i, layer in enumerate(layers)]
    try:
        yield
    finally:
        for handle in handles:
            handle.remove()


@contextmanager
def head_reads(head: nn.Module, positions: Tensor, look: Callable[[Tensor], None] | None = None) -> Iterator[None]:
    """While open, the output head sees only some positions of each sequence.

    Args:
        positions: shape (sequences, n_read), indices of positions.
        look: is shown what it sees, shape (sequences, n_read, width).
    """

    def enter(_module: nn.Module, args: tuple[Any, ...]) -> tuple[Tensor]:
        hidden: Tensor = args[0]
        rows = torch.arange(hidden.shape[0], device=hidden.device)[:, None]
        seen = hidden[rows, positions]
        if look is not None:
            look(seen)
        return (seen,)

    handle = head.register_forward_pre_hook(enter)
    try:
        yield
    finally:
        handle.remove()


@contextmanager
def head_is_given(head: nn.Module, outputs: Tensor) -> Iterator[None]:
    """While open, the output head sees these outputs, shape (1, n, width), whatever the model reads."""
    handle = head.register_forward_pre_hook(lambda _module, _args: (outputs,))
    try:
        yield
    finally:
        handle.remove()


def takes_prefixes(model: Any, layers: nn.ModuleList) -> bool:
    """Whether `in_front_of_keys` reaches the attention of these layers."""
    asks = any(hasattr(sys.modules[type(module).__module__], "eager_attention_forward") for module in layers.modules())
    return asks and bool(getattr(model, "_supports_attention_backend", False) or model.config.is_encoder_decoder)


@contextmanager
def in_front_of_keys(
    model: Any, layers: nn.ModuleList, change: Callable[[int, Tensor, Tensor], KeysValues]
) -> Iterator[None]:
    """While open, `change(layer, keys, values)` replaces the keys and values of the layers' self-attention.

    Keys and values have shape (sequences, heads, positions, head_size). More of them than before stand in front, where
    all tokens see them, in a layer with a window those that are near enough.
    """
    numbers = {id(module): number for number, layer in enumerate(layers) for module in layer.modules()}

    def attention(
        module: nn.Module, query: Tensor, key: Tensor, value: Tensor, attention_mask: Tensor | None, **kwargs: Any
    ) -> tuple[Tensor, Tensor | None]:
        own = key.shape[2]
        if id(module) in numbers:
            key, value = change(numbers[id(module)], key, value)
        more = (key.shape[2] - own, 0)
        if attention_mask is not None:
            attention_mask = _with_front(attention_mask, more[0], kwargs.get("sliding_window"))
        if kwargs.get("position_bias") is not None:
            kwargs["position_bias"] = functional.pad(kwargs["position_bias"], more)
        plain = sys.modules[type(module).__module__].eager_attention_forward
        answer: tuple[Tensor, Tensor | None] = plain(module, query, key, value, attention_mask, **kwargs)
        return answer

    configs = {id(module.config): module.config for module in model.modules() if hasattr(module, "config")}
    before = {number: config._attn_implementation for number, config in configs.items()}
    ALL_ATTENTION_FUNCTIONS.register(_OURS, attention)
    ALL_MASK_ATTENTION_FUNCTIONS.register(_OURS, ALL_MASK_ATTENTION_FUNCTIONS["eager"])
    try:
        for config in configs.values():
            config._attn_implementation = _OURS
        yield
    finally:
        for number, config in configs.items():
            config._attn_implementation = before[number]


def _with_front(mask: Tensor, n: int, window: int | None) -> Tensor:
    """A mask that is added to scores, shape (..., queries, keys), with `n` keys more in front of all others."""
    front = mask.new_zeros(mask.shape[-2], n)
    if window is not None:
        distances = torch.arange(n, n + len(front))[:, None] - torch.arange(n)
        front = front.masked_fill((distances >= window).to(mask.device), torch.finfo(mask.dtype).min)
    return torch.cat([front.expand(*mask.shape[:-2], -1, -1), mask], dim=-1)
