"""The figures of a sweep as they are written in tables and on the page."""

import math
from collections.abc import Sequence

from blackbox.figures import Figure
from blackbox.sweeps.standings import Mean, Standing


def task_in_words(task: str | None) -> str:
    return "all tasks" if task is None else task


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


def best_of(standings: Sequence[Standing]) -> Standing | None:
    """The best mean on the test rows; None where there is none, or only one method."""
    shown = [one for one in standings if one.found and one.kind]
    return min(shown, key=_rank) if len(shown) > 1 else None


def _rank(standing: Standing) -> float:
    mean = standing.found.value if standing.found else math.inf
    return mean if standing.kind and standing.kind.metric == "loss" else -mean
