"""What a model puts into the blank of a row: one of the label words, or a text that it writes."""

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from blackbox.backends import (
    Backend,
    Capability,
    GeneratingBackend,
    Generations,
    Prompt,
    Query,
    Writing,
    chosen_options,
    require,
)
from blackbox.errors import SettingError


@dataclass(frozen=True)
class Prediction:
    """A row's answer.

    Attributes:
        label: the most probable label; None where the backend gave no answer, or one that is no label word, and for
            targets.
        probabilities: label -> its share of the probability of all label words; empty without an answer.
        text: of a prompt for targets, what the model wrote; None where it gave no answer.
        number: of labels that are numbers, the expected one; None without an answer, and for other labels.
        tags: of a sentence, the label of each token, None where there is no answer; None for other rows.
    """

    label: str | None = None
    probabilities: dict[str, float] = field(default_factory=dict)
    text: str | None = None
    number: float | None = None
    tags: list[str | None] | None = None

    @property
    def answer(self) -> str | float | list[str | None] | None:
        """The tags, the number, the label, or the text."""
        if self.tags is not None:
            return self.tags
        if self.number is not None:
            return self.number
        return self.text if self.label is None else self.label


def choose(backend: Backend, prompt: Prompt, queries: Sequence[Query], labels: Sequence[str]) -> list[Prediction]:
    """The label of each query, whose options are the words of the labels."""
    return chosen(backend.score([prompt], queries).log_probabilities[0], labels)


def chosen(log_probabilities: npt.NDArray[np.float64], labels: Sequence[str]) -> list[Prediction]:
    """The label of each row, from scores of shape (n_rows, n_labels), nats."""
    return [_chosen(of_row, labels) for of_row in log_probabilities]


def write(backend: Backend, prompts: Sequence[Prompt], queries: Sequence[Query], writing: Writing) -> Generations:
    """What the model writes behind prompts and queries.

    Raises:
        UnsupportedPromptError: the backend does not write.
        SettingError: it says that it does, and has no `generate`.
    """
    require(backend, Capability.GENERATE)
    if not isinstance(backend, GeneratingBackend):
        raise SettingError(f"backend {backend.name!r} says that it writes but is no GeneratingBackend")
    return backend.generate(prompts, queries, writing)


def _chosen(log_probabilities: npt.NDArray[np.float64], labels: Sequence[str]) -> Prediction:
    if np.isnan(log_probabilities).any():
        return Prediction()
    shares = dict(zip(labels, np.exp(log_probabilities).tolist(), strict=True))
    option = int(chosen_options(log_probabilities))
    return Prediction(labels[option] if option >= 0 else None, shares)
