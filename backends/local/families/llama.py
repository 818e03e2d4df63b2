"""Llama-like decoders: Llama, SmolLM, Mistral, Qwen 2 and 3 (arXiv 2302.13971, 2310.06825, 2407.10671, 2505.09388)."""

from typing import Any

from torch import Tensor

from blackbox.backends.local.attention import Heads
from blackbox.backends.local.families.base import (
    Across,
    Family,
    Projected,
    Rotation,
    asked,
    linear_columns,
    rotated,
    rotation_at,
    rotation_of,
)


class Llama(Family):
    """Norms first, rotary positions, a gated feed-forward; Qwen 3 norms queries and keys head by head."""

    def __init__(self, model: Any) -> None:
        self._stack, self._head = model.model, model.lm_head
        self.layers = self._stack.layers
        config, attention = model.config, self.layers[0].self_attn
        self.heads = Heads(
            config.num_attention_heads, config.num_key_value_heads, attention.head_dim, attention.scaling
        )

    def embed(self, ids: Tensor, positions: Tensor) -> Tensor:
        return self._stack.embed_tokens(ids)  # type: ignore[no-any-return]

    def places(self, positions: Tensor, like: Tensor) -> Any:
        return rotation_at(self._stack.rotary_emb, positions, like)

    def enter(self, layer: Any, hidden: Tensor) -> Tensor:
        return layer.input_layernorm(hidden)  # type: ignore[no-any-return]

    def project(self, layer: Any, states: Tensor, places: Any, asks: Tensor | None) -> Projected:
        attention, rotation = layer.self_attn, self._rotation(layer, places)
        queries, keys = attention.q_proj(asked(states, asks)), attention.k_proj(states)
        if hasattr(attention, "q_norm"):
            queries, keys = self._by_head(attention.q_norm, queries), self._by_head(attention.k_norm, keys)
        queries = rotated(queries, rotation_of(rotation, asks), size=self.heads.size)
        return queries, rotated(keys, rotation, size=self.heads.size), attention.v_proj(states)

    def leave(self, layer: Any, hidden: Tensor, attended: Tensor, across: Across | None = None) -> Tensor:
        hidden = hidden + layer.self_attn.o_proj(attended)
        return hidden + layer.mlp(layer.post_attention_layernorm(hidden))  # type: ignore[no-any-return]

    def finish(self, hidden: Tensor) -> Tensor:
        return self._stack.norm(hidden)  # type: ignore[no-any-return]

    def logits(self, finished: Tensor, columns: Tensor | None) -> Tensor:
        return linear_columns(self._head, finished, columns)

    def window(self, layer: Any) -> int | None:
        return getattr(layer.self_attn, "sliding_window", None)

    def _rotation(self, layer: Any, places: Any) -> Rotation:
        return places  # type: ignore[no-any-return]

    def _by_head(self, norm: Any, states: Tensor) -> Tensor:
        size = self.heads.size
        by_head = states.reshape(*states.shape[:-1], states.shape[-1] // size, size)
        return norm(by_head).reshape(states.shape)  # type: ignore[no-any-return]


class Mistral(Llama):
    """Llama's layers with one window for all; Llama's own code reads none, whatever its configuration says."""

    def window(self, layer: Any) -> int | None:
        return getattr(layer.self_attn.config, "sliding_window", None)
