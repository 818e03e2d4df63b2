"""Text prompts scored on the same rows without any search, each compared with the first, row by row."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from blackbox.backends import Backend, Capability, TextPrompt, Usage, chosen_options, require
from blackbox.blank import Blank
from blackbox.losses import ErrorRate
from blackbox.metrics import Measured, Metric
from blackbox.paired import Comparison, compare
from blackbox.task import Split


@dataclass(frozen=True, eq=False)
class Scored:
    """One prompt on the rows.

    Attributes:
        prompt: what was scored.
        measured: its metric with an interval; None where no row was answered.
        right: shape (n_rows,), 1 where the chosen option is right, 0 where it is not, NaN where no answer came.
        unreadable: rows whose answer is none of the options; they count as wrong.
        usage: what its answers cost when they were paid for.
        against_first: `right` less that of the first prompt, on the rows that both have; None for the first itself.
    """

    prompt: TextPrompt
    measured: Measured | None
    right: npt.NDArray[np.float64]
    unreadable: int
    usage: Usage
    against_first: Comparison | None

    @property
    def missing(self) -> int:
        """Rows without an answer; they count for nothing."""
        return int(np.isnan(self.right).sum())


def side_by_side(
    backend: Backend, prompts: Sequence[TextPrompt], split: Split, *, blank: Blank, metric: Metric
) -> list[Scored]:
    """Scores prompts on rows with labels; nothing is searched.

    Args:
        backend: takes text prompts.
        prompts: the first is what the others are compared with.
        split: the rows, by `blackbox.task.make_split`.
        blank: what stands in their blanks.
        metric: what they are measured by.

    Raises:
        UnsupportedPromptError: the backend takes no text prompts.
        StoppedError: the budget ends, or the endpoint is down; what was paid for is in its journal of answers.
    """
    require(backend, Capability.TEXT, Capability.LABEL_SCORES)
    scores = backend.score(list(prompts), split.queries)
    right = 1 - ErrorRate().of_rows(scores.log_probabilities, split.labels)
    unreadable = (chosen_options(scores.log_probabilities) < 0) & ~np.isnan(right)
    return [
        Scored(
            prompt,
            blank.measure(metric, scores.log_probabilities[number], split.labels),
            right[number],
            int(unreadable[number].sum()),
            scores.usages[number],
            compare(right[number], right[0]) if number else None,
        )
        for number, prompt in enumerate(prompts)
    ]
