"""bfloat16 on a processor without it: products of rounded numbers, added up in float32, every result rounded.

That is what instructions for bfloat16 do; where a model's code goes on in float32 for a while (norms), this rounds once
more than they would.
"""

from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_map_only

from blackbox.backends import Prompt, Query, Scores
from blackbox.backends.local import LocalBackend


class RoundedBackend:
    """A float32 backend, its weights and all that is computed with them rounded; the weights stay so."""

    def __init__(self, backend: LocalBackend) -> None:
        self._backend = backend
        for parameter in backend.model.parameters():
            parameter.data = _rounded(parameter.data)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._backend, name)

    def score(self, prompts: Sequence[Prompt], queries: Sequence[Query]) -> Scores:
        """See `Backend.score`."""
        with _Rounding():
            return self._backend.score(prompts, queries)


class _Rounding(TorchDispatchMode):
    """While active, whatever an operation makes in float32 has the digits of bfloat16."""

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        made = func(*args, **(kwargs or {}))
        if func.is_view:  # has them already, and must stay a view
            return made
        rounding: Callable[[Tensor], Tensor] = _in_place if func._schema.is_mutable else _rounded
        return tree_map_only(Tensor, rounding, made)


def _rounded(values: Tensor) -> Tensor:
    return values.bfloat16().float() if values.dtype == torch.float32 else values


def _in_place(values: Tensor) -> Tensor:
    return values.copy_(_rounded(values))
