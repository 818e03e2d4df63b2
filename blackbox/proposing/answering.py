"""What a model answers to training rows, in words: for a model that shall learn from the mistakes."""

from collections.abc import Sequence

import numpy as np

from blackbox.backends import (
    Backend,
    Capability,
    GeneratingBackend,
    TextPrompt,
    Writing,
    chosen_options,
)
from blackbox.task import Task

NONE_OF_THEM = "(none of the possible answers)"
MISSING = "(no answer)"
NOT_SEEN = "(something else)"
TOKENS = 48  # of an answer that is shown


class Answering:
    """Asks a backend for answers as the task does: to rows with labels by scores, to those with targets in writing.

    Rows that a prompt was scored on are asked in the same words, so that an endpoint's answers are paid for once.
    """

    def __init__(self, backend: Backend, task: Task) -> None:
        self._backend, self._task = backend, task

    def __call__(self, prompt: TextPrompt, rows: Sequence[int]) -> list[str]:
        """The label word that is chosen, in the task's own words, or the beginning of what is written.

        Raises:
            StoppedError: the backend makes no further call.
        """
        return self._chosen(prompt, rows) if self._task.labels else self._written(prompt, rows)

    def row(self, row: int) -> str:
        """A training row as the task writes it, without its label or target."""
        query = self._task.train.queries[row]
        return f"{query.before} {query.after}".strip()

    def right(self, row: int) -> str:
        """What would be right."""
        split = self._task.train
        return split.queries[row].options[int(split.labels[row])]

    def _chosen(self, prompt: TextPrompt, rows: Sequence[int]) -> list[str]:
        words = self._task.train.queries[0].options
        split = self._task.train.in_form_of(prompt)
        scores = self._backend.score([prompt], [split.queries[row] for row in rows]).log_probabilities[0]
        missing = np.isnan(scores).any(axis=-1)
        chosen = chosen_options(np.where(np.isnan(scores), -np.inf, scores))
        return [
            MISSING if failed else words[option] if option >= 0 else NONE_OF_THEM
            for failed, option in zip(missing, chosen, strict=True)
        ]

    def _written(self, prompt: TextPrompt, rows: Sequence[int]) -> list[str]:
        backend = self._backend
        if Capability.GENERATE not in backend.capabilities or not isinstance(backend, GeneratingBackend):
            return [NOT_SEEN] * len(rows)
        split = self._task.train.in_form_of(prompt)
        queries = [split.queries[row] for row in rows]
        written = backend.generate([prompt], queries, Writing(max_tokens=TOKENS)).written[0]
        return [MISSING if one is None else one.text for one in written]
