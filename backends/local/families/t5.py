"""T5 and its relatives: Flan-T5, mT5 (arXiv 1910.10683, 2210.11416, 2010.11934)."""

from typing import Any, ClassVar

from torch import Tensor

from blackbox.backends.local.attention import Heads
from blackbox.backends.local.families.base import Across, Family, Projected, asked, linear_columns


class T5(Family):
    """The encoder: norms first, no positions but a bias of the scores by distance, which all layers share."""

    causal: ClassVar[bool] = False

    def __init__(self, model: Any) -> None:
        self._model, self._stack = model, model.encoder
        self._set_up()

    def _set_up(self) -> None:
        self.layers = self._stack.block
        self._first = self.layers[0].layer[0].SelfAttention
        self.heads = Heads(self._first.n_heads, self._first.n_heads, self._first.key_value_proj_dim, 1.0)

    def embed(self, ids: Tensor, positions: Tensor) -> Tensor:
        return self._stack.embed_tokens(ids)  # type: ignore[no-any-return]

    def enter(self, layer: Any, hidden: Tensor) -> Tensor:
        return layer.layer[0].layer_norm(hidden)  # type: ignore[no-any-return]

    def project(self, layer: Any, states: Tensor, places: Any, asks: Tensor | None) -> Projected:
        attention = layer.layer[0].SelfAttention
        return attention.q(asked(states, asks)), attention.k(states), attention.v(states)

    def leave(self, layer: Any, hidden: Tensor, attended: Tensor, across: Across | None = None) -> Tensor:
        hidden = hidden + layer.layer[0].SelfAttention.o(attended)
        if across is not None:
            cross = layer.layer[1]
            queries = cross.EncDecAttention.q(cross.layer_norm(hidden))
            seen = across(queries, cross.EncDecAttention.k, cross.EncDecAttention.v)
            hidden = hidden + cross.EncDecAttention.o(seen)
        return layer.layer[-1](hidden)  # type: ignore[no-any-return]

    def finish(self, hidden: Tensor) -> Tensor:
        return self._stack.final_layer_norm(hidden)  # type: ignore[no-any-return]

    def bias(self, query_positions: Tensor, key_positions: Tensor) -> Tensor | None:
        attention = self._first
        buckets = attention._relative_position_bucket(
            key_positions[:, None, :] - query_positions[:, :, None],
            bidirectional=not self.causal,
            num_buckets=attention.relative_attention_num_buckets,
            max_distance=attention.relative_attention_max_distance,
        )
        return attention.relative_attention_bias(buckets).permute(0, 3, 1, 2)  # type: ignore[no-any-return]

    def decoder(self) -> Family | None:
        return T5Decoder(self._model)


class T5Decoder(T5):
    """The decoder, with cross-attention between its parts."""

    causal: ClassVar[bool] = True

    def __init__(self, model: Any) -> None:
        self._model, self._stack = model, model.decoder
        self._set_up()

    def logits(self, finished: Tensor, columns: Tensor | None) -> Tensor:
        scales = getattr(self._model.config, "scale_decoder_outputs", False)  # mT5 never does
        scaled = finished * self._model.model_dim**-0.5 if scales else finished
        return linear_columns(self._model.lm_head, scaled, columns)
