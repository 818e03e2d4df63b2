"""What prompts are scored by while they are pruned: an account in evaluations, and a journal of every answer."""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass, field, fields, replace

import numpy as np

from blackbox.asking import Asked, ask
from blackbox.backends import Backend, Prompt, TextPrompt
from blackbox.backends.prompts import vectors_of
from blackbox.budget import price
from blackbox.evaluation import Evaluation
from blackbox.finishing.finished import Finished
from blackbox.journal import Journal
from blackbox.outcome import Outcome, outcome_of
from blackbox.run_clock import RunClock
from blackbox.split import Split, shown_rows
from blackbox.task import Task
from blackbox.text_prompts import prompt_to_dict


@dataclass(eq=False)
class Account:
    """Scores prompts on a task's rows, each for its price, from the journal where it has the answer.

    Training rows that the first prompt shows with their answers are asked of none, so that losses compare.

    Attributes:
        task, backend: as of the run.
        finished: what is done to the scores of each prompt.
        first: the prompt that is pruned.
        evaluations: the budget.
        journal: where answers are kept.
        slice_size: prompts of one call.
        tolerance: how much higher a loss may be than that of the first prompt, nats.
        spent: evaluations so far.
    """

    task: Task
    backend: Backend
    finished: Finished
    first: Prompt
    evaluations: int
    journal: Journal
    slice_size: int
    tolerance: float
    spent: int = 0
    number: int = 0
    clock: RunClock = field(init=False)

    def __post_init__(self) -> None:
        self.clock = RunClock(None, earlier=self.journal.elapsed)

    def allows(self, prompts: int, split: Split) -> bool:
        """Whether the budget has room for so many prompts on a split, and a look at the dev rows behind them."""
        look = 0 if split is self.task.dev else price(self.task.dev, self.task)
        return self.spent + prompts * price(split, self.task) + look <= self.evaluations

    def train(self, prompts: Sequence[Prompt]) -> list[Evaluation]:
        """Each on the training rows."""
        return self._scored(prompts, self.task.train)

    def dev(self, prompt: Prompt) -> Evaluation:
        """One on the dev rows."""
        return self._scored([prompt], self.task.dev)[0]

    def _scored(self, prompts: Sequence[Prompt], split: Split) -> list[Evaluation]:
        found: list[Evaluation] = []
        for first in range(0, len(prompts), self.slice_size):
            found += self._slice(prompts[first : first + self.slice_size], split)
        self.spent += len(prompts) * price(split, self.task)
        return found

    def _slice(self, prompts: Sequence[Prompt], split: Split) -> list[Evaluation]:
        """Of a slice that was torn by a kill, the journal's part is kept."""
        digests = [prompt_digest(prompt) for prompt in prompts]
        known = [self.journal.find(self.number + place, candidate=digest) for place, digest in enumerate(digests)]
        if not all(known):
            outcomes = self._outcomes(prompts, split)
            made = [
                Evaluation(
                    number=self.number + place,
                    split=split.name,
                    generation=0,
                    block=None,
                    candidate=digest,
                    elapsed=self.clock.elapsed,
                    **{part.name: getattr(outcome, part.name) for part in fields(Outcome)},
                )
                for place, (digest, outcome) in enumerate(zip(digests, outcomes, strict=True))
            ]
            known = list(self.journal.append([replace(one, row_losses=None) for one in made]))
        self.number += len(prompts)
        return [one for one in known if one]

    def _outcomes(self, prompts: Sequence[Prompt], split: Split) -> list[Outcome]:
        hidden = shown_rows(self.first, split) if split is self.task.train else frozenset[int]()
        rows = [row for row in range(len(split)) if row not in hidden]
        grader = self.task.grader
        if self.finished:
            answers = [self.finished.answers(self.backend, grader, prompt, split, rows) for prompt in prompts]
            asked = [Asked(tuple(rows), scores, usage) for scores, usage in answers]
        else:
            asked = ask(self.backend, grader, prompts, split, [rows] * len(prompts))
        return [
            outcome_of(one, prompt, n_rows=len(split), shown=len(hidden))
            for one, prompt in zip(asked, prompts, strict=True)
        ]


def prompt_digest(prompt: Prompt) -> str:
    """Sixteen hexadecimal digits of SHA-256 over all that a prompt is."""
    if isinstance(prompt, TextPrompt):
        return hashlib.sha256(json.dumps(prompt_to_dict(prompt), sort_keys=True).encode()).hexdigest()[:16]
    found = hashlib.sha256(repr((type(prompt).__name__, tuple(prompt.token_ids))).encode())
    for layer, vectors in vectors_of(prompt).items():
        found.update(f"{layer} {vectors.shape}".encode() + np.ascontiguousarray(vectors, dtype="<f4").tobytes())
    return found.hexdigest()[:16]
