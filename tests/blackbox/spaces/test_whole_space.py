"""projection = "identity": every number of a prompt is searched."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from blackbox import tune
from blackbox.backends import DeepPrompt, FakeBackend, PrefixPrompt, SoftPrompt
from blackbox.config import make_config
from blackbox.domains import domain_of
from blackbox.errors import SettingError
from blackbox.named_optimizers import make_optimizer
from blackbox.optimizers import CMAES, Blockwise, EvolutionStrategy
from blackbox.optimizers import SettingError as OptimizerSettingError
from blackbox.spaces import DeepSpace, MatrixSpace, PrefixSpace, SoftSpace
from tests.blackbox.small import make_task

TOKENS = (97, 98, 99)
WHOLE: dict[str, Any] = {"dimension": 6, "projection": "identity", "alpha": 2.0, "seed": 3}


def test_a_candidate_is_the_soft_prompt_in_spreads_of_the_states() -> None:
    space = SoftSpace(TOKENS, 0.5, 8, **WHOLE)
    assert (space.dimension, space.shapes) == (24, ((3, 8),))
    [prompt] = space.decode(np.arange(24.0)[None])
    assert isinstance(prompt, SoftPrompt)
    assert prompt.vectors == pytest.approx(2.0 * 0.5 * np.arange(24).reshape(3, 8))


def test_a_block_is_a_layer_of_a_deep_prompt() -> None:
    space = DeepSpace(TOKENS, {1: 0.5, 4: 3.0}, 8, **WHOLE)
    assert (space.blocks, space.shapes) == ((24, 24), ((3, 8), (3, 8)))
    [prompt] = space.decode(np.ones((1, 48)))
    assert isinstance(prompt, DeepPrompt)
    assert prompt.vectors[1] == pytest.approx(np.full((3, 8), 1.0))
    assert prompt.vectors[4] == pytest.approx(np.full((3, 8), 6.0))


def test_a_block_is_a_layer_of_a_prefix() -> None:
    keys_values = np.random.default_rng(1).normal(size=(2, 3, 5)).astype(np.float32)
    space = PrefixSpace(PrefixPrompt(TOKENS, {0: keys_values, 1: keys_values}), [1], **WHOLE)
    assert (space.blocks, space.shapes) == ((30,), ((6, 5),))


def test_a_projected_space_is_no_matrix() -> None:
    space = SoftSpace(TOKENS, 0.5, 8, **{**WHOLE, "projection": "gaussian"})
    assert isinstance(space, MatrixSpace)
    assert (space.dimension, space.shapes, domain_of(space).shapes) == (6, None, None)


def test_a_blockwise_search_gives_each_block_its_matrix() -> None:
    space = DeepSpace(TOKENS, {1: 0.5, 4: 3.0}, 8, **WHOLE)
    optimizer = make_optimizer("blockwise:es", domain_of(space), make_config({"direction_rank": 1}), 1)
    assert isinstance(optimizer, Blockwise)
    inner = optimizer._inner[1]
    assert isinstance(inner, EvolutionStrategy)
    assert np.linalg.matrix_rank(inner.ask()[0].reshape(3, 8)) == 1


def test_low_rank_in_a_projected_space_is_refused() -> None:
    with pytest.raises(
        SettingError, match="direction_rank needs a space whose candidates are matrices: projection = identity"
    ):
        tune(make_task(), backend="fake", space="soft", optimizer="es", direction_rank=1)


def test_a_full_covariance_of_a_whole_prompt_is_refused() -> None:
    space = SoftSpace(TOKENS, 0.5, 2000, **WHOLE)
    with pytest.raises(OptimizerSettingError, match="covariance='full' takes a dimension of at most 3000, got 6000"):
        CMAES(space.dimension, seed=1)


def test_the_whole_prompt_of_a_model_is_found(tmp_path: Path) -> None:
    settings: dict[str, Any] = {"space": "soft", "projection": "identity", "optimizer": "es", "direction_rank": 1}
    result = tune(
        make_task(), backend=FakeBackend(), **settings, prompt_tokens=4, sigma=0.3, evaluations=300, folder=tmp_path
    )
    losses = [found.loss for found in result.history if found.split == "train"]
    assert min(losses) < 0.7 * losses[0]
