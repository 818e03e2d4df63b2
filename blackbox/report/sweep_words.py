"""The figures of a sweep as they are written in tables and on the page."""

import math
from collections.abc import Callable, Sequence
from typing import Any

from blackbox.figures import Figure
from blackbox.metrics import ERRORS
from blackbox.report.words import compact, counted, in_time, in_usd
from blackbox.sweeps.budget import Bill, SweepBudget
from blackbox.sweeps.records import RunRecord
from blackbox.sweeps.standings import Mean, Standing


def task_in_words(task: str | None) -> str:
    return "all tasks" if task is None else task


def runs_in_words(standing: Standing, *, always: bool = False) -> str:
    """ "3", "2 of 3" where not all have succeeded, "3, 1 cut" where the budget of the sweep has ended one's search."""
    whole = standing.runs == standing.planned and not always
    runs = str(standing.runs) if whole else f"{standing.runs} of {standing.planned}"
    return f"{runs}, {standing.cut} cut" if standing.cut else runs


def value_in_words(value: float, kind: Figure) -> str:
    """ "83.3" of shares, in percent; "0.4021" of losses."""
    return f"{kind.scale * value:.1f}" if kind.unit == "%" else f"{kind.scale * value:.4f}"


def mean_in_words(mean: Mean | None, kind: Figure | None) -> str:
    return "–" if mean is None or kind is None else value_in_words(mean.value, kind)


def interval_in_words(low: float, high: float, kind: Figure) -> str:
    """Empty where one value alone shows no spread."""
    if not math.isfinite(low) or not math.isfinite(high):
        return ""
    return f"{value_in_words(low, kind)} to {value_in_words(high, kind)}"


def difference_in_words(standing: Standing) -> tuple[str, str]:
    """The difference from the baseline and its interval: ("+1.5", "-0.2 to 3.2")."""
    found, kind = standing.difference, standing.kind
    if found is None or kind is None:
        return "–", ""
    sign = "+" if found.difference >= 0 else ""
    return f"{sign}{value_in_words(found.difference, kind)}", interval_in_words(found.low, found.high, kind)


def bill_in_words(bill: Bill) -> str:
    """What was paid for and of how much: "1,200 requests of 2,000, ..., 0.8200 USD of 1.00 USD"."""
    spent, budget = bill.spent, bill.budget
    parts = (
        _of(f"{spent.requests:,} requests", budget.max_requests, "{:,}".format),
        _of(f"{compact(spent.prompt_tokens)} prompt tokens", budget.max_prompt_tokens, compact),
        _of(f"{compact(spent.completion_tokens)} completion tokens", budget.max_completion_tokens, compact),
        _of(in_usd(spent.usd), budget.max_usd, in_usd),
        _of(in_time(bill.seconds), budget.seconds, in_time),
    )
    return ", ".join(parts)


def bound_in_words(bound: SweepBudget) -> str:
    """ "2,000 requests, 1.00 USD; no limit of prompt tokens, completion tokens, time"."""
    limits = {
        "requests": bound.max_requests and f"{bound.max_requests:,} requests",
        "prompt tokens": bound.max_prompt_tokens and f"{bound.max_prompt_tokens:,} prompt tokens",
        "completion tokens": bound.max_completion_tokens and f"{bound.max_completion_tokens:,} completion tokens",
        "USD": bound.max_usd and in_usd(bound.max_usd),
        "time": bound.seconds and in_time(bound.seconds),
    }
    known, unknown = [text for text in limits.values() if text], [name for name, text in limits.items() if not text]
    parts = [", ".join(known)] if known else []
    return "; ".join([*parts, *([f"no limit of {', '.join(unknown)}"] if unknown else [])])


def _of(spent: str, limit: Any, written: Callable[[Any], str]) -> str:
    return spent if limit is None else f"{spent} of {written(limit)}"


def shortfall_in_words(records: Sequence[RunRecord]) -> list[str]:
    """The runs that the budget of the sweep has ended, and those that it has left no room for."""
    cut, out = [one for one in records if one.cut], [one for one in records if one.left_out]
    limits = ", ".join(sorted({one.cut.split(" of ")[0].replace("_", " ") for one in cut if one.cut}))
    words = [f"{counted(len(cut), 'run')} ended with the budget of the sweep ({limits})."] if cut else []
    return words + ([f"{counted(len(out), 'run')} not done for lack of budget: {out[0].left_out}."] if out else [])


def best_of(standings: Sequence[Standing]) -> Standing | None:
    """The best mean on the test rows; None where there is none, or only one method."""
    shown = [one for one in standings if one.found and one.kind]
    return min(shown, key=_rank) if len(shown) > 1 else None


def _rank(standing: Standing) -> float:
    mean = standing.found.value if standing.found else math.inf
    return mean if standing.kind and standing.kind.metric in ("loss", *ERRORS) else -mean
