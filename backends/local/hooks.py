"""Ways into the forward pass of a causal language model of transformers.

Nothing here names an architecture: the layers are the module list that is as long as the configuration says. Prompts
enter, hidden states are read and layers are left out through hooks on the model's own forward pass, so that every model
computes exactly what it computes elsewhere.
"""

from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

from blackbox.backends.errors import BackendSettingError


def find_layers(model: Any) -> nn.ModuleList:
    """The decoder layers of a model.

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


def answers_in_tuples(model: Any, layers: nn.ModuleList) -> bool:
    """Whether the layers answer with tuples that begin with the hidden states, or with the hidden states alone."""
    answers: list[Any] = []
    handle = layers[0].register_forward_hook(lambda _module, _args, answer: answers.append(answer))
    with torch.inference_mode():
        model(input_ids=torch.zeros((1, 1), dtype=torch.long, device=model.device), use_cache=False)
    handle.remove()
    return isinstance(answers[0], tuple)


@contextmanager
def starting_at(layers: nn.ModuleList, first: int, hidden: Tensor, *, tuples: bool) -> Iterator[None]:
    """While open, the layers below `first` do not run, and `hidden` enters that one; all else stays as it is.

    Args:
        hidden: shape (sequences, positions, hidden_size).
        tuples: see `answers_in_tuples`.
    """

    def answer(*_args: Any, **_kwargs: Any) -> Any:
        return (hidden, None) if tuples else hidden

    with ExitStack() as stack:
        for layer in layers[:first]:
            stack.enter_context(_forward_is(layer, answer))
        yield


@contextmanager
def _forward_is(module: nn.Module, forward: Callable[..., Any]) -> Iterator[None]:
    """While open, a module's forward method is another one."""
    before = module.__dict__.get("forward")  # the class's own is not in the object
    module.__dict__["forward"] = forward
    try:
        yield
    finally:
        del module.__dict__["forward"]
        if before is not None:
            module.__dict__["forward"] = before


@contextmanager
def head_reads(head: Any, positions: Tensor, columns: Tensor | None = None) -> Iterator[None]:
    """While open, the output head sees only some positions of each sequence, and answers only for some tokens.

    Args:
        head: a linear map from hidden states to logits.
        positions: shape (sequences, n_read), indices of positions.
        columns: shape (n_columns,), ids of tokens; None answers for the whole vocabulary. Needs a plain `nn.Linear`.
    """

    def enter(_module: nn.Module, args: tuple[Any, ...]) -> tuple[Tensor]:
        hidden: Tensor = args[0]
        rows = torch.arange(hidden.shape[0], device=hidden.device)[:, None]
        return (hidden[rows, positions],)

    handle = head.register_forward_pre_hook(enter)
    with ExitStack() as stack:
        stack.callback(handle.remove)
        if columns is not None:
            weight, bias = head.weight[columns], None if head.bias is None else head.bias[columns]
            stack.enter_context(_forward_is(head, lambda hidden: functional.linear(hidden, weight, bias)))
        yield


def adding(
    vectors: Mapping[int, Tensor], start: int, keep: int | None, kept: list[Tensor]
) -> Callable[[int, Tensor], Tensor]:
    """The "add" insertion of BBTv2: `vectors[layer]`, shape (n_tokens, hidden_size), is added at the prompt's place.

    Args:
        start: position of the first prompt token.
        keep: the layer whose entering states, before anything is added, are put into `kept`.
    """

    def change(layer: int, hidden: Tensor) -> Tensor:
        if layer == keep:
            kept.append(hidden)
        if layer not in vectors:
            return hidden
        changed = hidden.clone()
        changed[:, start : start + len(vectors[layer])] += vectors[layer]
        return changed

    return change
