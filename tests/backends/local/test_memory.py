"""What states take is told in advance, and passes that do not fit are cut until they do."""

from collections.abc import Iterator
from contextlib import contextmanager
from operator import attrgetter
from weakref import ReferenceType, ref

import numpy as np
import pytest
import torch

from blackbox.backends import ModelMemoryError, TextPrompt
from blackbox.backends.local import LocalBackend
from tests.backends.local.candidates import TOKENS, deep, deep_sweep, prefix, scores_of
from tests.backends.local.conftest import Load, Loaded
from tests.backends.local.rows import LABELS, WORDS

PARTS = {"llama": "mlp", "bert": "intermediate", "bart": "fc1", "t5": "layer.1.DenseReluDense.wi"}
"""Of each kind, a part of every layer that reads all its tokens."""


@contextmanager
def memory_for(loaded: Loaded, most_tokens: int) -> Iterator[list["ReferenceType[torch.Tensor]"]]:
    """While open, layer 1 runs out of memory where it reads more tokens; what was read when it did."""
    read: list[ReferenceType[torch.Tensor]] = []
    layer = attrgetter(loaded.kind.layers)(loaded.model)[1]

    def enter(_module: object, args: tuple[torch.Tensor, ...]) -> None:
        n_tokens = args[0].shape[:-1].numel()
        if n_tokens > most_tokens:
            read.append(ref(args[0]))
            raise torch.OutOfMemoryError(f"out of memory in this test: {n_tokens} tokens")

    handle = attrgetter(PARTS[loaded.model.config.model_type])(layer).register_forward_pre_hook(enter)
    try:
        yield read
    finally:
        handle.remove()


@pytest.mark.parametrize("kind", sorted(PARTS))
@pytest.mark.parametrize("most_tokens", [150, 60, 32])
def test_passes_that_run_out_of_memory_are_cut_and_score_the_same(
    load: Load, loaded: Load, kind: str, most_tokens: int
) -> None:
    backend, prompts = load(kind), [TextPrompt("it was"), *(deep(0, 3, seed=seed) for seed in range(5))]
    expected = backend.score(prompts, WORDS).log_probabilities
    with memory_for(loaded(kind), most_tokens) as failed:
        found = backend.score(prompts, WORDS).log_probabilities
    assert failed
    assert np.allclose(found, expected, atol=1e-4)


def test_prompts_whose_own_tokens_run_out_of_memory_are_read_in_smaller_numbers(load: Load, loaded: Load) -> None:
    """Sixteen prompts of four tokens where forty fit; each row fits easily."""
    backend, prompts = load(), [deep(0, seed=seed) for seed in range(16)]
    expected = backend.score(prompts, LABELS[::2]).log_probabilities
    with memory_for(loaded("llama"), 40) as failed:
        found = backend.score(prompts, LABELS[::2]).log_probabilities
    assert failed
    assert np.allclose(found, expected, atol=1e-4)


@pytest.mark.parametrize("kind", sorted(PARTS))
@pytest.mark.parametrize("most_tokens", [150, 60, 32])
def test_what_did_not_fit_once_is_not_tried_again(load: Load, loaded: Load, kind: str, most_tokens: int) -> None:
    backend, prompts = load(kind), [TextPrompt("it was"), *(deep(0, 3, seed=seed) for seed in range(5))]
    with memory_for(loaded(kind), most_tokens) as failed:
        first = backend.score(prompts, WORDS).log_probabilities
        before = len(failed)
        again = backend.score(prompts, WORDS).log_probabilities
    assert 0 < before == len(failed)
    assert np.allclose(first, again, atol=1e-4)


def test_a_model_run_whole_is_cut_as_well(load: Load, loaded: Load) -> None:
    backend = load(shortcuts=False)
    expected = backend.score([deep(1)], WORDS).log_probabilities
    with memory_for(loaded("llama"), 80) as failed:
        found = backend.score([deep(1)], WORDS).log_probabilities
    assert failed
    assert np.allclose(found, expected, atol=1e-4)


@pytest.mark.parametrize("shortcuts", [True, False])
def test_a_single_row_that_does_not_fit_is_an_error_that_tells_its_length(
    load: Load, loaded: Load, shortcuts: bool
) -> None:
    backend = load(shortcuts=shortcuts)
    with memory_for(loaded("llama"), 10), pytest.raises(ModelMemoryError, match="a row of 18 tokens does not fit"):
        backend.score([deep(1), deep(2)], LABELS)


def test_what_a_failed_pass_held_is_free_when_it_is_tried_again(load: Load, loaded: Load) -> None:
    backend, held = load(), []
    with memory_for(loaded("llama"), 32) as failed:
        part = loaded("llama").model.model.layers[1].mlp
        look = part.register_forward_pre_hook(lambda *_: held.extend(one() for one in failed if one() is not None))
        backend.score([deep(0, seed=seed) for seed in range(5)], WORDS)
        look.remove()
    assert len(failed) > 1
    assert not held


def test_a_search_goes_on_after_it_ran_out_of_memory(load: Load, loaded: Load) -> None:
    slices, backend = deep_sweep(), load()
    expected = scores_of(load(), slices, LABELS)
    half = len(slices) // 2
    with memory_for(loaded("llama"), 50):
        found = [scores_of(backend, slices[:half], LABELS)]
    found.append(scores_of(backend, slices[half:], LABELS))
    assert np.allclose(np.concatenate(found), expected, atol=1e-4)


@pytest.mark.parametrize("kind", ["llama", "gpt2", "gemma2", "opt norm last", "bert", "t5", "bart"])
def test_the_cache_takes_what_was_told_in_advance(load: Load, kind: str) -> None:
    backend = load(kind, batch_tokens=30)
    told = backend.cache_bytes_needed(TOKENS, WORDS)
    largest = 0
    for prompts in deep_sweep()[:4]:
        backend.score(prompts, WORDS)
        largest = max(largest, backend.cache_bytes)
    assert told == pytest.approx(largest, rel=0.2)


def test_a_model_run_whole_keeps_nothing_and_says_so(load: Load) -> None:
    backend = load("bloom")
    assert backend.cache_bytes_needed(TOKENS, WORDS) == 0
    scores_of(backend, deep_sweep()[:2], WORDS)
    assert backend.cache_bytes == 0


def test_a_cache_of_the_size_that_was_told_keeps_every_batch_of_a_search(load: Load) -> None:
    backend: LocalBackend = load(batch_tokens=30)
    limited = load(batch_tokens=30, cache_bytes=backend.cache_bytes_needed(TOKENS, WORDS))
    for prompts in deep_sweep():
        backend.score(prompts, WORDS)
        limited.score(prompts, WORDS)
        assert limited.cache_bytes == backend.cache_bytes


def test_keys_and_values_of_a_prefix_are_not_kept_twice(load: Load) -> None:
    backend = load()
    for seed in range(3):
        backend.score([prefix(backend, 3, seed=seed)], LABELS)
    batches = backend._batches(LABELS, n_before=4, extra=0)
    rows = sum(len(sequence.ids) for batch in batches for sequence in batch.sequences)
    assert backend.cache_bytes == rows * 32 * 4
