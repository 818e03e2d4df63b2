"""BERT and RoBERTa with their heads for masked words (arXiv 1810.04805, 1907.11692)."""

from typing import Any, ClassVar

from torch import Tensor
from torch.nn import functional

from blackbox.backends.local.attention import Heads
from blackbox.backends.local.families.base import Across, Family, Projected, asked, linear_columns


class Bert(Family):
    """Every token sees all; norms come last; learned positions and one kind of token."""

    causal: ClassVar[bool] = False
    enters_as_it_is: ClassVar[bool] = True
    recalls: ClassVar[bool] = True

    def __init__(self, model: Any) -> None:
        self._stack, self._head, self._transform = (
            model.bert,
            model.cls.predictions.decoder,
            model.cls.predictions.transform,
        )
        self._set_up(first_position=0)

    def _set_up(self, *, first_position: int) -> None:
        self.layers, self._first = self._stack.encoder.layer, first_position
        attention = self.layers[0].attention.self
        self.heads = Heads(
            attention.num_attention_heads,
            attention.num_attention_heads,
            attention.attention_head_size,
            attention.scaling,
        )

    def embed(self, ids: Tensor, positions: Tensor) -> Tensor:
        parts = self._stack.embeddings
        states = parts.word_embeddings(ids) + parts.token_type_embeddings.weight[0]
        return parts.LayerNorm(states + parts.position_embeddings(positions + self._first))  # type: ignore[no-any-return]

    def project(self, layer: Any, states: Tensor, places: Any, asks: Tensor | None) -> Projected:
        attention = layer.attention.self
        return attention.query(asked(states, asks)), attention.key(states), attention.value(states)

    def recall(self, layer: Any, states: Tensor, asks: Tensor, look: Across) -> Tensor:
        attention = layer.attention.self
        return look(attention.query(states[:, asks]), attention.key, attention.value)

    def leave(self, layer: Any, hidden: Tensor, attended: Tensor, across: Across | None = None) -> Tensor:
        hidden = layer.attention.output(attended, hidden)
        return layer.output(layer.intermediate(hidden), hidden)  # type: ignore[no-any-return]

    def logits(self, finished: Tensor, columns: Tensor | None) -> Tensor:
        return linear_columns(self._head, self._transform(finished), columns)


class Roberta(Bert):
    """BERT with positions that begin behind that of the padding, and another transform before the head."""

    def __init__(self, model: Any) -> None:
        self._stack, head = model.roberta, model.lm_head
        self._head = head.decoder
        self._transform = lambda states: head.layer_norm(functional.gelu(head.dense(states)))
        self._set_up(first_position=model.config.pad_token_id + 1)
