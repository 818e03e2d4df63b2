"""The outcome of a run in sentences that claim no more than the figures do."""

from collections.abc import Sequence

from blackbox.figures import Figure
from blackbox.report.improvements import Improvement, selected
from blackbox.report.words import counted, reason_in_words
from blackbox.summary import Summary

Comparison = tuple[str, Figure, Figure]


def status_in_words(summary: Summary) -> str:
    """One sentence on how the run ended, or that it has not."""
    reason = reason_in_words(summary.stop_reason) if summary.stop_reason else "no reason is known"
    match summary.status:
        case "succeeded":
            return f"The search ended because {reason}."
        case "interrupted":
            return f"The search was interrupted by {summary.stop_reason or 'the user'}; it can be resumed."
        case "failed":
            return f"The search failed: {reason}"
        case _:
            return "The search has not ended; these are the figures so far."


def comparison(summary: Summary, improvements: Sequence[Improvement]) -> Comparison | None:
    """The rows, the start's figure and the selected prompt's: on the test rows, else on the dev rows; None without."""
    if summary.figure_before and summary.figure_after:
        return "test rows", summary.figure_before, summary.figure_after
    start = improvements[0].dev if improvements else None
    if start and start.figure and summary.dev_figure:
        return "dev rows", start.figure, summary.dev_figure
    return None


def outcome_in_words(summary: Summary, improvements: Sequence[Improvement]) -> list[str]:
    """What was found, in sentences; a caution with each figure that calls for one."""
    best = selected(improvements)
    if best is None:
        return ["No prompt was scored."]
    compared = comparison(summary, improvements)
    if not best.train.generation:
        return ["The search has found no prompt that is clearly better than the starting prompt.", *_start(compared)]
    if compared is None:
        return [_on_training_rows(improvements[0], best)]
    where, before, after = compared
    return [_change(where, before, after), *_cautions(where, before, after)]


def _start(compared: Comparison | None) -> list[str]:
    return [f"Its own {compared[1].metric} on the {compared[0]} is {compared[1]}."] if compared else []


def _on_training_rows(start: Improvement, best: Improvement) -> str:
    return (
        f"The training loss went from {start.train.loss:.4f} to {best.train.loss:.4f}. The prompt has not been scored "
        "on test rows, which would say what that is worth on rows that the search has not seen."
    )


def _change(where: str, before: Figure, after: Figure) -> str:
    rows = f"the {where}" if after.rows is None else counted(after.rows, where.removesuffix("s"))
    return (
        f"On {rows}, the prompt that was found has {after.metric} {after.brief}; the starting prompt has "
        f"{before.brief}. That is {after.change_from(before.value)}."
    )


def _cautions(where: str, before: Figure, after: Figure) -> list[str]:
    found = []
    if _overlap(before.interval, after.interval):
        found.append("The two 95% intervals overlap: with so many rows, the difference could be chance.")
    if where == "dev rows":
        found.append("The prompt was selected on these rows; expect it to do somewhat worse on rows it has not seen.")
    return found


def _overlap(first: tuple[float, float] | None, second: tuple[float, float] | None) -> bool:
    return bool(first and second and first[0] <= second[1] and second[0] <= first[1])
