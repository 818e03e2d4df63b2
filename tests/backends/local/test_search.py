"""A whole search on a local model: it improves, and it survives being stopped."""

from pathlib import Path

import numpy as np
import pytest

from blackbox import Callback, Progress, Result, Task, resume, tune
from blackbox.backends import DeepPrompt
from tests.backends.local.conftest import Load

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


@pytest.fixture(scope="module")
def task() -> Task:
    words = {"good": "great", "poor": "bad"}
    return Task(ROWS, dev=ROWS, test=ROWS, template="{text} . it was {label} .", label_words=words)


@pytest.fixture(scope="module")
def whole(load: Load, task: Task) -> Result:
    """The unbroken search."""
    return tune(task, backend=load(), **SETTINGS)


def test_a_search_lowers_the_training_loss(whole: Result) -> None:
    assert whole.summary.train_loss is not None
    assert whole.summary.train_loss < whole.history[0].loss
    assert {prediction.label for prediction in whole.predict(ROWS)} <= {"good", "poor"}


@pytest.mark.parametrize("kind", ["roberta", "t5"])
def test_a_search_on_a_model_that_reads_behind_the_label_lowers_the_training_loss(
    load: Load, task: Task, kind: str
) -> None:
    result = tune(task, backend=load(kind), **SETTINGS)
    assert result.summary.train_loss is not None
    assert result.summary.train_loss < result.history[0].loss


@pytest.mark.parametrize("generation", [1, 9])
def test_a_resumed_search_equals_the_unbroken_one_bit_for_bit(
    load: Load, task: Task, whole: Result, tmp_path: Path, generation: int
) -> None:
    with pytest.raises(KeyboardInterrupt):
        tune(task, backend=load(), folder=tmp_path / "run", callbacks=[StopAfter(generation)], **SETTINGS)
    resumed = resume(tmp_path / "run", backend=load())
    assert [e.facts for e in resumed.history] == [e.facts for e in whole.history]
    assert isinstance(resumed.prompt, DeepPrompt) and isinstance(whole.prompt, DeepPrompt)
    for layer, vectors in whole.prompt.vectors.items():
        assert np.array_equal(vectors, resumed.prompt.vectors[layer])
