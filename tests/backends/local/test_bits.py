"""The same call has the same answer bit for bit, whatever was asked before."""

import numpy as np
import pytest

from blackbox.backends import Prompt, TextPrompt
from blackbox.backends.local import LocalBackend
from tests.backends.local.candidates import (
    TOKENS,
    Sweep,
    deep,
    deep_sweep,
    of_every_kind,
    prefix,
    prefix_sweep,
    scores_of,
)
from tests.backends.local.conftest import Load
from tests.backends.local.rows import BEFORE_A_TEXT, LABELS, TARGETS, WORDS

KINDS = ["llama", "roberta", "t5"]


def sweep_of(backend: LocalBackend) -> Sweep:
    """A search in slices of three candidates: deep prompts, then prefixes."""
    return [*deep_sweep(), *prefix_sweep(backend)[:2]]


@pytest.fixture(params=[25, 1000], ids=["a prompt a pass", "several prompts a pass"])
def batch_tokens(request: pytest.FixtureRequest) -> int:
    size: int = request.param
    return size


@pytest.mark.parametrize("kind", KINDS)
def test_every_call_of_a_search_is_the_same_bits_as_on_a_cold_backend(load: Load, kind: str, batch_tokens: int) -> None:
    warm = load(kind, batch_tokens=batch_tokens)
    for number, prompts in enumerate(sweep_of(warm)):
        cold = load(kind, batch_tokens=batch_tokens)
        found, expected = (one.score(prompts, LABELS).log_probabilities for one in (warm, cold))
        assert found.tobytes() == expected.tobytes(), number


@pytest.mark.parametrize("kind", KINDS)
def test_other_rows_and_prompts_in_between_change_no_bit(load: Load, kind: str, batch_tokens: int) -> None:
    plain, busy = load(kind, batch_tokens=batch_tokens), load(kind, batch_tokens=batch_tokens)
    others: list[Prompt] = [TextPrompt("it was"), prefix(busy, 2), deep(1, seed=9), deep(0, 1, 2, 3, seed=9)]
    between = [WORDS, LABELS[:2], BEFORE_A_TEXT]
    for number, prompts in enumerate(deep_sweep()):
        expected = plain.score(prompts, LABELS).log_probabilities
        busy.score([others[number % len(others)]], LABELS)
        busy.score(prompts[::-1], between[number % len(between)])
        assert busy.score(prompts, LABELS).log_probabilities.tobytes() == expected.tobytes(), number
        assert busy.score(prompts, LABELS).log_probabilities.tobytes() == expected.tobytes(), number


@pytest.mark.parametrize("kind", ["llama", "roberta", "bart"])
@pytest.mark.parametrize(
    "cache",
    [{"cache_on": "host"}, {"cache_bytes": 2000}, {"cache_bytes": 2000, "cache_on": "host"}],
    ids=["on the host", "too small", "too small on the host"],
)
def test_the_cache_changes_no_bit(load: Load, kind: str, cache: dict[str, object]) -> None:
    with_cache = load(kind, batch_tokens=60, **cache)
    slices = sweep_of(with_cache)
    expected = scores_of(load(kind, batch_tokens=60, cache_bytes=0), slices, LABELS)
    assert scores_of(with_cache, slices, LABELS).tobytes() == expected.tobytes()


@pytest.mark.parametrize("kind", ["llama", "t5"])
def test_candidates_one_by_one_are_the_same_bits_with_any_cache(load: Load, kind: str) -> None:
    alone = [[prompt] for prompts in deep_sweep() for prompt in prompts]
    caches = ({}, {"cache_bytes": 0}, {"cache_bytes": 2000})
    found = [scores_of(load(kind, **cache), alone, TARGETS) for cache in caches]
    assert all(scores.tobytes() == found[0].tobytes() for scores in found)


@pytest.mark.parametrize("kind", KINDS)
def test_prompts_of_every_kind_in_one_call_are_the_same_bits_twice(load: Load, kind: str) -> None:
    backend = load(kind)
    prompts = of_every_kind(backend)
    first, second = (backend.score(prompts, WORDS).log_probabilities for _ in range(2))
    assert first.tobytes() == second.tobytes()


def test_a_search_in_sets_of_rows_in_turn_is_the_same_bits_as_in_each_alone(load: Load) -> None:
    sets = [LABELS, WORDS, LABELS[:2]]
    together, slices = load(batch_tokens=40, cache_bytes=6000), deep_sweep()
    found = [[together.score(prompts, queries).log_probabilities for queries in sets] for prompts in slices]
    for number, queries in enumerate(sets):
        expected = scores_of(load(batch_tokens=40), slices, queries)
        assert np.concatenate([of_slice[number] for of_slice in found]).tobytes() == expected.tobytes()


@pytest.mark.parametrize("kind", ["gpt2", "opt", "mistral", "bert"])
def test_prompts_of_several_lengths_in_turn_are_the_same_bits_as_on_a_cold_backend(load: Load, kind: str) -> None:
    """Texts, and prefixes that share no text: what stands in front of the rows moves their positions."""
    backend = load(kind)
    texts: list[Prompt] = [TextPrompt("great " * length) for length in (3, 5, 2)]
    prefixes: list[Prompt] = [backend.prefix_of(TOKENS[:1] * length) for length in (3, 5, 2)]
    for prompt in [*texts, *prefixes, *texts, *prefixes]:
        expected = load(kind).score([prompt], LABELS).log_probabilities
        assert backend.score([prompt], LABELS).log_probabilities.tobytes() == expected.tobytes()
