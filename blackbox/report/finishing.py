"""What was tried with the selected prompt after the search, and what a row costs behind the prompt that was found."""

from collections.abc import Sequence
from dataclasses import dataclass

from blackbox.evaluation import Evaluation
from blackbox.finishing.outcome import attempts, find, handed_out, in_use, serving
from blackbox.report.words import counted
from blackbox.summary import Summary
from blackbox.tried import PLAIN, Tried


@dataclass(frozen=True)
class Attempt:
    """A line of the table.

    Attributes:
        what: in words.
        figure: on the dev rows.
        loss: on the dev rows.
        prompt_tokens, completion_tokens: of one row, when it is used.
        kept: whether it is what the run hands out.
    """

    what: str
    figure: str
    loss: float
    prompt_tokens: str
    completion_tokens: str
    kept: bool


def attempts_in_words(history: Sequence[Evaluation]) -> list[Attempt]:
    """The selected prompt and what was tried with it, in order; empty where nothing was."""
    tried = attempts(history)
    selected = tried[0].tried.members[0] if tried and tried[0].tried else None
    looks = [look for look in (find(history, "dev", selected), *tried) if look]
    kept = handed_out(history, selected)
    return [_attempt(look, history, kept=look is kept) for look in looks]


def serving_in_words(summary: Summary) -> str | None:
    """What a row costs behind what was found; None where that is not known."""
    if summary.row_prompt_tokens is None or summary.row_completion_tokens is None:
        return None
    return f"A row takes {tokens_in_words(summary.row_prompt_tokens, summary.row_completion_tokens)}."


def tokens_in_words(prompt: float, completion: float) -> str:
    """Tokens of one row on the average: "104.5 prompt tokens and 1.0 completion tokens"."""
    return f"{prompt:,.1f} prompt tokens and {completion:,.1f} completion tokens"


def tried_in_words(tried: Tried | None) -> str:
    """ "the selected prompt", "an average of 3 prompts", "with batch calibration" or "a ridge readout"."""
    members = len(tried.members) if tried else 1
    what = "the selected prompt" if members == 1 else f"an average of {counted(members, 'prompt')}"
    if tried and tried.templates:
        alone = ", ".join("–" if value is None else f"{value:.3f}" for value in tried.of_templates)
        what += f" averaged over {len(tried.templates)} templates (alone {alone})"
    if tried and tried.readout:
        return f"{what} with a {tried.readout} readout"
    return what if tried is None or tried.calibration == PLAIN else f"{what} with {tried.calibration} calibration"


def _attempt(look: Evaluation, history: Sequence[Evaluation], *, kept: bool) -> Attempt:
    prompt, completion = serving(in_use(history, look)) or (None, None)
    return Attempt(
        tried_in_words(look.tried),
        f"{look.figure.metric} {look.figure}" if look.figure else "–",
        look.loss,
        _number(prompt),
        _number(completion),
        kept,
    )


def _number(tokens: float | None) -> str:
    return "–" if tokens is None else f"{tokens:,.1f}"
