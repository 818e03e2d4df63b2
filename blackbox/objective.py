"""The objective: candidates in, losses and metrics on a split out."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from blackbox.backends import Backend, Prompt, Usage, chosen_options
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
    unreadable_rows: int = 0


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
    return [
        outcome_of(task, log_probabilities, split.labels, usage)
        for log_probabilities, usage in zip(scores.log_probabilities, scores.usages, strict=True)
    ]


def outcome_of(
    task: Task, log_probabilities: npt.NDArray[np.float64], labels: npt.NDArray[np.int64], usage: Usage
) -> Outcome:
    """What log-probabilities of shape (n_rows, n_options) say of one prompt, on rows with labels of shape (n_rows,)."""
    failed = np.isnan(log_probabilities).any(axis=-1)
    unreadable = chosen_options(log_probabilities[~failed]) < 0 if log_probabilities.shape[-1] > 1 else np.array([])
    return Outcome(
        loss=float(task.loss(log_probabilities[None], labels)[0]),
        measured=task.blank.measure(task.metric, log_probabilities, labels),
        rows=len(labels),
        failed_rows=int(failed.sum()),
        usage=usage,
        unreadable_rows=int(unreadable.sum()),
    )
