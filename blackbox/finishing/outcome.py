"""Which prompt a run hands out, and what a row costs behind it: told by the history alone."""

from collections.abc import Sequence
from dataclasses import replace

from blackbox.evaluation import Evaluation
from blackbox.selection import outdoes
from blackbox.tried import PLAIN

Tokens = tuple[float, float]


def attempts(history: Sequence[Evaluation]) -> list[Evaluation]:
    """What was tried after the search, on the dev rows, in order."""
    return [evaluation for evaluation in history if evaluation.tried and evaluation.split == "dev"]


def handed_out(history: Sequence[Evaluation], selected: str | None) -> Evaluation | None:
    """The look at the dev rows of what the run hands out; None where nothing was looked at.

    What is tried asks, fits or keeps more. It takes the place of what is simpler only where its metric is better by
    more than one standard error: on few rows a smaller gain is as likely luck.

    Args:
        history: of the run.
        selected: digest of the selected candidate.
    """
    best = find(history, "dev", selected)
    for evaluation in attempts(history):
        if best is None or outdoes(evaluation, best):
            best = evaluation
    return best


def tokens_a_row(history: Sequence[Evaluation], selected: str | None) -> Tokens | None:
    """Prompt and completion tokens of one row behind what is handed out, from its test rows, else its dev rows."""
    handed = handed_out(history, selected)
    if handed is None:
        return serving(find(history, "test", selected))
    tested = None if handed.tried and handed.tried.readout else find(history, "test", handed.candidate)
    return serving(tested or in_use(history, handed))


def in_use(history: Sequence[Evaluation], handed: Evaluation) -> Evaluation | None:
    """A look at the dev rows that takes what the prompt takes in use: calibrations and readouts are made once."""
    if handed.tried is None or (handed.tried.calibration == PLAIN and not handed.tried.readout):
        return handed
    if handed.tried.asks == 1:
        return find(history, "dev", handed.tried.members[0])
    plain = replace(handed.tried, calibration=PLAIN)
    return find(history, "dev", plain.digest)


def over_templates(history: Sequence[Evaluation], split: str) -> Evaluation | None:
    """The first evaluation over several templates on a split, whose `tried` tells the metric in each of them."""
    found = (one for one in history if one.split == split and one.tried and one.tried.templates)
    return next(found, None)


def serving(evaluation: Evaluation | None) -> Tokens | None:
    """Prompt and completion tokens of one row; of answers that were paid for earlier, what they were then."""
    if evaluation is None or not evaluation.rows:
        return None
    usage = evaluation.usage
    return usage.prompt_tokens / evaluation.rows, usage.completion_tokens / evaluation.rows


def find(history: Sequence[Evaluation], split: str, candidate: str | None) -> Evaluation | None:
    """The first evaluation of a candidate, or of what was tried, on a split."""
    found = (evaluation for evaluation in history if (evaluation.split, evaluation.candidate) == (split, candidate))
    return next(found, None)
