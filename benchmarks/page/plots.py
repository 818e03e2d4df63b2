"""The pictures of results that are looked at more easily than read."""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from blackbox.report.drawing import BLUE, FAINT, GREEN, GREY, ORANGE, picture, plain

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

Figures = Mapping[str, Any]
_ACROSS = 3  # panels beside each other
_COLORS = (BLUE, ORANGE, GREEN, GREY, FAINT)


@dataclass(frozen=True)
class Plot:
    """A picture: what it shows, the rows or panels that it has, and how it is drawn."""

    caption: str
    parts: Callable[[Figures], Sequence[Any]]
    draw: "Callable[[Figure, Sequence[Any]], None]"
    wide: float = 8.0
    tall: float = 1.0  # inches, without the parts
    tall_each: float = 0.3


def draw_plot(plot: Plot, figures: Figures) -> bytes:
    """A PNG.

    Raises:
        ModuleNotFoundError: matplotlib is not installed.
    """
    parts = plot.parts(figures)
    drawn = picture(
        lambda figure: plot.draw(figure, parts), inches=(plot.wide, plot.tall + plot.tall_each * len(parts))
    )
    if drawn is None:
        raise ModuleNotFoundError("the page needs matplotlib: pip install 'blackbox-prompts[plots]'")
    return drawn


def _gains(key: str, names: Sequence[str]) -> Callable[[Figures], list[Figures]]:
    """Rows of differences, the best at the top."""

    def parts(figures: Figures) -> list[Figures]:
        rows = [{**row, "name": ": ".join(row[name] for name in names)} for row in figures.get(key, ())]
        return sorted(rows, key=lambda row: row["points"])

    return parts


def _factors(figures: Figures) -> list[Figures]:
    """Values of one factor beside each other, the first factor at the top."""
    return [{**row, "name": f"{row['factor']}: {row['value']}"} for row in reversed(figures.get("factors", ()))]


def _forest(figure: "Figure", rows: Sequence[Figures]) -> None:
    """Differences in points with their intervals, from top to bottom."""
    panel = figure.subplots()
    for place, row in enumerate(rows):
        low, high = (row["points"] if row[end] is None else row[end] for end in ("low", "high"))
        sure = low > 0 or high < 0
        panel.plot([low, high], [place, place], color=FAINT, linewidth=2, solid_capstyle="butt")
        panel.plot([row["points"]], [place], "o", color=ORANGE if sure else BLUE, markersize=5)
    panel.axvline(0, color=GREY, linewidth=1, linestyle=(0, (5, 4)))
    _named(panel, [f"{row['name']} ({row['against']})" for row in rows])
    panel.set_xlabel("points of the test score more than without, 95% interval")


def _methods(figures: Figures) -> list[tuple[str, float]]:
    """Mean scores, per cent, the best at the top."""
    return sorted(((row["method"], row["mean"]) for row in figures.get("methods", ())), key=lambda row: row[1])


def _tools(figures: Figures) -> list[tuple[str, float]]:
    means = figures.get("means", {})
    return sorted(((name, 100 * tasks["mean"]) for name, tasks in means.items()), key=lambda row: row[1])


def _bars(figure: "Figure", rows: Sequence[tuple[str, float]]) -> None:
    """Mean scores of methods."""
    panel = figure.subplots()
    panel.barh(range(len(rows)), [mean for _, mean in rows], color=BLUE, height=0.6)
    for place, (_, mean) in enumerate(rows):
        panel.text(mean, place, f" {mean:.1f}", va="center", fontsize=9)
    _named(panel, [name for name, _ in rows])
    panel.set_xlabel("mean test score over the tasks, %")


def _races(figures: Figures) -> list[tuple[str, Figures]]:
    return list(figures.items())[::-1]


def _shares(figure: "Figure", rows: Sequence[tuple[str, Figures]]) -> None:
    """Beside each other: the share of the calls, and how much less often the best is found."""
    calls, found = figure.subplots(1, 2, sharey=True)
    for place, (_, row) in enumerate(rows):
        calls.barh([place], [100 * row["share_of_calls"]], color=BLUE, height=0.6)
        half = 196 * row["behind_standard_error"]
        found.plot([-100 * row["behind"] - half, -100 * row["behind"] + half], [place, place], color=FAINT, linewidth=2)
        found.plot([-100 * row["behind"]], [place], "o", color=ORANGE, markersize=5)
    found.axvline(0, color=GREY, linewidth=1, linestyle=(0, (5, 4)))
    _named(calls, [name for name, _ in rows])
    calls.set_xlabel("calls, % of all rows' calls")
    found.set_xlabel("finds the best more often than all rows do, points")
    plain(found)


def _searches(figures: Figures) -> list[Figures]:
    """Searches of which a curve is kept."""
    return [one for one in figures.get("searches", ()) if any("curve" in part for part in _of_methods(one).values())]


def _of_methods(search: Figures) -> dict[str, Figures]:
    return {name: part for name, part in search.items() if isinstance(part, Mapping)}


def _curves(figure: "Figure", searches: Sequence[Figures]) -> None:
    """The dev score of the selected prompt after so many calls, a panel a search."""
    wide = min(_ACROSS, len(searches))
    panels = figure.subplots(math.ceil(len(searches) / wide), wide, squeeze=False, sharey=True).ravel()
    for panel, search in zip(panels, searches, strict=False):
        for color, (name, part) in zip(_COLORS, _with_curves(search).items(), strict=False):
            calls, dev = zip(*part["curve"], (part["requests"], part["curve"][-1][1]), strict=True)
            panel.step(calls, [100 * one for one in dev], where="post", color=color, linewidth=1.8, label=name)
        panel.set_title(f"{search['task']}, seed {search['seed']}", loc="left", fontsize=11)
        panel.set_xlabel("calls")
        panel.legend(frameon=False, fontsize=9)
        plain(panel)
    for panel in panels[len(searches) :]:
        panel.set_visible(False)
    figure.supylabel("dev score of the selected prompt, %", fontsize=10)


def _with_curves(search: Figures) -> dict[str, Figures]:
    return {name: part for name, part in _of_methods(search).items() if part.get("curve")}


def _named(panel: "Axes", names: Sequence[str]) -> None:
    panel.set_yticks(range(len(names)), names, fontsize=9)
    panel.set_ylim(-0.7, len(names) - 0.3)
    plain(panel)


PLOTS: Mapping[str, Plot] = {
    "few-shot": Plot("Mean test score of each method", _methods, _bars),
    "text-peers": Plot("Mean test score of each tool", _tools, _bars),
    "ideas": Plot("Points gained by each idea", _gains("ideas", ("idea",)), _forest),
    "ablation": Plot("Points gained by each value of each factor", _factors, _forest),
    "racing": Plot("Calls that a race takes, and what it costs", _races, _shares, wide=10.0),
    "text-search": Plot(
        "What searches have found after so many calls", _searches, _curves, wide=10.0, tall=2.0, tall_each=0.8
    ),
}
"""By benchmark."""
