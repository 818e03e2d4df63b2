"""Pictures of a sweep: the methods side by side, and what they had found after so many evaluations."""

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import TYPE_CHECKING

import numpy as np

from blackbox.evaluation import Evaluation
from blackbox.figures import Figure as Seen
from blackbox.report.drawing import GREY, picture, plain, tidy
from blackbox.report.improvements import find_improvements, spent_after
from blackbox.report.sweep_words import task_in_words
from blackbox.sweeps.records import RunRecord
from blackbox.sweeps.standings import Standing

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_COLORS = ("#1f5fa8", "#c8591b", "#2b7a4b", "#8e44ad", "#b3261e", "#0e7c86", "#8a6d1f", "#5b6470")
_STYLES = ("-", (0, (5, 2)), (0, (1, 1.5)), (0, (5, 2, 1, 2)))
_WIDE, _ACROSS = 5.2, 2  # inches of a panel, panels beside each other


@dataclass(frozen=True)
class Climb:
    """What a run had found after so many evaluations: steps that hold until the next, and the last until `end`."""

    steps: tuple[tuple[int, float], ...]
    end: int
    what: str


def draw_standings(standings: Sequence[Standing], records: Sequence[RunRecord]) -> bytes | None:
    """Each method's mean with its interval, the runs that it is of, and the mean of the starting prompts; a PNG.

    None without matplotlib, and where nothing has been found.
    """
    shown = [standing for standing in standings if standing.found]
    panels = [(task, list(lines)) for task, lines in groupby(shown, key=lambda standing: standing.task)]
    if not panels:
        return None
    tall = 1.1 + 0.42 * max(len(lines) for _, lines in panels)

    def draw(figure: "Figure") -> None:
        for panel, (task, lines) in zip(_panels(figure, len(panels)), panels, strict=True):
            _draw_methods(panel, lines, [record for record in records if record.run.task == task])
            panel.set_title(task_in_words(task), loc="left", fontsize=11)

    return picture(draw, inches=_size(len(panels), tall))


def draw_climbs(climbs: Mapping[str, Mapping[str, Sequence[Climb]]]) -> bytes | None:
    """Of each task, and of each of its methods, the mean over runs and faintly the runs; a PNG.

    None without matplotlib, and where there are no runs.

    Args:
        climbs: task -> method -> its runs.
    """
    if not climbs:
        return None

    def draw(figure: "Figure") -> None:
        for panel, (task, methods) in zip(_panels(figure, len(climbs)), climbs.items(), strict=True):
            _draw_climbs(panel, methods)
            panel.set_title(task_in_words(task), loc="left", fontsize=11, pad=_above(len(methods)))

    most = max(len(methods) for methods in climbs.values())
    return picture(draw, inches=_size(len(climbs), 3.4 + _above(most) / 72))


def climb_of(history: Sequence[Evaluation]) -> Climb | None:
    """The figure of the selected prompt on the dev rows, without any its training loss; None of an empty search."""
    leading = [improvement for improvement in find_improvements(history) if improvement.leads]
    if not leading:
        return None
    end = spent_after(history)[-1]
    looks = [(one.spent, one.dev.figure) for one in leading if one.dev and one.dev.figure]
    if looks:
        seen = looks[0][1]
        steps = tuple((spent, figure.scale * figure.value) for spent, figure in looks)
        return Climb(steps, end, f"dev {_named(seen)}")
    steps = tuple((one.spent, one.train.loss) for one in leading if math.isfinite(one.train.loss))
    return Climb(steps, end, "training loss") if steps else None


def _panels(figure: "Figure", count: int) -> Iterator["Axes"]:
    across = min(count, _ACROSS)
    rows = math.ceil(count / across)
    panels = figure.subplots(rows, across, squeeze=False).ravel()
    for panel in panels[count:]:
        panel.set_visible(False)
    yield from panels[:count]


def _size(count: int, tall: float) -> tuple[float, float]:
    across = min(count, _ACROSS)
    return max(8.0, _WIDE * across), tall * math.ceil(count / across)


def _draw_methods(panel: "Axes", lines: Sequence[Standing], records: Sequence[RunRecord]) -> None:
    places = range(len(lines))
    for place, line in zip(places, lines, strict=True):
        if not line.found or not line.kind:
            continue
        color, scale, mean = _COLORS[place % len(_COLORS)], line.kind.scale, line.found
        runs = [scale * record.found.value for record in records if record.run.method == line.method and record.found]
        panel.scatter(runs, [place + 0.22] * len(runs), s=16, color=color, alpha=0.45, linewidths=0)
        reach = [[scale * (mean.value - mean.low)], [scale * (mean.high - mean.value)]]
        bars = reach if math.isfinite(mean.low) else None
        panel.errorbar([scale * mean.value], [place], xerr=bars, fmt="o", color=color, markersize=6, capsize=3)
        if line.start:
            panel.plot([scale * line.start.value], [place], marker="|", color=GREY, markersize=11, markeredgewidth=1.6)
    plain(panel)
    panel.grid(visible=False, axis="y")
    panel.set_yticks(list(places), [_short(line.method) for line in lines])
    panel.set_ylim(len(lines) - 0.5, -0.5)
    kind = next(line.kind for line in lines if line.kind)
    panel.set_xlabel(f"test rows: {_named(kind)}")


def _draw_climbs(panel: "Axes", methods: Mapping[str, Sequence[Climb]]) -> None:
    end = max(climb.end for climbs in methods.values() for climb in climbs)
    for place, (method, climbs) in enumerate(methods.items()):
        color = _COLORS[place % len(_COLORS)]
        style = _STYLES[place // len(_COLORS) % len(_STYLES)]
        for climb in climbs if len(climbs) > 1 else []:
            panel.step(*_line(climb), where="post", color=color, alpha=0.25, linewidth=0.8)
        panel.step(*_line(_mean(climbs)), where="post", color=color, linestyle=style, linewidth=2, label=_short(method))
    panel.set_ylabel(next(climb.what for climbs in methods.values() for climb in climbs))
    panel.set_xlabel("evaluations spent")
    tidy(panel, left=-0.02 * end, right=1.02 * end)
    panel.legend(frameon=False, fontsize=8, ncols=2, loc="lower left", bbox_to_anchor=(0, 1), borderaxespad=0.2)


def _mean(climbs: Sequence[Climb]) -> Climb:
    """The mean of the runs, from where all of them have a figure."""
    first = max(climb.steps[0][0] for climb in climbs)
    places = sorted({first, *(spent for climb in climbs for spent, _ in climb.steps if spent > first)})
    means = (float(np.mean([_value(climb, place) for climb in climbs])) for place in places)
    return Climb(tuple(zip(places, means, strict=True)), max(climb.end for climb in climbs), climbs[0].what)


def _value(climb: Climb, place: int) -> float:
    return [value for spent, value in climb.steps if spent <= place][-1]


def _line(climb: Climb) -> tuple[list[int], list[float]]:
    points = [*climb.steps, (climb.end, climb.steps[-1][1])]
    return [spent for spent, _ in points], [value for _, value in points]


def _above(methods: int) -> float:
    """Room for the legend between a panel and its title, points."""
    return 6 + 14 * math.ceil(methods / 2)


def _named(seen: Seen) -> str:
    return f"{seen.metric} ({seen.unit})"


def _short(name: str) -> str:
    return name if len(name) <= 32 else f"{name[:31]}…"
