"""Spaces of vectors as the settings name them."""

import pickle
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from blackbox import SavedPrompt, tune
from blackbox.backends import Capability, DecomposedPrompt, FakeBackend, SoftPrompt, UnsupportedPromptError
from blackbox.config import make_config
from blackbox.errors import SettingError
from blackbox.named_spaces import make_space
from blackbox.objective import OF_VECTORS
from blackbox.spaces import DecomposedSpace, DeepSpace, PromptSpace, SoftSpace
from tests.blackbox.small import QUICK, facts, make_task

MAPPED = ("low-rank", "multi-space")
SETTINGS: dict[str, Any] = {
    **{key: value for key, value in QUICK.items() if key != "layers"},
    "prompt_tokens": 6,
    "dimension": 12,
    "optimizer": "cma-es",
}


def space(name: str, **settings: Any) -> PromptSpace:
    return make_space(FakeBackend(), make_task(), make_config({**SETTINGS, "space": name, **settings}))


@pytest.mark.parametrize("name", MAPPED)
def test_by_default_it_is_the_input_alone(name: str) -> None:
    of = space(name)
    assert isinstance(of, SoftSpace)
    assert of.blocks == (12,)
    [prompt] = of.decode(np.zeros((1, 12)))
    assert isinstance(prompt, SoftPrompt)
    assert not prompt.vectors.any()


@pytest.mark.parametrize("name", MAPPED)
def test_with_layers_it_is_deep(name: str) -> None:
    of = space(name, layers="1,3")
    assert isinstance(of, DeepSpace)
    assert of.layers == (1, 3)
    assert of.blocks == (12, 12)


def test_the_rank_is_that_of_the_settings() -> None:
    [prompt] = space("low-rank", prompt_rank=2).decode(np.ones((1, 12)))
    assert isinstance(prompt, SoftPrompt)
    assert np.linalg.matrix_rank(prompt.vectors, tol=1e-4) == 2


def test_as_many_subspaces_as_the_settings_say_have_weights() -> None:
    moved = [prompt.vectors.any() for prompt in space("multi-space", subspaces=5).decode(np.eye(12))]  # type: ignore[union-attr]
    assert moved == [False] * 5 + [True] * 7


def test_a_rank_above_the_length_of_the_prompt_is_refused() -> None:
    with pytest.raises(SettingError, match="at most the 6 tokens that are moved, got 7"):
        space("low-rank", prompt_rank=7)


@pytest.mark.parametrize("name", MAPPED)
@pytest.mark.parametrize("layers", ["0", "all"])
def test_a_search_is_the_same_again_and_finds_a_better_prompt(name: str, layers: str) -> None:
    task, settings = make_task(), {**SETTINGS, "space": name, "layers": layers, "alpha": 0.5, "evaluations": 400}
    first, again = (tune(task, **settings) for _ in range(2))
    assert facts(first.history) == facts(again.history)
    train = [one.loss for one in first.history if one.split == "train"]
    assert min(train) < train[0]


@pytest.mark.parametrize("name", MAPPED)
def test_candidates_are_sent_to_workers_in_slices(name: str) -> None:
    assert isinstance(space(name), OF_VECTORS)


@pytest.mark.parametrize("name", MAPPED)
def test_a_space_in_another_process_decodes_the_same_bits(name: str) -> None:
    of, candidates = space(name, dimension=50), np.random.default_rng(1).normal(size=(3, 50))
    there = pickle.loads(pickle.dumps(of))
    for here, sent in zip(of.decode(candidates), there.decode(candidates), strict=True):
        assert here.vectors.tobytes() == sent.vectors.tobytes()  # type: ignore[union-attr]


def test_the_decomposed_space_moves_as_many_positions_of_rows_as_the_settings_say() -> None:
    of = space("decomposed", row_positions=9, prompt_rank=3, row_scale=0.5)
    assert isinstance(of, DecomposedSpace)
    [prompt] = of.decode(np.ones((1, 12)))
    assert isinstance(prompt, DecomposedPrompt)
    assert prompt.vectors.shape == (6 + 9, 8)
    assert np.linalg.matrix_rank(prompt.vectors[6:], tol=1e-4) == 3


def test_a_search_of_the_decomposed_space_finds_a_better_prompt_that_comes_back(tmp_path: Path) -> None:
    settings = {
        **SETTINGS,
        "space": "decomposed",
        "row_positions": 9,
        "evaluations": 200,
        "optimizer": "blockwise:cma-es",
    }
    result = tune(make_task(), **settings, folder=tmp_path)
    train = [one.loss for one in result.history if one.split == "train"]
    assert min(train) < train[0]
    saved = SavedPrompt.load(tmp_path / "prompt")
    assert isinstance(saved.prompt, DecomposedPrompt)
    assert saved.prompt.vectors.tobytes() == result.prompt.vectors.tobytes()  # type: ignore[union-attr]


def test_a_backend_without_decomposed_prompts_is_refused() -> None:
    class Without(FakeBackend):
        @property
        def capabilities(self) -> frozenset[Capability]:
            return super().capabilities - {Capability.DECOMPOSED}

    with pytest.raises(UnsupportedPromptError, match="has no decomposed prompts; those need 'fake' or 'local'"):
        make_space(Without(), make_task(), make_config({**SETTINGS, "space": "decomposed"}))
