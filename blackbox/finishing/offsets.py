"""Offsets of a prompt's label scores: what the model leans to where a row says nothing, or over the training rows."""

from blackbox.backends import Backend, Prompt, Usage
from blackbox.finishing.finished import Finished
from blackbox.finishing.formulas import FloatArray, batch_offsets, contextual_offsets
from blackbox.outcome import shown_in
from blackbox.task import Task

CONTENT_FREE = ("N/A", "", "[MASK]")  # Zhao et al. 2021, section 5


def measured_offsets(
    way: str, backend: Backend, task: Task, prompt: Prompt, finished: Finished
) -> tuple[FloatArray | None, Usage]:
    """The offsets of a prompt, shape (n_labels,), nats, and what the answers cost; None where they are not finite.

    Args:
        way: "contextual" or "batch".
        backend: asked for the scores.
        task: of its training rows the labels are not looked at.
        prompt: what is calibrated.
        finished: what its scores are averaged with.

    Raises:
        StoppedError: as of the backend.
    """
    return (_contextual if way == "contextual" else _batch)(backend, task, prompt, finished)


def _contextual(backend: Backend, task: Task, prompt: Prompt, finished: Finished) -> tuple[FloatArray | None, Usage]:
    fields = {name for one in finished.prompts(prompt) for name in task.form.of(one).template.fields}
    rows = [dict.fromkeys(fields, text) for text in CONTENT_FREE]
    scores, usage = finished.score(backend, prompt, rows, task.form)
    return contextual_offsets(scores), usage


def _batch(backend: Backend, task: Task, prompt: Prompt, finished: Finished) -> tuple[FloatArray | None, Usage]:
    """Rows that a prompt shows with their answers are left out."""
    shown = frozenset[int]().union(*shown_in(task, finished.prompts(prompt), task.train))
    rows = [row for row in range(len(task.train)) if row not in shown]
    if not rows:
        return None, Usage()
    answers, usage = finished.answers(backend, task.grader, prompt, task.train, rows)
    return batch_offsets(answers.log_probabilities), usage
