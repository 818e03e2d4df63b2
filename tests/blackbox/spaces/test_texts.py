import numpy as np
import pytest

from blackbox.backends import TextPrompt
from blackbox.errors import SettingError
from blackbox.spaces import TextsSpace

A, B, C = TextPrompt("a"), TextPrompt("b"), TextPrompt("b", role="system")


def test_a_candidate_is_the_number_of_a_prompt_and_zero_stands_for_the_first() -> None:
    space = TextsSpace([A, B, C])
    assert space.decode(np.zeros((1, 1))) == [A]
    assert space.decode(np.array([[2.0], [0.0], [1.0]])) == [C, A, B]
    assert sum(space.blocks) == space.dimension == 1
    assert space.sizes == (3,)


def test_a_choice_needs_two_prompts_that_differ() -> None:
    with pytest.raises(SettingError, match="at least two, got 1"):
        TextsSpace([A])
    with pytest.raises(SettingError, match="prompt 3 is the same as prompt 1"):
        TextsSpace([A, B, A])
