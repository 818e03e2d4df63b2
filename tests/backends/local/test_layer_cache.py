"""Layers that need not run again are left out, and nothing else changes: not one bit."""

from collections.abc import Callable

import numpy as np
import pytest
import torch

from blackbox.backends import DeepPrompt, TextPrompt
from blackbox.backends.local import LocalBackend
from blackbox.backends.local.layer_cache import LayerCache, State
from tests.backends.local.conftest import CONFIGS, LONG_WORDS, QUERIES

Load = Callable[..., LocalBackend]
TOKENS = (5, 9, 12)


def array(seed: int) -> np.ndarray:
    values = np.random.default_rng(seed).normal(size=(3, 32)).astype(np.float32)
    values.setflags(write=False)
    return values


def sweep(layers: range = range(4)) -> list[DeepPrompt]:
    """What a blockwise search asks: three candidates in each layer in turn, two rounds, gains kept on the way."""
    incumbent = {layer: array(layer) for layer in layers}
    prompts = []
    for round_ in range(2):
        for layer in layers:
            tries = [{**incumbent, layer: array(100 * round_ + 10 * layer + i)} for i in range(3)]
            prompts += [DeepPrompt(TOKENS, vectors) for vectors in tries]
            incumbent = tries[1] if layer % 2 else incumbent
    return prompts


@pytest.mark.parametrize("kind", sorted(CONFIGS))
@pytest.mark.parametrize("batch_tokens", [10, 1000])
def test_the_losses_of_a_sweep_are_the_same_bits_as_with_every_layer_run(
    load: Load, kind: str, batch_tokens: int
) -> None:
    prompts = [TextPrompt("it was"), *sweep(), TextPrompt("it was")]
    plain = load(kind, batch_tokens=batch_tokens, cache_bytes=0).score(prompts, QUERIES).log_probabilities
    cached = load(kind, batch_tokens=batch_tokens).score(prompts, QUERIES).log_probabilities
    assert np.array_equal(plain, cached)


def test_sets_of_rows_in_turn_keep_their_states_apart(load: Load) -> None:
    plain, cached = load(cache_bytes=0), load()
    for prompt in sweep():
        for queries in (QUERIES, LONG_WORDS, QUERIES[:2]):
            expected = plain.score([prompt], queries).log_probabilities
            assert np.array_equal(cached.score([prompt], queries).log_probabilities, expected)


def test_a_candidate_of_layer_two_runs_layers_two_and_three_only(load: Load) -> None:
    backend = load()
    runs: list[int] = []
    for index, layer in enumerate(backend._forward.layers):
        layer.mlp.register_forward_hook(lambda *_, index=index: runs.append(index))
    shared = {layer: array(layer) for layer in range(4)}
    prompts = [DeepPrompt(TOKENS, {**shared, 2: array(20 + i)}) for i in range(4)]
    backend.score(prompts, QUERIES[:1])
    # the prompt, then its row: the second prompt learns where they part, the others use it
    assert runs == [0, 1, 2, 3] * 4 + [2, 3] * 4


def test_states_never_take_more_than_the_limit(load: Load) -> None:
    limit = 2 * 12 * 32 * 4  # two rows of twelve tokens in float32
    backend = load(batch_tokens=1, cache_bytes=limit)
    for prompt in sweep():
        backend.score([prompt], QUERIES)
        assert backend._forward.cache.bytes <= limit


def test_the_least_recently_used_state_goes_first() -> None:
    cache = LayerCache(4, limit=2 * 40)
    states = {name: State(2, torch.zeros(10), {}) for name in "abc"}
    for name, state in states.items():
        cache.shortcut(name, {})
        cache.keep(name, state)
    assert cache.bytes == 80
    assert [cache.shortcut(name, {}).first for name in "abc"] == [0, 2, 2]


def test_another_array_with_the_same_numbers_is_another_layer() -> None:
    cache = LayerCache(4, limit=1000)
    first, copy = array(1), array(1)
    cache.shortcut("rows", {1: first})
    cache.keep("rows", State(3, torch.zeros(10), {1: first}))
    assert cache.shortcut("rows", {1: first}).first == 3
    assert cache.shortcut("rows", {1: copy}).first == 0


def test_a_stream_of_batches_does_not_grow_the_cache_without_end() -> None:
    cache = LayerCache(4, limit=1000)
    for number in range(3 * LayerCache.MOST_BATCHES):
        cache.shortcut(number, {})
    assert len(cache._entries) == LayerCache.MOST_BATCHES
