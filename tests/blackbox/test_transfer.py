import numpy as np
import pytest

from blackbox.backends import DeepPrompt, FakeBackend, PrefixPrompt, SoftPrompt, TextPrompt
from blackbox.transfer import moves, similarity

BACKEND = FakeBackend()


def array(seed: int, n_tokens: int = 3) -> np.ndarray:
    return np.random.default_rng(seed).normal(size=(n_tokens, 8)).astype(np.float32)


def test_it_is_the_cosine_of_the_means_over_tokens_averaged_over_common_layers() -> None:
    first = {0: np.array([[3.0, 0.0], [1.0, 0.0]]), 1: np.array([[1.0, 1.0]]), 2: np.array([[1.0, 0.0]])}
    second = {0: np.array([[0.0, 5.0]]), 1: np.array([[2.0, 0.0], [2.0, 0.0]]), 3: np.array([[1.0, 0.0]])}
    assert similarity(first, second) == pytest.approx((0 + np.sqrt(0.5)) / 2)  # layers 0 and 1


def test_a_prompt_is_like_itself_and_unlike_its_opposite() -> None:
    one = {0: array(1), 2: array(2)}
    assert similarity(one, {layer: 3 * vectors for layer, vectors in one.items()}) == pytest.approx(1.0)
    assert similarity(one, {layer: -vectors for layer, vectors in one.items()}) == pytest.approx(-1.0)


def test_layers_in_which_one_has_not_moved_do_not_count() -> None:
    assert similarity({0: array(1)}, {0: np.zeros((3, 8), np.float32)}) is None
    assert similarity({0: array(1)}, {1: array(1)}) is None
    assert similarity({}, {0: array(1)}) is None


def test_moves_are_what_a_prompt_adds_to_its_tokens() -> None:
    tokens = (97, 98, 99)
    assert moves(TextPrompt("abc"), BACKEND) == {}
    assert np.array_equal(moves(SoftPrompt(tokens, array(1)), BACKEND)[0], array(1))
    assert np.array_equal(moves(DeepPrompt(tokens, {2: array(2)}), BACKEND)[2], array(2))
    start = BACKEND.prefix_of(tokens)
    moved = {**start.keys_values, 1: start.keys_values[1] + np.float32(1)}
    found = moves(PrefixPrompt(tokens, moved), BACKEND)
    assert {layer for layer, one in found.items() if one.any()} == {1}
    assert found[1] == pytest.approx(np.ones((3, 2, 6)), abs=1e-6)
