"""Without gradients: the starting text, the same with shown rows, and searches of this project."""

from collections.abc import Iterator, Sequence

import numpy as np
import numpy.typing as npt

from benchmarks.few_shot.fitted import Fitted, Predict
from blackbox import Task
from blackbox.backends import Backend, Demonstration, TextPrompt
from blackbox.backends.local import LocalBackend
from blackbox.config import Config
from blackbox.filling import Prediction, choose
from blackbox.parts import make_parts
from blackbox.run import run
from blackbox.split import Split

MOST_SHOWN = 32  # as in the BBT papers
MOST_TOKENS = 4096
"""Of what is shown, where the model reads as many."""


def start(backend: Backend, task: Task, text: str) -> Fitted:
    """The text as it is."""
    return Fitted(_behind(backend, TextPrompt(text), task))


def demonstrations(backend: LocalBackend, task: Task, text: str, *, most_tokens: int, seed: int) -> Fitted:
    """In-context learning (arXiv 2005.14165): the text, then training rows with their answers, the labels by turns.

    Args:
        most_tokens: that the model reads; shown rows take half of them at most.
    """
    room = min(most_tokens // 2, MOST_TOKENS) - len(backend.encode(text))
    order = by_turns(task.train.labels, np.random.default_rng(seed))[:MOST_SHOWN]
    shown = list[Demonstration]()
    for row in order:
        query = task.train.queries[row]
        one = Demonstration(query.before, query.options[task.train.labels[row]], query.after, row=row)
        room -= len(backend.encode(f"{one.whole}\n\n"))
        if room < 0:
            break
        shown.append(one)
    return Fitted(_behind(backend, TextPrompt(text, tuple(shown)), task), details={"shown": len(shown)})


def search(task: Task, config: Config) -> Fitted:
    """What the settings find, as it is finished."""
    parts = make_parts(config, task)
    result = run(parts, None, ())
    summary = result.summary
    return Fitted(
        lambda split: indices(result.predict(split.rows), task.labels),
        forward_rows=summary.requests,
        tunable=parts.space.dimension,
        details={
            "evaluations": summary.evaluations,
            "train_loss": summary.train_loss,
            "dev": summary.dev and summary.dev.value,
            "dev_loss": summary.dev_loss,
        },
    )


def by_turns(labels: npt.NDArray[np.int64], rng: np.random.Generator) -> list[int]:
    """All rows in random order, one of each label by turns."""
    shuffled = rng.permutation(len(labels)).tolist()
    seen = dict.fromkeys(labels.tolist(), 0)

    def turns() -> Iterator[tuple[int, int]]:
        for row in shuffled:
            yield seen[int(labels[row])], row
            seen[int(labels[row])] += 1

    return [row for _, row in sorted(turns(), key=lambda turn: turn[0])]


def indices(predictions: Sequence[Prediction], labels: Sequence[str]) -> npt.NDArray[np.int64]:
    """The index of each predicted label; -1 where there is none."""
    return np.array([labels.index(one.label) if one.label is not None else -1 for one in predictions])


def _behind(backend: Backend, prompt: TextPrompt, task: Task) -> Predict:
    def predict(split: Split) -> npt.NDArray[np.int64]:
        return indices(choose(backend, prompt, split.queries, task.labels), task.labels)

    return predict
