import pickle

import numpy as np
import pytest

from blackbox.backends import DecomposedPrompt, DeepPrompt, PrefixPrompt, SoftPrompt, TextPrompt
from blackbox.backends.prompts import vectors_of


def test_vectors_are_read_only() -> None:
    soft = SoftPrompt((1, 2), np.zeros((2, 3), np.float32))
    deep = DeepPrompt((1, 2), {4: np.zeros((2, 3), np.float32)})
    prefix = PrefixPrompt((1, 2), {4: np.zeros((2, 2, 3), np.float32)})
    for vectors in (soft.vectors, deep.vectors[4], prefix.keys_values[4]):
        with pytest.raises(ValueError, match="read-only"):
            vectors[0, 0] = 1.0
    with pytest.raises(TypeError):
        deep.vectors[5] = soft.vectors  # type: ignore[index]
    with pytest.raises(TypeError):
        prefix.keys_values[5] = prefix.keys_values[4]  # type: ignore[index]


def test_a_writable_array_is_copied() -> None:
    vectors = np.zeros((2, 3), np.float32)
    prompt = SoftPrompt((1, 2), vectors)
    vectors += 1.0
    assert (prompt.vectors == 0).all()
    assert vectors.flags.writeable


def test_a_read_only_array_keeps_its_identity_so_that_prompts_can_share_it() -> None:
    vectors = np.zeros((2, 3), np.float32)
    vectors.setflags(write=False)
    assert DeepPrompt((1, 2), {0: vectors}).vectors[0] is vectors
    assert SoftPrompt((1, 2), vectors).vectors is vectors
    keys_values = np.zeros((2, 2, 3), np.float32)
    keys_values.setflags(write=False)
    prefix = PrefixPrompt((1, 2), {0: keys_values, 1: keys_values})
    assert prefix.keys_values[0] is prefix.keys_values[1] is keys_values


def test_other_number_types_become_float32() -> None:
    assert SoftPrompt((1,), np.ones((1, 3))).vectors.dtype == np.float32  # type: ignore[arg-type]
    assert PrefixPrompt((1,), {0: np.ones((2, 1, 3))}).keys_values[0].dtype == np.float32  # type: ignore[dict-item]


@pytest.mark.parametrize("shape", [(3, 4), (2,), (2, 3, 4)])
def test_vectors_that_are_not_one_row_a_token_are_refused_with_their_shape(shape: tuple[int, ...]) -> None:
    with pytest.raises(ValueError, match="with 2 tokens, got") as refusal:
        SoftPrompt((1, 2), np.zeros(shape, np.float32))
    assert str(shape) in str(refusal.value)
    with pytest.raises(ValueError, match="with 2 tokens, got"):
        DeepPrompt((1, 2), {0: np.zeros(shape, np.float32)})


def test_layers_are_sorted() -> None:
    row = np.zeros((1, 2), np.float32)
    assert list(DeepPrompt((1,), {7: row, 2: row, 4: row}).vectors) == [2, 4, 7]
    pair = np.zeros((2, 1, 2), np.float32)
    assert list(PrefixPrompt((1,), {7: pair, 2: pair, 4: pair}).keys_values) == [2, 4, 7]


def test_the_vectors_of_a_text_are_none_and_those_of_a_soft_prompt_stand_at_the_input() -> None:
    soft = SoftPrompt((1,), np.ones((1, 3), np.float32))
    assert not vectors_of(TextPrompt("Say it."))
    assert list(vectors_of(soft)) == [0]
    assert vectors_of(soft)[0] is soft.vectors


def test_the_vectors_of_a_prefix_are_its_keys_and_values() -> None:
    prefix = PrefixPrompt((1,), {0: np.zeros((2, 1, 3), np.float32), 1: np.ones((2, 1, 3), np.float32)})
    assert vectors_of(prefix) is prefix.keys_values


def test_a_prefix_may_have_more_positions_than_tokens() -> None:
    assert PrefixPrompt((1, 2), {0: np.zeros((2, 3, 4), np.float32)}).n_positions == 3
    assert PrefixPrompt((), {0: np.zeros((2, 1, 4), np.float32)}).n_positions == 1


@pytest.mark.parametrize("shape", [(2, 4), (3, 2, 4), (2, 1, 4), (2, 2, 4, 1)])
def test_keys_and_values_of_another_form_are_refused_with_their_layer_and_shape(shape: tuple[int, ...]) -> None:
    with pytest.raises(ValueError, match="at least 2 for 2 tokens, got .* for layer 3") as refusal:
        PrefixPrompt((1, 2), {3: np.zeros(shape, np.float32)})
    assert str(shape) in str(refusal.value)


def test_a_prefix_without_positions_is_refused() -> None:
    with pytest.raises(ValueError, match=r"at least 1 for 0 tokens, got \(2, 0, 4\)"):
        PrefixPrompt((), {0: np.zeros((2, 0, 4), np.float32)})


def test_layers_of_a_prefix_that_differ_in_shape_are_refused() -> None:
    layers = {0: np.zeros((2, 2, 4), np.float32), 1: np.zeros((2, 3, 4), np.float32)}
    with pytest.raises(ValueError, match=r"same shape, got \(2, 2, 4\) and \(2, 3, 4\) \(layer 1\)"):
        PrefixPrompt((1, 2), layers)


def test_a_prefix_without_a_layer_is_refused() -> None:
    with pytest.raises(ValueError, match="at least one layer, got none"):
        PrefixPrompt((1,), {})


@pytest.mark.parametrize("shape", [(2, 3), (1, 3), (6,), (3, 3, 1)])
def test_a_decomposed_prompt_has_a_vector_for_each_token_and_a_position_at_least(shape: tuple[int, ...]) -> None:
    assert DecomposedPrompt((1, 2), np.zeros((3, 4), np.float32)).vectors.shape == (3, 4)
    with pytest.raises(ValueError, match="at least 3 vectors for 2 tokens and a position"):
        DecomposedPrompt((1, 2), np.zeros(shape, np.float32))


def test_a_prompt_comes_back_from_a_pickle_read_only_as_it_was() -> None:
    vectors = np.arange(6, dtype=np.float32).reshape(2, 3)
    soft, deep = SoftPrompt((1, 2), vectors), DeepPrompt((1, 2), {4: vectors, 5: vectors + 1})
    prefix = PrefixPrompt((1, 2), {4: np.stack([vectors, vectors])})
    decomposed = DecomposedPrompt((1,), vectors)
    for prompt in (soft, deep, prefix, decomposed):
        restored = pickle.loads(pickle.dumps(prompt))
        assert restored.token_ids == prompt.token_ids
        for layer, array in vectors_of(prompt).items():
            assert np.array_equal(vectors_of(restored)[layer], array)
            assert not vectors_of(restored)[layer].flags.writeable
    text = TextPrompt("Classify.")
    assert pickle.loads(pickle.dumps(text)) == text
