"""GPT-2 (Radford et al. 2019)."""

from typing import Any

from torch import Tensor
from torch.nn import functional

from blackbox.backends.local.attention import Heads
from blackbox.backends.local.families.base import Across, Family, Projected, asked, linear_columns


class GPT2(Family):
    """Norms first, learned positions; one map, of shape (inputs, outputs), for queries, keys and values."""

    def __init__(self, model: Any) -> None:
        self._stack, self._head = model.transformer, model.lm_head
        self.layers = self._stack.h
        attention = self.layers[0].attn
        self.heads = Heads(attention.num_heads, attention.num_heads, attention.head_dim, attention.head_dim**-0.5)

    def embed(self, ids: Tensor, positions: Tensor) -> Tensor:
        return self._stack.wte(ids) + self._stack.wpe(positions)  # type: ignore[no-any-return]

    def enter(self, layer: Any, hidden: Tensor) -> Tensor:
        return layer.ln_1(hidden)  # type: ignore[no-any-return]

    def project(self, layer: Any, states: Tensor, places: Any, asks: Tensor | None) -> Projected:
        weight, bias, size = layer.attn.c_attn.weight.T, layer.attn.c_attn.bias, states.shape[-1]
        queries = functional.linear(asked(states, asks), weight[:size], bias[:size])
        keys, values = functional.linear(states, weight[size:], bias[size:]).chunk(2, dim=-1)
        scaling = layer.attn.scaling / self.heads.scale  # some variants scale each layer in its own way
        return (queries if scaling == 1 else queries * scaling), keys, values

    def leave(self, layer: Any, hidden: Tensor, attended: Tensor, across: Across | None = None) -> Tensor:
        hidden = hidden + layer.attn.c_proj(attended)
        return hidden + layer.mlp(layer.ln_2(hidden))  # type: ignore[no-any-return]

    def finish(self, hidden: Tensor) -> Tensor:
        return self._stack.ln_f(hidden)  # type: ignore[no-any-return]

    def logits(self, finished: Tensor, columns: Tensor | None) -> Tensor:
        return linear_columns(self._head, finished, columns)
