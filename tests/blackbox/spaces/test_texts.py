import numpy as np
import pytest

from blackbox.backends import TextPrompt
from blackbox.errors import SettingError
from blackbox.spaces import TextsSpace

A, B, C = TextPrompt("a"), TextPrompt("b"), TextPrompt("b", role="system")


def test_zeros_stand_for_the_first_prompt_and_unit_vectors_for_each() -> None:
    space = TextsSpace([A, B, C])
    assert space.decode(np.zeros((1, 3))) == [A]
    assert space.decode(np.eye(3)) == [A, B, C]
    assert sum(space.blocks) == space.dimension == 3


def test_a_choice_needs_two_prompts_that_differ() -> None:
    with pytest.raises(SettingError, match="at least two, got 1"):
        TextsSpace([A])
    with pytest.raises(SettingError, match="prompt 3 is the same as prompt 1"):
        TextsSpace([A, B, A])
