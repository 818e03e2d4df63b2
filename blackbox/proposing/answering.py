"""What a model answers to training rows, in words: for a model that shall learn from the mistakes."""

from collections.abc import Sequence

from blackbox.backends import Backend, Capability, Query, TextPrompt, Writing
from blackbox.filling import choose, write
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

    def is_right(self, row: int, answer: str) -> bool:
        """Whether an answer is what would be right, or one of several texts that would be."""
        accepted = self._task.train.accepted[row] or (self.right(row),)
        return answer.strip().casefold() in {text.strip().casefold() for text in accepted}

    def _chosen(self, prompt: TextPrompt, rows: Sequence[int]) -> list[str]:
        predictions = choose(self._backend, prompt, self._queries(prompt, rows), self._task.train.queries[0].options)
        return [one.label or (NONE_OF_THEM if one.probabilities else MISSING) for one in predictions]

    def _written(self, prompt: TextPrompt, rows: Sequence[int]) -> list[str]:
        if Capability.GENERATE not in self._backend.capabilities:
            return [NOT_SEEN] * len(rows)
        writing = self._task.grader.writing or Writing(max_tokens=TOKENS)
        [line] = write(self._backend, [prompt], self._queries(prompt, rows), writing).written
        return [MISSING if one is None else one.text for one in line]

    def _queries(self, prompt: TextPrompt, rows: Sequence[int]) -> list[Query]:
        split = self._task.train.in_form_of(prompt)
        return [split.queries[row] for row in rows]
