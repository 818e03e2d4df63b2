"""The objective: candidates in, losses and metrics on a split out."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from blackbox.backends import Backend, Prompt, Usage
from blackbox.metrics import Measured
from blackbox.spaces import PromptSpace
from blackbox.task import Split, Task


@dataclass(frozen=True)
class Outcome:
    """A prompt scored on a split: see `Evaluation` for the parts."""

    loss: float
    measured: Measured | None
    rows: int
    failed_rows: int
    usage: Usage


@dataclass(frozen=True)
class Objective:
    """Composes a prompt space, a backend and a task."""

    task: Task
    backend: Backend
    space: PromptSpace

    def __call__(self, candidates: npt.NDArray[np.float64], split: Split) -> list[Outcome]:
        """Score candidates of shape (n, dimension) on the rows of a split; n outcomes."""
        return score_prompts(self.backend, self.task, self.space.decode(candidates), split)


def score_prompts(backend: Backend, task: Task, prompts: Sequence[Prompt], split: Split) -> list[Outcome]:
    """Score prompts on the rows of a split, one outcome each. A row without an answer counts in no mean."""
    scores = backend.score(prompts, split.queries)
    losses = task.loss(scores.log_probabilities, split.labels)
    return [
        _outcome(task, split, log_probabilities, float(loss), usage)
        for log_probabilities, loss, usage in zip(scores.log_probabilities, losses, scores.usages, strict=True)
    ]


def _outcome(
    task: Task, split: Split, log_probabilities: npt.NDArray[np.float64], loss: float, usage: Usage
) -> Outcome:
    measured = task.blank.measure(task.metric, log_probabilities, split.labels)
    failed = np.isnan(log_probabilities).any(axis=-1)
    return Outcome(loss, measured, len(split), int(failed.sum()), usage)
