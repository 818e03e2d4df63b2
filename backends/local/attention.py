"""Attention over sequences that lie packed, one behind the other without padding, for several prompts at once.

Everything else in a transformer's layer looks at one token at a time and does not mind where a sequence ends. Tensors
have a first axis for the prompts; it has length 1 as long as all prompts of a pass agree, and is spread only where they
part.
"""

from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional


@dataclass(frozen=True)
class Heads:
    """Sizes of an attention.

    Attributes:
        n: query heads.
        n_kv: key and value heads; each serves n / n_kv query heads (arXiv 2305.13245).
        size: numbers in a head.
        scale: what scores are multiplied by.
        softcap: bound c of the scores, c tanh(score / c) (Gemma 2, arXiv 2408.00118); None is no bound.
    """

    n: int
    n_kv: int
    size: int
    scale: float
    softcap: float | None = None


@dataclass(frozen=True)
class Sight:
    """Who sees whom: sequences in a batch, their tokens as indices of packed ones.

    Attributes:
        queries: shape (sequences, q), packed index of each token that looks; 0 where a sequence has ended.
        back: shape (n_queries,), index of each packed query among the `sequences * q`.
        keys: shape (sequences, k), packed index of each token that is looked at; 0 where a sequence has ended.
        visible: bool, shape (sequences, 1, q, before + k): what may be looked at, with `before` keys that stand in
            front of every sequence. None: everything.
    """

    queries: Tensor
    back: Tensor
    keys: Tensor
    visible: Tensor | None


KeysValues = tuple[Tensor, Tensor]


def attend(
    queries: Tensor,
    keys: Tensor,
    values: Tensor,
    *,
    sight: Sight,
    heads: Heads,
    before: KeysValues | None = None,
    bias: Tensor | None = None,
) -> Tensor:
    """Scaled dot-product attention (arXiv 1706.03762).

    Args:
        queries: shape (prompts or 1, n_queries, heads * size).
        keys, values: shape (prompts or 1, n_keys, kv_heads * size).
        before: keys and values in front of every sequence, each of shape (prompts or 1, before, kv_heads * size).
        bias: added to the scores, shape (sequences or 1, heads, q, before + k).

    Returns:
        Shape (prompts or 1, n_queries, heads * size).
    """
    n_sequences, length = sight.queries.shape
    q, k, v = queries[:, sight.queries], keys[:, sight.keys], values[:, sight.keys]
    if before is not None:
        front = (one[:, None].expand(-1, n_sequences, -1, -1) for one in before)
        k, v = (torch.cat(_same_prompts(one, two), dim=2) for one, two in zip(front, (k, v), strict=True))
    q, k, v = _same_prompts(q, k, v)
    prompts = len(q)
    q = q.reshape(-1, length, heads.n, heads.size).transpose(1, 2)
    k, v = (one.reshape(-1, one.shape[2], heads.n_kv, heads.size).transpose(1, 2) for one in (k, v))
    mask = _mask(sight.visible, bias, prompts, q.dtype)
    seen = _softcapped(q, k, v, mask, heads) if heads.softcap else _plain(q, k, v, mask, heads)
    return seen.transpose(1, 2).reshape(prompts, n_sequences * length, -1)[:, sight.back]


def attend_across(
    queries: Tensor, key: nn.Linear, value: nn.Linear, *, states: Tensor, sight: Sight, heads: Heads
) -> Tensor:
    """Attention of a few queries to states whose keys and values are never formed.

    With q the query, a head's scores are q . (W_k x + b_k) = (W_k^T q) . x + q . b_k, whose last term is the same for
    all x and leaves the softmax alone; its answer is W_v (sum of weight * x) + b_v. For m queries and hidden size h
    this is m * heads * h operations a state where keys and values take h * h each.

    Args:
        queries: shape (prompts or 1, n_queries, heads * size).
        key, value: the maps to keys and values, heads * size numbers each.
        states: shape (prompts or 1, n_states, hidden_size).

    Returns:
        Shape (prompts, n_queries, heads * size).
    """
    n_sequences, length = sight.queries.shape
    q, x = _same_prompts(queries[:, sight.queries], states[:, sight.keys])
    prompts, hidden_size = len(q), x.shape[-1]
    q = q.reshape(-1, length, heads.n, heads.size)
    x = x.reshape(prompts * n_sequences, -1, hidden_size)
    absorbed = torch.einsum("slhd,hdm->slhm", q, key.weight.view(heads.n, heads.size, hidden_size))
    scores = torch.matmul(absorbed.flatten(1, 2), x.transpose(1, 2)) * heads.scale
    if sight.visible is not None:
        visible = sight.visible[:, 0].repeat_interleave(heads.n, dim=1).repeat(prompts, 1, 1)
        scores = scores.masked_fill(~visible, -torch.inf)
    mixed = torch.matmul(torch.softmax(scores, dim=-1), x).view(-1, length, heads.n, hidden_size)
    answer = torch.einsum("slhm,hdm->slhd", mixed, value.weight.view(heads.n, heads.size, hidden_size)).flatten(2)
    if value.bias is not None:
        answer = answer + value.bias
    return answer.reshape(prompts, n_sequences * length, -1)[:, sight.back]


def _plain(q: Tensor, k: Tensor, v: Tensor, mask: Tensor | None, heads: Heads) -> Tensor:
    grouped = heads.n_kv < heads.n
    if grouped and q.is_cuda:  # its fast kernels take no groups beside a mask
        k, v = (one.repeat_interleave(heads.n // heads.n_kv, dim=1) for one in (k, v))
        grouped = False
    return functional.scaled_dot_product_attention(q, k, v, attn_mask=mask, scale=heads.scale, enable_gqa=grouped)


def _softcapped(q: Tensor, k: Tensor, v: Tensor, mask: Tensor | None, heads: Heads) -> Tensor:
    k, v = (one.repeat_interleave(heads.n // heads.n_kv, dim=1) for one in (k, v))
    scores = torch.matmul(q, k.transpose(2, 3)) * heads.scale
    scores = heads.softcap * torch.tanh(scores / heads.softcap)  # type: ignore[operator]
    if mask is not None:
        scores = scores.masked_fill(~mask, -torch.inf) if mask.dtype == torch.bool else scores + mask
    return torch.matmul(torch.softmax(scores.float(), dim=-1).to(v.dtype), v)


def _mask(visible: Tensor | None, bias: Tensor | None, prompts: int, dtype: torch.dtype) -> Tensor | None:
    """For all prompts, shape (prompts * sequences, 1 or heads, q, before + k): what is visible, with the bias."""
    if bias is not None:
        mask = bias.to(dtype) if visible is None else bias.to(dtype).masked_fill(~visible, -torch.inf)
    elif visible is not None:
        mask = visible
    else:
        return None
    return mask.repeat(prompts, 1, 1, 1) if prompts > 1 and len(mask) > 1 else mask


def _same_prompts(*tensors: Tensor) -> list[Tensor]:
    """The tensors with a first axis of the same length: those of length 1 are spread, without a copy."""
    prompts = max(len(tensor) for tensor in tensors)
    return [tensor.expand(prompts, *tensor.shape[1:]) for tensor in tensors]
