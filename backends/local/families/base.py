"""The contract of a model family: what a transformer's layers do to one token at a time.

The rest - who sees whom, what prompts share, what is kept - is the same for all families and stands in `fast_forward`.
Every method takes tensors of shape (prompts or 1, tokens, width) and treats each token on its own, so that sequences
can lie packed one behind the other. A family uses the modules of the transformers model, so that what is computed is
what the model computes; nothing is copied.

A new family is one file here, a line in `families/table.py`, a small model in `tests/backends/local/models.py`, and a
class in `tests/backends/local/test_families.py` that inherits `FamilyContract` and names that model.
"""

from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import Any, ClassVar

import torch
from torch import Tensor, nn

from blackbox.backends.local.attention import Heads

Projected = tuple[Tensor, Tensor, Tensor]
Across = Callable[[Tensor, nn.Linear, nn.Linear], Tensor]
"""Queries, the map to keys and the map to values -> what is seen of states whose keys and values are not formed."""


class Family(ABC):
    """A model's stack of layers, taken apart.

    Args:
        model: of transformers.

    Attributes:
        causal: whether tokens see only those in front of them.
        enters_as_it_is: whether `enter` changes nothing and `project` is linear in what it reads, positions apart.
        recalls: whether keys do not depend on positions, so that `recall` can do without them.
        layers: the stack, a `ModuleList`; its modules are transformers' own and have no types.
        heads: sizes of its self-attention.
    """

    causal: ClassVar[bool] = True
    enters_as_it_is: ClassVar[bool] = False
    recalls: ClassVar[bool] = False
    layers: Any
    heads: Heads

    @abstractmethod
    def __init__(self, model: Any) -> None: ...

    @abstractmethod
    def embed(self, ids: Tensor, positions: Tensor) -> Tensor:
        """What enters the first layer, shape (tokens, hidden_size), for tokens and their positions, both (tokens,)."""

    def places(self, positions: Tensor, like: Tensor) -> Any:
        """What `project` must know of the positions, computed once a pass; in the precision of `like`."""
        return None

    def enter(self, layer: Any, hidden: Tensor) -> Tensor:
        """What the layer's attention reads: hidden states, normed where the norm comes first."""
        return hidden

    @abstractmethod
    def project(self, layer: Any, states: Tensor, places: Any, asks: Tensor | None) -> Projected:
        """Queries, keys and values of the attention's reading; queries at the tokens `asks` only, None is all."""

    def recall(self, layer: Any, states: Tensor, asks: Tensor, look: Across) -> Tensor:
        """What the tokens `asks` see of the states that enter the layer, through `look` instead of keys and values."""
        raise NotImplementedError

    @abstractmethod
    def leave(self, layer: Any, hidden: Tensor, attended: Tensor, across: Across | None = None) -> Tensor:
        """What leaves the layer, from what entered it and what its attention saw; of a decoder, `across` too."""

    def finish(self, hidden: Tensor) -> Tensor:
        """The norm behind the last layer."""
        return hidden

    def logits(self, finished: Tensor, columns: Tensor | None) -> Tensor:
        """Logits of the tokens `columns`, None is the whole vocabulary, from finished states."""
        raise NotImplementedError

    def bias(self, query_positions: Tensor, key_positions: Tensor) -> Tensor | None:
        """What is added to scores because of positions (sequences, q) and (sequences, k): (sequences, heads, q, k)."""
        return None

    def window(self, layer: Any) -> int | None:
        """How many positions a token sees, itself included; None is no limit."""
        return None

    def decoder(self) -> "Family | None":
        """The decoder behind this encoder; None where the stack itself answers."""
        return None


def asked(states: Tensor, asks: Tensor | None) -> Tensor:
    """The states of the tokens that are asked for."""
    return states if asks is None else states[:, asks]


def linear_columns(head: nn.Linear, states: Tensor, columns: Tensor | None) -> Tensor:
    """Some columns of a linear output head."""
    if columns is None:
        return torch.nn.functional.linear(states, head.weight, head.bias)
    bias = None if head.bias is None else head.bias[columns]
    return torch.nn.functional.linear(states, head.weight[columns], bias)


Rotation = tuple[Tensor, Tensor]


def rotated(states: Tensor, rotation: Rotation, *, size: int) -> Tensor:
    """Rotary position embedding (RoFormer, arXiv 2104.09864) of heads of `size` numbers, in halves as in GPT-NeoX.

    Args:
        states: shape (prompts, tokens, heads * size).
        rotation: cosines and sines of shape (tokens, rotary numbers); the numbers behind these are left alone.
    """
    cos, sin = (part[:, None] for part in rotation)
    width = cos.shape[-1]
    half = width // 2
    heads = states.reshape(*states.shape[:-1], states.shape[-1] // size, size)
    turned = heads[..., :width] * cos
    turned[..., :half].addcmul_(heads[..., half:width], sin[..., :half], value=-1)
    turned[..., half:].addcmul_(heads[..., :half], sin[..., half:])
    if width < size:
        turned = torch.cat([turned, heads[..., width:]], dim=-1)
    return turned.reshape(states.shape)


def rotation_at(rotary: nn.Module, positions: Tensor, like: Tensor, *names: str) -> Rotation:
    """Cosines and sines of a rotary module of transformers at positions of shape (tokens,)."""
    cos, sin = rotary(like, positions[None], *names)
    return cos[0], sin[0]


def rotation_of(rotation: Rotation, asks: Tensor | None) -> Rotation:
    """The rotation of the tokens that are asked for."""
    return rotation if asks is None else (rotation[0][asks], rotation[1][asks])
