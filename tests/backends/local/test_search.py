"""A whole search on a local model: it improves, and it survives being stopped."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from blackbox import Callback, Progress, Task, resume, tune
from blackbox.backends import DeepPrompt
from blackbox.backends.local import LocalBackend

ROWS = [
    {"text": "a quiet film about great love", "label": "good"},
    {"text": "it was bad and long", "label": "poor"},
    {"text": "great fun", "label": "good"},
    {"text": "the worst evening of my life", "label": "poor"},
]
SETTINGS = {"prompt": "a quiet film", "layers": "all", "dimension": 8, "population": 4, "evaluations": 60, "seed": 3}


class StopAfter(Callback):
    def __init__(self, generation: int) -> None:
        self.generation = generation

    def on_generation(self, progress: Progress) -> None:
        if progress.generation == self.generation:
            raise KeyboardInterrupt


@pytest.fixture
def task() -> Task:
    words = {"good": "great", "poor": "bad"}
    return Task(ROWS, dev=ROWS, test=ROWS, template="{text} . it was {label} .", label_words=words)


def test_a_search_lowers_the_training_loss(load: Callable[..., LocalBackend], task: Task) -> None:
    result = tune(task, backend=load(), **SETTINGS)
    assert result.summary.train_loss is not None
    assert result.summary.train_loss < result.history[0].loss
    assert {prediction.label for prediction in result.predict(ROWS)} <= {"good", "poor"}


@pytest.mark.parametrize("generation", [1, 5, 9])
def test_a_resumed_search_equals_the_unbroken_one_bit_for_bit(
    load: Callable[..., LocalBackend], task: Task, tmp_path: Path, generation: int
) -> None:
    whole = tune(task, backend=load(), **SETTINGS)
    with pytest.raises(KeyboardInterrupt):
        tune(task, backend=load(), folder=tmp_path / "run", callbacks=[StopAfter(generation)], **SETTINGS)
    resumed = resume(tmp_path / "run", backend=load())
    assert [e.facts for e in resumed.history] == [e.facts for e in whole.history]
    assert isinstance(resumed.prompt, DeepPrompt) and isinstance(whole.prompt, DeepPrompt)
    for layer, vectors in whole.prompt.vectors.items():
        assert np.array_equal(vectors, resumed.prompt.vectors[layer])
