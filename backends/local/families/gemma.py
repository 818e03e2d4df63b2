"""Gemma, Gemma 2 and the text model of Gemma 3 (arXiv 2403.08295, 2408.00118, 2503.19786)."""

from dataclasses import replace
from typing import Any

import torch
from torch import Tensor

from blackbox.backends.local.families.base import Across, Rotation, rotation_at
from blackbox.backends.local.families.llama import Llama


class Gemma(Llama):
    """Llama's layers; from Gemma 2 on norms behind each part too, soft caps and layers with a window."""

    def __init__(self, model: Any) -> None:
        super().__init__(model)
        self.heads = replace(self.heads, softcap=getattr(model.config, "attn_logit_softcapping", None))
        self._cap = getattr(model.config, "final_logit_softcapping", None)
        types = getattr(self._stack.rotary_emb, "layer_types", None)  # Gemma 3: a rotation for each kind of layer
        self._rotations = tuple(types) if isinstance(types, list) else ()

    def places(self, positions: Tensor, like: Tensor) -> Any:
        rotary = self._stack.rotary_emb
        if not self._rotations:
            return rotation_at(rotary, positions, like)
        return {name: rotation_at(rotary, positions, like, name) for name in self._rotations}

    def leave(self, layer: Any, hidden: Tensor, attended: Tensor, across: Across | None = None) -> Tensor:
        if not hasattr(layer, "pre_feedforward_layernorm"):
            return super().leave(layer, hidden, attended)
        hidden = hidden + layer.post_attention_layernorm(layer.self_attn.o_proj(attended))
        inner = layer.mlp(layer.pre_feedforward_layernorm(hidden))
        return hidden + layer.post_feedforward_layernorm(inner)  # type: ignore[no-any-return]

    def logits(self, finished: Tensor, columns: Tensor | None) -> Tensor:
        logits = super().logits(finished, columns)
        return logits if self._cap is None else self._cap * torch.tanh(logits / self._cap)

    def _rotation(self, layer: Any, places: Any) -> Rotation:
        return places[layer.self_attn.layer_type] if self._rotations else places  # type: ignore[no-any-return]
