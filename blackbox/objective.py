"""The objective: candidates in, losses and metrics on a split out."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, field, fields, replace

import numpy as np
import numpy.typing as npt

from blackbox.asking import Asked, ask
from blackbox.backends import Backend, Prompt, TextPrompt, Usage
from blackbox.evaluation import Evaluation
from blackbox.losses import mean_loss
from blackbox.metrics import Measured
from blackbox.spaces import PromptSpace, WrittenSpace
from blackbox.split import Split, shown_rows
from blackbox.task import Task
from blackbox.text_prompts import prompt_to_dict
from blackbox.tried import Tried


@dataclass(frozen=True)
class Outcome:
    """A prompt scored on a split: see `Evaluation` for the parts."""

    loss: float
    measured: Measured | None
    rows: int
    failed_rows: int
    usage: Usage
    unreadable_rows: int = 0
    shown_rows: int = 0
    row_losses: tuple[float | None, ...] | None = None
    prompt: dict[str, object] | None = None
    tried: Tried | None = None


NO_PROMPT = Outcome(math.inf, None, rows=0, failed_rows=0, usage=Usage())
"""Of a candidate that has no prompt: it has failed."""


@dataclass(frozen=True)
class Objective:
    """Composes a prompt space, a backend and a task.

    Equal text prompts of a call are scored once. Of a space whose prompts a model writes, what is known from earlier
    evaluations (`learn`) is not scored again, unless rows were without an answer. A shared outcome costs nothing.
    """

    task: Task
    backend: Backend
    space: PromptSpace
    known: dict[tuple[Prompt, str], Outcome] = field(default_factory=dict, init=False, repr=False, compare=False)

    def __call__(self, candidates: npt.NDArray[np.float64], split: Split) -> list[Outcome]:
        """Score candidates of shape (n, dimension) on the rows of a split; n outcomes."""
        prompts = self.space.decode(candidates)
        different = dict.fromkeys(prompt for prompt in prompts if prompt is not None)
        known = {prompt: self.known[prompt, split.name] for prompt in different if (prompt, split.name) in self.known}
        new = [prompt for prompt in different if prompt not in known]
        scored = dict(zip(new, self.score(new, split), strict=True)) if new else {}
        free = known | {prompt: replace(outcome, usage=Usage()) for prompt, outcome in scored.items()}
        return [NO_PROMPT if prompt is None else scored.pop(prompt, free[prompt]) for prompt in prompts]

    def score(self, prompts: Sequence[Prompt], split: Split) -> list[Outcome]:
        """The outcomes of prompts on the rows of a split, one each."""
        return score_prompts(self.backend, self.task, prompts, split)

    def prepare(self, candidates: npt.NDArray[np.float64]) -> None:
        """Decode the candidates of several calls in one, where a model writes their prompts."""
        if isinstance(self.space, WrittenSpace):
            self.space.decode(candidates)

    def learn(self, evaluations: Sequence[Evaluation]) -> None:
        """Take evaluations of this run, in order, for known: each tells of all later candidates with its prompt."""
        if not isinstance(self.space, WrittenSpace):
            return
        for evaluation in evaluations:
            prompt = self.space.written_for(evaluation.candidate)
            if prompt is not None and not evaluation.failed_rows:
                parts = {part.name: getattr(evaluation, part.name) for part in fields(Outcome)}
                self.known.setdefault((prompt, evaluation.split), Outcome(**{**parts, "usage": Usage()}))


def score_prompts(backend: Backend, task: Task, prompts: Sequence[Prompt], split: Split) -> list[Outcome]:
    """Score prompts on the rows of a split, one outcome each. A row without an answer counts in no mean.

    Nor does a training row that a prompt shows: it is not asked.
    """
    shown = shown_in(task, prompts, split)
    rows = [[row for row in range(len(split)) if row not in hidden] for hidden in shown]
    asked = ask(backend, task.grader, prompts, split, rows)
    return [
        outcome_of(one, prompt, n_rows=len(split), shown=len(hidden))
        for one, prompt, hidden in zip(asked, prompts, shown, strict=True)
    ]


def shown_in(task: Task, prompts: Sequence[Prompt], split: Split) -> list[frozenset[int]]:
    """The rows of a split that each prompt shows with their answers: none but training rows."""
    return [shown_rows(prompt, split) if split is task.train else frozenset() for prompt in prompts]


def outcome_of(asked: Asked, prompt: Prompt, *, n_rows: int, shown: int) -> Outcome:
    """What the answers of one prompt say of it.

    Args:
        asked: on which of the split's rows, and what came.
        prompt: which.
        n_rows: of the split.
        shown: rows of the split that it was not asked since it shows them.
    """
    losses = asked.answers.losses
    known = dict(zip(asked.rows, losses.tolist(), strict=True))
    return Outcome(
        loss=mean_loss(losses),
        measured=asked.answers.measured(),
        rows=len(asked.rows),
        failed_rows=int((~asked.answers.answered).sum()),
        usage=asked.usage,
        unreadable_rows=asked.answers.unreadable,
        shown_rows=shown,
        row_losses=tuple(None if np.isnan(known.get(row, np.nan)) else known[row] for row in range(n_rows)),
        prompt=prompt_to_dict(prompt) if isinstance(prompt, TextPrompt) else None,
    )
