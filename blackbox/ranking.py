"""Which prompts of others would help a task: each is looked at on the training rows, nothing is tuned."""

import math
from collections.abc import Mapping
from dataclasses import dataclass

from blackbox.backends import Backend, Prompt, QueryError, UnsupportedPromptError
from blackbox.errors import DataError, MismatchError
from blackbox.mutual_information import informations
from blackbox.outcome import Outcome, score_prompts
from blackbox.saved_prompt import SavedPrompt
from blackbox.task import Task
from blackbox.transfer import moves, similarity


@dataclass(frozen=True)
class Ranked:
    """A prompt with what is known of it.

    Attributes:
        name: of the prompt.
        outcome: on the training rows; None where it cannot be scored.
        information: of its answers on the rows, nats (`mutual_information`); None for tasks without label words.
        similarity: to a prompt that was tuned on the task; None where there is none, or nothing to be compared.
        refusal: why it cannot be scored.
    """

    name: str
    outcome: Outcome | None = None
    information: float | None = None
    similarity: float | None = None
    refusal: str = ""

    @property
    def loss(self) -> float:
        """Infinite where there is none."""
        return self.outcome.loss if self.outcome else math.inf


def ranked(
    backend: Backend, task: Task, prompts: Mapping[str, SavedPrompt], *, like: Prompt | None = None
) -> list[Ranked]:
    """The prompts by name, that with the lowest loss on the training rows first.

    Args:
        like: a prompt of the same model that was tuned on the task.
    """
    own = moves(like, backend) if like else {}
    found = []
    for name, saved in prompts.items():
        try:
            saved.check(backend)
            [outcome] = score_prompts(backend, task, [saved.prompt], task.train)
            told = informations(backend, task, [saved.prompt], together=1)[0][0] if task.labels else None
        except (MismatchError, DataError, QueryError, UnsupportedPromptError) as error:
            found.append(Ranked(name, refusal=str(error)))
            continue
        found.append(Ranked(name, outcome, told, similarity(moves(saved.prompt, backend), own)))
    return sorted(found, key=lambda one: one.loss)
