import numpy as np
import pytest

from blackbox.backends import DeepPrompt, SoftPrompt, TextPrompt
from blackbox.backends.prompts import vectors_of


def test_vectors_are_read_only() -> None:
    soft = SoftPrompt((1, 2), np.zeros((2, 3), np.float32))
    deep = DeepPrompt((1, 2), {4: np.zeros((2, 3), np.float32)})
    for vectors in (soft.vectors, deep.vectors[4]):
        with pytest.raises(ValueError, match="read-only"):
            vectors[0, 0] = 1.0
    with pytest.raises(TypeError):
        deep.vectors[5] = soft.vectors  # type: ignore[index]


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


def test_other_number_types_become_float32() -> None:
    assert SoftPrompt((1,), np.ones((1, 3))).vectors.dtype == np.float32  # type: ignore[arg-type]


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


def test_the_vectors_of_a_text_are_none_and_those_of_a_soft_prompt_stand_at_the_input() -> None:
    soft = SoftPrompt((1,), np.ones((1, 3), np.float32))
    assert not vectors_of(TextPrompt("Say it."))
    assert list(vectors_of(soft)) == [0]
    assert vectors_of(soft)[0] is soft.vectors
