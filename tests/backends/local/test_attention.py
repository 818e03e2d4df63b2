"""Attention over packed tokens against softmax, written out query by query."""

import itertools
import math

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from blackbox.backends.local.attention import Heads, Sight, attend, attend_across
from blackbox.backends.local.packing import Row, pack

LENGTHS = (3, 1, 5)
STARTS = (0, 3, 4)
TOTAL = sum(LENGTHS)
BEFORE = 2


def heads(**settings: object) -> Heads:
    return Heads(**{"n": 4, "n_kv": 2, "size": 6, "scale": 0.3, **settings})


def sight_of(visible: np.ndarray | None) -> Sight:
    """The three sequences, each token of which looks; `visible` has shape (sequences, longest, before + longest)."""
    longest = max(LENGTHS)
    table = torch.zeros(len(LENGTHS), longest, dtype=torch.long)
    back = []
    for number, (start, length) in enumerate(zip(STARTS, LENGTHS, strict=True)):
        table[number, :length] = torch.arange(start, start + length)
        back += [number * longest + place for place in range(length)]
    return Sight(table, torch.tensor(back), table, None if visible is None else torch.tensor(visible)[:, None])


def seen_by_hand(
    q: Tensor, k: Tensor, v: Tensor, *, one: Heads, sees: np.ndarray, before: tuple | None, bias: Tensor | None
) -> np.ndarray:
    """Of one prompt, one query and one head at a time."""
    answer = np.zeros((TOTAL, one.n, one.size))
    for number, (start, length) in enumerate(zip(STARTS, LENGTHS, strict=True)):
        for place, head in itertools.product(range(length), range(one.n)):
            part = slice((head * one.n_kv // one.n) * one.size, (head * one.n_kv // one.n + 1) * one.size)
            keys = [k[start + i, part] for i in range(length)]
            values = [v[start + i, part] for i in range(length)]
            if before is not None:
                keys, values = [*before[0][:, part], *keys], [*before[1][:, part], *values]
            query = q[start + place, head * one.size : (head + 1) * one.size]
            scores = [float(query @ key) * one.scale for key in keys]
            if one.softcap:
                scores = [one.softcap * math.tanh(score / one.softcap) for score in scores]
            if bias is not None:
                scores = [score + float(bias[number, head, place, i]) for i, score in enumerate(scores)]
            weights = [math.exp(score) * bool(sees[number, place, i]) for i, score in enumerate(scores)]
            for weight, value in zip(weights, values, strict=True):
                answer[start + place, head] += weight / sum(weights) * value.double().numpy()
    return answer.reshape(TOTAL, -1)


def real(n_before: int) -> np.ndarray:
    """What there is to be seen: all keys of a sequence, and those in front."""
    there = np.arange(max(LENGTHS))[None] < np.array(LENGTHS)[:, None]
    in_front = np.ones((len(LENGTHS), n_before), bool)
    return np.repeat(np.concatenate([in_front, there], axis=1)[:, None], max(LENGTHS), axis=1)


@pytest.mark.parametrize("n_prompts", [(1, 1, 1), (3, 3, 3), (1, 3, 3), (3, 1, 1)], ids=str)
@pytest.mark.parametrize("softcap", [None, 0.7])
@pytest.mark.parametrize("with_before", [False, True])
@pytest.mark.parametrize("with_bias", [False, True])
def test_it_is_softmax_over_what_is_seen(
    n_prompts: tuple[int, int, int], softcap: float | None, with_before: bool, with_bias: bool
) -> None:
    """For prompts that all agree in their queries, their keys, or neither."""
    torch.manual_seed(1)
    one, n_before = heads(softcap=softcap), BEFORE if with_before else 0
    q, k, v = (torch.randn(n, TOTAL, width) for n, width in zip(n_prompts, (24, 12, 12), strict=True))
    before = (torch.randn(3, BEFORE, 12), torch.randn(3, BEFORE, 12)) if with_before else None
    bias = torch.randn(len(LENGTHS), 4, max(LENGTHS), n_before + max(LENGTHS)) if with_bias else None
    rng = np.random.default_rng(2)
    sees = real(n_before) & (rng.random(real(n_before).shape) < 0.6)
    sees[..., n_before] = True  # something is always seen
    found = attend(q, k, v, sight=sight_of(sees), heads=one, before=before, bias=bias)
    for prompt in range(max(*n_prompts, 3 if with_before else 1)):
        mine = (tensor[min(prompt, len(tensor) - 1)] for tensor in (q, k, v))
        front = (before[0][prompt], before[1][prompt]) if before else None
        expected = seen_by_hand(*mine, one=one, sees=sees, before=front, bias=bias)
        assert np.allclose(found[prompt], expected, atol=1e-5)


def test_sequences_of_one_length_that_see_everything_need_no_mask() -> None:
    torch.manual_seed(1)
    packed = pack([Row((5, 6), (0, 1), (0, 0))] * 2, [(), ()], device=torch.device("cpu"))
    q, k, v = torch.randn(1, 4, 24), torch.randn(1, 4, 12), torch.randn(1, 4, 12)
    sight = packed.sight(causal=False, before=0, window=None, asked=False)
    assert sight.visible is None
    masked = Sight(sight.queries, sight.back, sight.keys, torch.ones(2, 1, 2, 2, dtype=torch.bool))
    found, expected = (attend(q, k, v, sight=one, heads=heads()) for one in (sight, masked))
    assert torch.allclose(found, expected, atol=1e-6)


@pytest.mark.parametrize("n_prompts", [(1, 1), (3, 3), (1, 3), (3, 1)], ids=str)
@pytest.mark.parametrize("bias", [False, True])
@pytest.mark.parametrize("all_visible", [False, True])
def test_few_queries_see_of_states_what_they_see_of_their_keys_and_values(
    n_prompts: tuple[int, int], bias: bool, all_visible: bool
) -> None:
    torch.manual_seed(3)
    one, rng = heads(n_kv=4), np.random.default_rng(4)
    key, value = nn.Linear(10, 24, bias=bias), nn.Linear(10, 24, bias=bias)
    q, states = torch.randn(n_prompts[0], TOTAL, 24), torch.randn(n_prompts[1], TOTAL, 10)
    sees = real(0) & (rng.random(real(0).shape) < 0.6)
    sees[..., 0] = True
    sight = sight_of(real(0) if all_visible else sees)
    found = attend_across(q, key, value, states=states, sight=sight, heads=one)
    expected = attend(q, key(states), value(states), sight=sight, heads=one)
    assert found.shape == (max(n_prompts), TOTAL, 24)
    assert torch.allclose(found, expected, atol=1e-5)
