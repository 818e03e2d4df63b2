"""BART (arXiv 1910.13461)."""

from typing import Any, ClassVar

from torch import Tensor

from blackbox.backends.local.attention import Heads
from blackbox.backends.local.families.base import Across, Family, Projected, asked, linear_columns


class Bart(Family):
    """The encoder: norms last, learned positions."""

    causal: ClassVar[bool] = False
    enters_as_it_is: ClassVar[bool] = True

    def __init__(self, model: Any) -> None:
        self._model, self._stack = model, model.model.encoder
        self._set_up()

    def _set_up(self) -> None:
        self.layers = self._stack.layers
        attention = self.layers[0].self_attn
        self.heads = Heads(attention.num_heads, attention.num_heads, attention.head_dim, attention.scaling)

    def embed(self, ids: Tensor, positions: Tensor) -> Tensor:
        places = self._stack.embed_positions
        states = self._stack.embed_tokens(ids) + places.weight[positions + places.offset]
        return self._stack.layernorm_embedding(states)  # type: ignore[no-any-return]

    def project(self, layer: Any, states: Tensor, places: Any, asks: Tensor | None) -> Projected:
        attention = layer.self_attn
        return attention.q_proj(asked(states, asks)), attention.k_proj(states), attention.v_proj(states)

    def leave(self, layer: Any, hidden: Tensor, attended: Tensor, across: Across | None = None) -> Tensor:
        hidden = layer.self_attn_layer_norm(hidden + layer.self_attn.out_proj(attended))
        if across is not None:
            cross = layer.encoder_attn
            seen = across(cross.q_proj(hidden), cross.k_proj, cross.v_proj)
            hidden = layer.encoder_attn_layer_norm(hidden + cross.out_proj(seen))
        inner = layer.fc2(layer.activation_fn(layer.fc1(hidden)))
        return layer.final_layer_norm(hidden + inner)  # type: ignore[no-any-return]

    def decoder(self) -> Family | None:
        return BartDecoder(self._model)


class BartDecoder(Bart):
    """The decoder, with cross-attention between its parts."""

    causal: ClassVar[bool] = True

    def __init__(self, model: Any) -> None:
        self._model, self._stack = model, model.model.decoder
        self._set_up()

    def logits(self, finished: Tensor, columns: Tensor | None) -> Tensor:
        bias: Tensor = self._model.final_logits_bias[0]
        return linear_columns(self._model.lm_head, finished, columns) + (bias if columns is None else bias[columns])
