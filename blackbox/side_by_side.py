"""Text prompts scored on the same rows without any search, each compared with the first, row by row."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from blackbox.backends import Backend, Capability, TextPrompt, Usage, chosen_options, require
from blackbox.blank import make_blank
from blackbox.errors import DataError
from blackbox.metrics import Measured, make_metric
from blackbox.paired import Comparison, compare
from blackbox.task import RawRow, make_split
from blackbox.template import Template


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
    backend: Backend,
    prompts: Sequence[TextPrompt],
    rows: Sequence[RawRow],
    *,
    template: str,
    label_words: Mapping[str, str],
    label_field: str = "label",
    metric: str = "accuracy",
) -> list[Scored]:
    """Scores prompts on rows with labels; nothing is searched.

    Args:
        backend: takes text prompts.
        prompts: the first is what the others are compared with.
        rows: with the fields of the template, and labels.
        template, label_words, label_field, metric: as of `blackbox.Task`.

    Raises:
        UnsupportedPromptError: the backend takes no text prompts.
        DataError: no rows, or rows and label words that do not fit.
        StoppedError: the budget ends, or the endpoint is down; what was paid for is in its journal of answers.
    """
    require(backend, Capability.TEXT, Capability.LABEL_SCORES)
    if not rows:
        raise DataError("there are no rows to score the prompts on")
    blank = make_blank(label_words, label_field=label_field, target_field=None)
    split = make_split("rows", rows, Template(template), blank)
    scores = backend.score(list(prompts), split.queries)
    scored: list[Scored] = []
    for prompt, log_probabilities, usage in zip(prompts, scores.log_probabilities, scores.usages, strict=True):
        missing = np.isnan(log_probabilities).any(axis=-1)
        chosen = chosen_options(log_probabilities)
        right = np.where(missing, np.nan, (chosen == split.labels).astype(np.float64))
        scored.append(
            Scored(
                prompt,
                blank.measure(make_metric(metric), log_probabilities, split.labels),
                right,
                int((chosen[~missing] < 0).sum()),
                usage,
                compare(right, scored[0].right) if scored else None,
            )
        )
    return scored
