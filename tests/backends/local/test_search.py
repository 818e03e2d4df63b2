"""A whole search on a local model: it improves, and it survives being stopped."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from blackbox import Callback, Progress, Result, Task, resume, tune
from blackbox.backends import DeepPrompt, Query, TextPrompt, Writing
from blackbox.text_metrics import make_text_metric
from tests.backends.local.conftest import Load, Loaded
from tests.backends.local.reference import expected_scores, expected_text

ROWS = [
    {"text": "a quiet film about great love", "label": "good"},
    {"text": "it was bad and long", "label": "poor"},
    {"text": "great fun", "label": "good"},
    {"text": "the worst evening of my life", "label": "poor"},
]
FOUR = Writing(max_tokens=4)
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


@pytest.mark.parametrize("loss", ["cross-entropy", "error-rate"])
@pytest.mark.parametrize("space", ["soft", "deep", "prefix"])
@pytest.mark.parametrize("kind", ["llama", "t5"])
def test_what_is_written_behind_vectors_is_measured_and_its_likelihood_may_be_searched(
    load: Load, loaded: Callable[[str], Loaded], kind: str, space: str, loss: str
) -> None:
    """The model is random: its own texts are made the targets of the dev rows, so that some are met."""
    backend = load(kind)
    rows = [{"text": row["text"], "answer": "great"} for row in ROWS]
    first = backend.generate([TextPrompt("a quiet film")], [Query(row["text"], ("",)) for row in ROWS], FOUR).written[0]
    dev = [{**row, "answer": one.text or "bad"} for row, one in zip(rows, first, strict=True) if one]
    task = Task(
        rows,
        dev=dev,
        test=dev,
        **{"template": "{text}{label}", "target_field": "answer"},
        **{"metric": "token-f1", "loss": loss, "answer_tokens": 4},
    )
    small = {**SETTINGS, "space": space, "optimizer": "cma-es", "evaluations": 16}
    result = tune(task, backend=backend, **small)
    texts = [expected_text(loaded(kind), result.prompt, Query(str(row["text"]), ("",)), max_tokens=4) for row in dev]
    metric = make_text_metric("token-f1")
    scores = [metric(text, (str(row["answer"]),)) for text, row in zip(texts, dev, strict=True)]
    assert result.summary.test_after is not None
    assert result.summary.test_after.value == pytest.approx(np.mean(scores))
    assert [prediction.text for prediction in result.predict(dev)] == texts
    likelihoods = expected_scores(
        loaded(kind), [result.prompt], [Query(str(r["text"]), (str(r["answer"]),)) for r in dev]
    )
    likely = -float(likelihoods.mean())
    assert result.summary.test_loss_after == pytest.approx(
        1 - np.mean(scores) if loss == "error-rate" else likely, 1e-4
    )
