"""The learning curve of a run, as a PNG."""

import math
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from blackbox.evaluation import Evaluation
from blackbox.figures import Figure as Seen
from blackbox.files import write_whole
from blackbox.report.drawing import BLUE, FAINT, GREEN, GREY, ORANGE, PALE, picture, tidy
from blackbox.report.improvements import Improvement, find_improvements, spent_after

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_INCHES = (9.0, 6.0)


def draw_curve(history: Sequence[Evaluation], path: Path, *, loss_label: str = "training loss") -> bool:
    """Draw the training loss and, below it, what was seen on the dev and test rows.

    Args:
        history: of the run, in order.
        path: the PNG.
        loss_label: the name on the upper panel's axis; with its unit, where it has one.

    Returns:
        Whether there is a picture: not without matplotlib, and not for an empty history.
    """
    if not history:
        return False
    drawn = picture(lambda figure: _draw(figure, history, loss_label=loss_label), inches=_INCHES)
    if drawn is None:
        return False
    write_whole(path, drawn)
    return True


def _draw(figure: "Figure", history: Sequence[Evaluation], *, loss_label: str) -> None:
    end = max(1, spent_after(history)[-1])
    looks = [improvement for improvement in find_improvements(history) if improvement.dev]
    heights = [3, 2] if looks else [1]
    panels = figure.subplots(len(heights), 1, sharex=True, squeeze=False, height_ratios=heights)[:, 0]
    _draw_losses(panels[0], history, end)
    panels[0].set_ylabel(loss_label)
    if looks:
        _draw_looks(panels[1], looks, end)
        _draw_tests(panels[1], history, end)
        panels[1].set_ylabel(next((_named(look.dev.figure) for look in looks if look.dev and look.dev.figure), ""))
    for panel in panels:
        tidy(panel, left=-0.02 * end, right=(1.075 if looks else 1.02) * end)
    what = "training evaluations and looks at the dev rows" if looks else "training evaluations"
    panels[-1].set_xlabel(f"evaluations spent ({what})")


def _draw_losses(panel: "Axes", history: Sequence[Evaluation], end: int) -> None:
    """All training losses, the lowest so far, and the start. A loss of inf has no place on the axis."""
    pairs = zip(spent_after(history), history, strict=True)
    points = [(x, e.loss) for x, e in pairs if e.split == "train" and math.isfinite(e.loss)]
    if not points:
        return
    size, label = (10 if len(points) > 100 else 28), _limit_heights(panel, [loss for _, loss in points])
    x, y = zip(*points, strict=True)
    panel.scatter(x, y, s=size, color=FAINT, alpha=0.6, linewidths=0, label=label)
    if math.isfinite(history[0].loss):
        panel.axhline(history[0].loss, color=GREY, linewidth=1, linestyle=(0, (5, 4)), label="starting prompt")
    lows: list[tuple[int, float]] = []
    for spent, loss in points:
        lows.append((spent, min(loss, lows[-1][1]) if lows else loss))
    _step(panel, lows, end, color=BLUE, label="lowest so far")


def _limit_heights(panel: "Axes", losses: Sequence[float]) -> str:
    """Let a few losses far above all others and the start not flatten the panel; the dots' label, which counts them."""
    low, top = min(losses), max(losses[0], float(np.quantile(losses, 0.99)))
    if top == low or max(losses) - low <= 3 * (top - low):
        return "one prompt"
    panel.set_ylim(low - 0.05 * (top - low), top + 0.1 * (top - low))
    return f"one prompt ({sum(loss > top + 0.1 * (top - low) for loss in losses)} above the panel)"


def _draw_looks(panel: "Axes", looks: Sequence[Improvement], end: int) -> None:
    """Each look at the dev rows, with its interval if it has one, and the figure of the selected prompt."""
    found = [(look.spent, look.dev.figure, look.leads) for look in looks if look.dev and look.dev.figure]
    for x, seen, _ in found:
        label = "dev rows, 95% interval" if seen.interval else "dev rows"
        _bar(panel, x, seen, fmt="o", color=ORANGE, ecolor=PALE, label=label)
    leaders = [(x, seen.scale * seen.value) for x, seen, leads in found if leads]
    _step(panel, leaders, end, color=ORANGE, label="selected prompt, dev rows")


def _draw_tests(panel: "Axes", history: Sequence[Evaluation], end: int) -> None:
    """Short marks behind the last evaluation: the start and the selected prompt on the test rows."""
    tests = [(evaluation.generation, evaluation.figure) for evaluation in history if evaluation.split == "test"]
    for generation, seen in tests:
        when, color, place = ("after", GREEN, 1.05) if generation else ("before", GREY, 1.025)
        if seen:
            _bar(panel, end * place, seen, fmt="_", color=color, markersize=11, label=f"test rows {when}")


def _named(seen: Seen) -> str:
    return f"{seen.metric} ({seen.unit})"


def _bar(panel: "Axes", x: float, seen: Seen, *, label: str, **style: object) -> None:
    """One mark with its interval; a bootstrap's interval need not hold the value."""
    low, high = seen.interval or (seen.value, seen.value)
    reach = (seen.value - low, high - seen.value)
    named = label not in panel.get_legend_handles_labels()[1]
    panel.errorbar(
        [x],
        [seen.scale * seen.value],
        yerr=[[seen.scale * max(0.0, length)] for length in reach] if seen.interval else None,
        label=label if named else None,
        **{"markersize": 4, "elinewidth": 1, "capsize": 2, "markeredgewidth": 1.2, **style},  # type: ignore[arg-type]
    )


def _step(panel: "Axes", points: Sequence[tuple[float, float]], end: int, *, color: str, label: str) -> None:
    """A line that holds each value until the next one, and the last one to the end."""
    if points:
        x, y = zip(*points, (end, points[-1][1]), strict=True)
        panel.step(x, y, where="post", color=color, linewidth=1.8, label=label)
