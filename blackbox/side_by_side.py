"""Text prompts scored on the same rows without any search, each compared with the first, row by row."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from blackbox.asking import ask
from blackbox.backends import Backend, Capability, TextPrompt, Usage, require
from blackbox.graders import Grader
from blackbox.metrics import Measured
from blackbox.paired import Comparison, compare
from blackbox.split import Split


@dataclass(frozen=True, eq=False)
class Scored:
    """One prompt on the rows.

    Attributes:
        prompt: what was scored.
        measured: its metric with an interval; None where no row was answered.
        right: shape (n_rows,), 1 where the chosen option is right, 0 where it is not, NaN where no answer came; of
            numbers how far the expected one is off, less than zero.
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


def side_by_side(backend: Backend, prompts: Sequence[TextPrompt], split: Split, *, grader: Grader) -> list[Scored]:
    """Scores prompts on rows with labels; nothing is searched.

    Args:
        backend: takes text prompts.
        prompts: the first is what the others are compared with.
        split: the rows, by `blackbox.split.make_split`.
        grader: what their answers are graded by.

    Raises:
        DataError: a prompt's own form is none for these rows.
        UnsupportedPromptError: the backend takes no text prompts.
        StoppedError: the budget ends, or the endpoint is down; what was paid for is in its journal of answers.
    """
    require(backend, Capability.TEXT, grader.needs)
    asked = ask(backend, grader, prompts, split, [range(len(split))] * len(prompts))
    first = asked[0].answers.scores
    return [
        Scored(
            prompt,
            one.answers.measured(),
            one.answers.scores,
            one.answers.unreadable,
            one.usage,
            compare(one.answers.scores, first) if number else None,
        )
        for number, (prompt, one) in enumerate(zip(prompts, asked, strict=True))
    ]
