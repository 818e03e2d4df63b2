"""What is known of a prompt that was scored on a split."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from blackbox.asking import Asked, ask
from blackbox.backends import Backend, Prompt, TextPrompt, Usage
from blackbox.metrics import Measured
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


def shown_in(task: Task, prompts: Sequence[Prompt | None], split: Split) -> list[frozenset[int]]:
    """The rows of a split that each prompt shows with their answers: none but training rows."""
    return [shown_rows(prompt, split) if split is task.train else frozenset() for prompt in prompts]


def outcome_of(asked: Asked, prompt: Prompt | None, *, n_rows: int, shown: int) -> Outcome:
    """What the answers of one prompt say of it.

    Args:
        asked: on which of the split's rows, and what came.
        prompt: which; None, as for any that is no text, does.
        n_rows: of the split.
        shown: rows of the split that it was not asked since it shows them.
    """
    losses = asked.answers.losses
    known = dict(zip(asked.rows, losses.tolist(), strict=True))
    return Outcome(
        loss=asked.answers.mean_loss,
        measured=asked.answers.measured(),
        rows=len(asked.rows),
        failed_rows=int((~asked.answers.answered).sum()),
        usage=asked.usage,
        unreadable_rows=asked.answers.unreadable,
        shown_rows=shown,
        row_losses=tuple(None if np.isnan(known.get(row, np.nan)) else known[row] for row in range(n_rows)),
        prompt=prompt_to_dict(prompt) if isinstance(prompt, TextPrompt) else None,
    )
