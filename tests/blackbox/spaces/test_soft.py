import numpy as np
import pytest

from blackbox.backends import DeepPrompt, SoftPrompt
from blackbox.spaces import PROJECTIONS, DeepSpace, SoftSpace

TOKENS = (97, 98, 99)


def space(**settings: object) -> SoftSpace:
    return SoftSpace(TOKENS, 0.5, 8, **{"dimension": 6, "seed": 3, **settings})  # type: ignore[arg-type]


def test_it_is_one_block() -> None:
    assert space().blocks == (6,)
    assert space().dimension == 6


def test_the_candidate_of_zeros_is_the_starting_prompt() -> None:
    prompt = space().decode(np.zeros((1, 6)))[0]
    assert isinstance(prompt, SoftPrompt)
    assert prompt.token_ids == TOKENS
    assert prompt.vectors.shape == (3, 8)
    assert not prompt.vectors.any()


@pytest.mark.parametrize("projection", PROJECTIONS)
def test_it_is_the_input_layer_of_a_deep_space(projection: str) -> None:
    candidates = np.random.default_rng(1).normal(size=(4, 6))
    deep = DeepSpace(TOKENS, {0: 0.5}, 8, dimension=6, projection=projection, seed=3).decode(candidates)
    for soft, expected in zip(space(projection=projection).decode(candidates), deep, strict=True):
        assert isinstance(soft, SoftPrompt)
        assert isinstance(expected, DeepPrompt)
        assert soft.vectors.tobytes() == expected.vectors[0].tobytes()


def test_decoding_does_not_depend_on_company_bit_for_bit() -> None:
    candidates = np.random.default_rng(1).normal(size=(9, 6))
    together = [prompt.vectors.tobytes() for prompt in space().decode(candidates)]  # type: ignore[union-attr]
    alone = [space().decode(row[None])[0].vectors.tobytes() for row in candidates]  # type: ignore[union-attr]
    assert together == alone
