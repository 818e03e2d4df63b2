"""Whole runs through projections that are made of the model's states."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

from blackbox import Callback, Progress, Result, Task, resume, tune
from blackbox.backends import Capability, DeepPrompt, FakeBackend, Query, VectorBackend
from blackbox.config import make_config
from blackbox.errors import SettingError
from blackbox.named_spaces import make_space
from blackbox.spaces import prompt_of
from blackbox.spaces.seen_projections import OF_STATES
from tests.backends.local.conftest import Load, load, loaded, saved_model
from tests.blackbox.small import QUICK, facts, make_task

__all__ = ["load", "loaded", "saved_model"]

pytestmark = pytest.mark.usefixtures("without_pictures")


class StopAfter(Callback):
    def __init__(self, generation: int) -> None:
        self.generation = generation

    def on_generation(self, progress: Progress) -> None:
        if progress.generation == self.generation:
            raise KeyboardInterrupt


class Blind:
    """Takes vectors and shows no states."""

    def __init__(self) -> None:
        fake = FakeBackend()
        self.name, self.model_hash, self.shape = "blind", "0", fake.shape
        self.capabilities = fake.capabilities - {Capability.PREFIX}
        self.score, self.encode, self.decode, self.hidden_stds = fake.score, fake.encode, fake.decode, fake.hidden_stds


@pytest.mark.parametrize("projection", OF_STATES)
@pytest.mark.parametrize("space", ["deep", "soft", "prefix"])
def test_a_search_lowers_the_loss(space: str, projection: str) -> None:
    result = tune(make_task(), **{**QUICK, "space": space, "projection": projection, "evaluations": 200})
    assert result.summary.train_loss is not None
    assert result.summary.train_loss < result.history[0].loss - 0.5  # nats


def local(task: Task, load: Load, projection: str, **settings: object) -> Result:
    quick = {**QUICK, "backend": load(), "prompt": "it was great", "projection": projection, **settings}
    return tune(task, **quick)  # type: ignore[arg-type]


@pytest.mark.parametrize("projection", OF_STATES)
@pytest.mark.parametrize("space", ["deep", "prefix"])
def test_a_resumed_run_equals_the_unbroken_one_bit_for_bit(
    load: Load, tmp_path: Path, space: str, projection: str
) -> None:
    task = make_task()
    whole = local(task, load, projection, space=space)
    with pytest.raises(KeyboardInterrupt):
        local(task, load, projection, space=space, folder=tmp_path / "run", callbacks=[StopAfter(3)])
    resumed = resume(tmp_path / "run", backend=load())
    assert facts(resumed.history) == facts(whole.history)


def test_states_are_those_of_the_training_rows_alone(load: Load) -> None:
    """Without dev and test rows the first prompts are the same."""
    first = [
        [one.loss for one in local(make_task(**rows), load, "vocabulary").history if one.split == "train"][:5]
        for rows in ({}, {"dev": 0, "test": 0})
    ]
    assert first[0] == first[1]
    assert len(set(first[0])) == 5


class Pointing(FakeBackend):
    """The states of a layer differ in one number, that of its own place."""

    def hidden_states(
        self, token_ids: Sequence[int], queries: Sequence[Query], layers: Sequence[int]
    ) -> dict[int, np.ndarray]:
        return {layer: np.eye(8, dtype=np.float32)[[layer]] * [[1.0], [2.0], [3.0]] for layer in layers}


@pytest.mark.parametrize("projection", OF_STATES)
def test_a_layer_is_moved_along_its_own_states(projection: str) -> None:
    space = make_space(Pointing(), make_task(), make_config({**QUICK, "projection": projection}))
    prompt = prompt_of(space, np.random.default_rng(1).normal(size=space.dimension))
    assert isinstance(prompt, DeepPrompt)
    assert list(prompt.vectors) == [0, 1, 2, 3]
    for layer, vectors in prompt.vectors.items():
        assert np.abs(vectors[:, layer]).min() > 0
        assert np.abs(np.delete(vectors, layer, axis=1)).max() < 1e-5


def test_a_backend_that_shows_no_states_is_refused() -> None:
    blind = Blind()
    assert isinstance(blind, VectorBackend)
    with pytest.raises(SettingError, match="made of hidden states, and backend 'blind' shows none"):
        tune(make_task(), **{**QUICK, "backend": blind, "projection": "vocabulary"})


def test_queries_have_states_on_the_fake_backend() -> None:
    found = FakeBackend().hidden_states((97,), [Query("bcb", ("x",))], [1, 0])
    assert [len(found[layer]) for layer in (1, 0)] == [3, 256]
