"""GPT-NeoX and Pythia (arXiv 2204.06745, 2304.01373)."""

from typing import Any

from torch import Tensor

from blackbox.backends.local.attention import Heads
from blackbox.backends.local.families.base import (
    Across,
    Family,
    Projected,
    asked,
    linear_columns,
    rotated,
    rotation_at,
    rotation_of,
)


class NeoX(Family):
    """Norms first, attention and feed-forward side by side, rotary positions for a part of each head."""

    def __init__(self, model: Any) -> None:
        self._stack, self._head = model.gpt_neox, model.get_output_embeddings()
        self.layers = self._stack.layers
        attention, n = self.layers[0].attention, model.config.num_attention_heads
        self.heads = Heads(n, n, attention.head_size, attention.scaling)

    def embed(self, ids: Tensor, positions: Tensor) -> Tensor:
        return self._stack.embed_in(ids)  # type: ignore[no-any-return]

    def places(self, positions: Tensor, like: Tensor) -> Any:
        return rotation_at(self._stack.rotary_emb, positions, like)

    def enter(self, layer: Any, hidden: Tensor) -> Tensor:
        return layer.input_layernorm(hidden)  # type: ignore[no-any-return]

    def project(self, layer: Any, states: Tensor, places: Any, asks: Tensor | None) -> Projected:
        size = self.heads.size
        each = layer.attention.query_key_value(states).view(*states.shape[:-1], self.heads.n, 3, size)
        queries, keys, values = (each[..., part, :].flatten(-2) for part in range(3))
        queries = rotated(asked(queries, asks), rotation_of(places, asks), size=size)
        return queries, rotated(keys, places, size=size), values

    def leave(self, layer: Any, hidden: Tensor, attended: Tensor, across: Across | None = None) -> Tensor:
        seen = layer.attention.dense(attended) + hidden
        inner = hidden if layer.use_parallel_residual else seen
        return seen + layer.mlp(layer.post_attention_layernorm(inner))  # type: ignore[no-any-return]

    def finish(self, hidden: Tensor) -> Tensor:
        return self._stack.final_layer_norm(hidden)  # type: ignore[no-any-return]

    def logits(self, finished: Tensor, columns: Tensor | None) -> Tensor:
        return linear_columns(self._head, finished, columns)
