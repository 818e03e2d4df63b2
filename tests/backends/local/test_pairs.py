"""Sentence pairs, from rows to a tuned prompt: around the blank of a masked model, in front of it elsewhere."""

import numpy as np
import pytest

from blackbox import Task, tune
from blackbox.backends import TextPrompt
from blackbox.errors import DataError
from tests.backends.local.conftest import Load

WORDS = {"same": "great", "other": "bad"}
AROUND, IN_FRONT = "{text} . {label} , {text_pair}", "{text} . {text_pair} it was {label}"
TEXTS = ("a quiet film", "it was long", "the worst evening", "great fun")


def make_task(template: str, *, test: tuple[str, ...] = TEXTS) -> Task:
    def rows(texts: tuple[str, ...]) -> list[dict[str, object]]:
        return [
            {"text": one, "text_pair": other, "label": "same" if one == other else "other"}
            for one in texts
            for other in texts
        ]

    return Task(rows(TEXTS), dev=rows(TEXTS[:2]), test=rows(test), template=template, label_words=WORDS)


@pytest.mark.parametrize(("kind", "template"), [("roberta", AROUND), ("bert", IN_FRONT), ("llama", IN_FRONT)])
def test_pairs_are_tuned_and_both_texts_are_read(kind: str, template: str, load: Load) -> None:
    backend, task = load(kind), make_task(template)
    settings = {"layers": "all", "dimension": 4, "population": 4, "evaluations": 24}
    result = tune(task, backend=backend, prompt="it was", **settings)
    first = result.history[0].loss
    assert result.summary.train_loss is not None
    assert result.summary.train_loss < first
    pair = {"text": TEXTS[0], "text_pair": TEXTS[1]}
    probabilities = [
        list(one.probabilities.values())
        for one in result.predict([pair, {**pair, "text": TEXTS[2]}, {**pair, "text_pair": TEXTS[2]}])
    ]
    assert all(not np.allclose(one, probabilities[0], atol=1e-6) for one in probabilities[1:])


def test_a_model_that_reads_left_to_right_is_refused_what_it_would_never_see(load: Load) -> None:
    with pytest.raises(DataError, match=r"puts \{text_pair\} behind \{label\}, and model 'llama' reads left to right"):
        tune(make_task(AROUND), backend=load("llama"), prompt="it was", evaluations=24)


def test_the_rows_of_one_passage_are_read_once_and_answered_as_alone(load: Load) -> None:
    backend = load("llama")
    task = make_task("the worst evening of my long life and it was bad , {text} . {text_pair} it was {label}")
    [(together, _)] = task.grader.ask(backend, [TextPrompt("great fun")], task.train)
    alone = [
        task.grader.ask(backend, [TextPrompt("great fun")], task.train.take([row]))[0][0].losses[0]
        for row in range(len(task.train))
    ]
    assert together.losses == pytest.approx(alone, abs=1e-4)
