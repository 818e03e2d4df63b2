"""OPT (arXiv 2205.01068)."""

from typing import Any

from torch import Tensor

from blackbox.backends.local.attention import Heads
from blackbox.backends.local.families.base import Across, Family, Projected, asked, linear_columns


class OPT(Family):
    """Learned positions from 2 on; norms first, but for the 350M model, where they come last."""

    def __init__(self, model: Any) -> None:
        self._stack, self._head = model.model.decoder, model.lm_head
        self.layers = self._stack.layers
        attention = self.layers[0].self_attn
        self.heads = Heads(attention.num_heads, attention.num_heads, attention.head_dim, attention.scaling)

    def embed(self, ids: Tensor, positions: Tensor) -> Tensor:
        words, places = self._stack.embed_tokens(ids), self._stack.embed_positions
        if self._stack.project_in is not None:
            words = self._stack.project_in(words)
        return words + places.weight[positions + places.offset]  # type: ignore[no-any-return]

    def enter(self, layer: Any, hidden: Tensor) -> Tensor:
        return layer.self_attn_layer_norm(hidden) if layer.do_layer_norm_before else hidden

    def project(self, layer: Any, states: Tensor, places: Any, asks: Tensor | None) -> Projected:
        attention = layer.self_attn
        return attention.q_proj(asked(states, asks)), attention.k_proj(states), attention.v_proj(states)

    def leave(self, layer: Any, hidden: Tensor, attended: Tensor, across: Across | None = None) -> Tensor:
        first = layer.do_layer_norm_before
        hidden = hidden + layer.self_attn.out_proj(attended)
        hidden = hidden if first else layer.self_attn_layer_norm(hidden)
        inner = layer.final_layer_norm(hidden) if first else hidden
        hidden = hidden + layer.fc2(layer.activation_fn(layer.fc1(inner)))
        return hidden if first else layer.final_layer_norm(hidden)

    def finish(self, hidden: Tensor) -> Tensor:
        if self._stack.final_layer_norm is not None:
            hidden = self._stack.final_layer_norm(hidden)
        return hidden if self._stack.project_out is None else self._stack.project_out(hidden)

    def logits(self, finished: Tensor, columns: Tensor | None) -> Tensor:
        return linear_columns(self._head, finished, columns)
