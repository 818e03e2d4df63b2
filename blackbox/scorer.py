"""What a worker of a search does: it has the task's rows, the model and the prompt space, and is sent candidates."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from blackbox.asking import Asked, ask
from blackbox.backends import Backend, Prompt
from blackbox.outcome import Outcome, score_prompts
from blackbox.spaces import PromptSpace
from blackbox.task import Task

Contenders = npt.NDArray[np.float64] | Sequence[Prompt]
"""Candidates, shape (n, dimension), which a worker decodes, or their n prompts."""


@dataclass(frozen=True, eq=False)
class Scorer:
    """Scores prompts, or candidates of a space in which each has one.

    Attributes:
        task: with the rows.
        backend: scores.
        space: of the candidates.
        exact: the same model in float32, where elites are scored again.
    """

    task: Task
    backend: Backend
    space: PromptSpace
    exact: Backend | None = None

    def score(
        self, contenders: Contenders, split: str, *, rows: Sequence[int] | None = None, exactly: bool = False
    ) -> list[Outcome]:
        """The outcomes on a split, by its name, or on some rows of it; `exactly`: of the exact backend."""
        whole = self.task.split(split)
        asked = whole if rows is None else whole.take(rows)
        return score_prompts(self._model(exactly), self.task, self._prompts(contenders), asked)

    def ask(self, contenders: Contenders, split: str, rows: Sequence[int]) -> list[Asked]:
        """The answers of each to some rows of a split, by its name."""
        prompts = self._prompts(contenders)
        return ask(self.backend, self.task.grader, prompts, self.task.split(split), [rows] * len(prompts))

    def _model(self, exactly: bool) -> Backend:
        return self.exact if exactly and self.exact else self.backend

    def _prompts(self, contenders: Contenders) -> Sequence[Prompt]:
        if not isinstance(contenders, np.ndarray):
            return contenders
        return [prompt for prompt in self.space.decode(contenders) if prompt is not None]


def on_gpu(scorer: Scorer) -> Scorer:
    """The same with its models on the GPU that this process has been given."""
    moved = {name: model.to("cuda") for name in ("backend", "exact") if hasattr(model := getattr(scorer, name), "to")}
    return replace(scorer, **moved)


def some_of(contenders: Contenders, numbers: Sequence[int]) -> Contenders:
    """Those of these numbers."""
    if isinstance(contenders, np.ndarray):
        return contenders[list(numbers)]
    return [contenders[number] for number in numbers]
