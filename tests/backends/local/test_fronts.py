"""Prompts as a model's own inputs: the frame of a row, and what is no such input."""

import numpy as np
import pytest

from blackbox.backends import CachingBackend, Frame, SoftPrompt, TextPrompt, UnsupportedPromptError
from tests.backends.local.candidates import N_LAYERS, TOKENS, decomposed, deep, prefix, vectors
from tests.backends.local.conftest import Load

FRAMES = {
    "llama": Frame("left to right", (1,), ()),
    "gpt2": Frame("left to right", (), ()),
    "bert": Frame("with masks", (2,), (3,), blank=4),
    "roberta": Frame("with masks", (0,), (2,), blank=4, first_position=2),
    "t5": Frame("encoder and decoder", (), (1,), blank=3, opening=(0, 3), start=(0,)),
    "bart": Frame("encoder and decoder", (0,), (2,), blank=4, opening=(2, 0), start=(2, 0)),
}


@pytest.mark.parametrize("kind", FRAMES)
def test_the_frame_is_what_the_model_reads_around_a_row(load: Load, kind: str) -> None:
    assert load(kind).frame == FRAMES[kind]


def test_a_text_is_the_embeddings_of_its_tokens(load: Load) -> None:
    backend = load("llama")
    assert isinstance(backend, CachingBackend)
    tokens = [1, *backend.encode("it was")]
    table = backend.model.get_input_embeddings().weight.numpy()
    assert np.array_equal(backend.embedded_front(TextPrompt("it was")).embeddings, table[tokens])


def test_a_soft_prompt_is_these_embeddings_with_its_vectors_added(load: Load) -> None:
    backend = load("gpt2")
    table = backend.model.get_input_embeddings().weight.numpy()
    found = backend.embedded_front(SoftPrompt(TOKENS, vectors(1))).embeddings
    assert np.allclose(found, table[list(TOKENS)] + vectors(1), atol=1e-6)


def test_a_soft_prompt_that_adds_nothing_is_embeddings_of_an_encoder_too(load: Load) -> None:
    found = load("roberta").embedded_front(SoftPrompt(TOKENS, np.zeros((3, 32), np.float32))).embeddings
    table = load("roberta").model.get_input_embeddings().weight.numpy()
    assert np.array_equal(found, table[[0, *TOKENS]])


def test_a_prefix_is_its_own_cache_head_by_head(load: Load) -> None:
    backend = load("llama")
    prompt = prefix(backend, 0, 2)
    found = backend.cached_front(prompt).keys_values
    assert found.shape == (N_LAYERS, 2, 4, 2, 8)
    assert all(np.array_equal(found[layer].reshape(2, 4, 16), prompt.keys_values[layer]) for layer in range(N_LAYERS))


def test_prompts_that_agree_in_the_lower_layers_have_the_same_cache_there(load: Load) -> None:
    first, second = (load("llama").cached_front(deep(2, seed=seed)).keys_values for seed in (1, 2))
    assert np.array_equal(first[:2], second[:2])
    assert not np.allclose(first[2], second[2])


@pytest.mark.parametrize(
    ("kind", "said"),
    [
        ("bert", "reads all at once, and what it makes of the prompt depends on the row"),
        ("t5", "the cache of an encoder-decoder"),
        ("falcon", "are not to be had"),
    ],
)
def test_what_is_no_cache_is_refused_with_the_reason(load: Load, kind: str, said: str) -> None:
    with pytest.raises(UnsupportedPromptError, match=said):
        load(kind).cached_front(deep(1))


def test_what_is_no_sequence_of_embeddings_is_refused_with_the_reason(load: Load) -> None:
    backend = load("llama")
    for prompt, said in ((deep(0, 1), "vectors for other layers"), (prefix(backend), "keys and values")):
        with pytest.raises(UnsupportedPromptError, match=said):
            backend.embedded_front(prompt)
    for kind in ("bert", "roberta", "bart", "bloom", "opt norm last"):
        with pytest.raises(UnsupportedPromptError, match="stands a norm or a map"):
            load(kind).embedded_front(SoftPrompt(TOKENS, vectors(1)))


def test_a_prompt_that_moves_the_rows_has_no_front(load: Load) -> None:
    backend = load("llama")
    for front in (backend.embedded_front, backend.cached_front):
        with pytest.raises(UnsupportedPromptError, match="moves the rows behind it as well"):
            front(decomposed())
