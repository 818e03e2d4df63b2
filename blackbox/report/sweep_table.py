"""The tables of a sweep for the terminal: one for each task, and one over all of them."""

from collections.abc import Iterator, Sequence
from itertools import groupby

from rich.box import SIMPLE_HEAD
from rich.table import Table
from rich.text import Text

from blackbox.report.sweep_words import (
    best_of,
    difference_in_words,
    interval_in_words,
    mean_in_words,
    runs_in_words,
    task_in_words,
)
from blackbox.report.words import about, compact, in_usd
from blackbox.sweeps.standings import Standing

_COSTS = ("evalu-\nations", "requests", "tokens", "price", "time")


def sweep_tables(standings: Sequence[Standing], *, baseline: str | None, wide: bool = True) -> Iterator[Table]:
    """Methods in the order given; the best mean is bold. Intervals stand below their figures; costs are of a run.

    Args:
        standings: of the sweep.
        baseline: the method that the others are compared with.
        wide: made for 120 columns; else for 80, with time as the only cost.
    """
    for task, lines in groupby(standings, key=lambda standing: standing.task):
        yield _table(task, list(lines), baseline, _COSTS if wide else _COSTS[-1:])


def _table(task: str | None, standings: Sequence[Standing], baseline: str | None, costs: Sequence[str]) -> Table:
    kind = next((standing.kind for standing in standings if standing.kind), None)
    figure = f"{kind.metric}, {kind.unit}" if kind else "metrics differ" if task is None else "no figures yet"
    title = Text.assemble((task_in_words(task), "bold"), (f"  test rows: {figure}", "dim"))
    table = Table(box=SIMPLE_HEAD, padding=(0, 1, 0, 0), title=title, title_justify="left")
    table.add_column("method", overflow="fold")
    less = ("less the\nbaseline",) if baseline is not None else ()
    for what in ("runs", "start", "found", *less, *costs):
        table.add_column(what, justify="right", no_wrap=True)
    best = best_of(standings)
    for standing in standings:
        compared = [_compared(standing, baseline)] if baseline is not None else []
        table.add_row(*_words(standing, bold=standing is best), *compared, *_costs(standing)[-len(costs) :])
    return table


def _words(standing: Standing, *, bold: bool) -> list[Text]:
    found, kind = standing.found, standing.kind
    interval = interval_in_words(found.low, found.high, kind) if found and kind else ""
    return [
        Text(standing.method),
        Text(runs_in_words(standing)),
        Text(mean_in_words(standing.start, kind)),
        _above(mean_in_words(found, kind), interval, style="bold" if bold else ""),
    ]


def _compared(standing: Standing, baseline: str | None) -> Text:
    if standing.method == baseline:
        return Text("baseline", style="dim")
    return _above(*difference_in_words(standing))


def _above(figure: str, interval: str, *, style: str = "") -> Text:
    return Text.assemble((figure, style), (f"\n{interval}" if interval else "", "dim"))


def _costs(standing: Standing) -> list[Text]:
    cost = standing.cost
    if cost is None:
        return [Text("–")] * len(_COSTS)
    counts = (cost.evaluations, cost.requests, cost.tokens)
    return [*(Text(compact(round(count))) for count in counts), Text(in_usd(cost.usd)), Text(about(cost.seconds))]
