"""The table of text prompts side by side."""

from collections.abc import Sequence

from rich.box import SIMPLE_HEAD
from rich.table import Table
from rich.text import Text

from blackbox.paired import Comparison
from blackbox.report.words import in_usd
from blackbox.side_by_side import Scored


def prompts_table(scored: Sequence[Scored]) -> Table:
    """One line a prompt: its metric with the interval, and how it compares with the first on the rows of both."""
    named = next((one.measured.metric for one in scored if one.measured), "metric")
    table = Table(box=SIMPLE_HEAD)
    table.add_column("prompt", overflow="fold")
    for what in (named, "right, less the first's", "missing", "unreadable", "price"):
        table.add_column(what, justify="right")
    for one in scored:
        table.add_row(
            Text(one.prompt.whole),
            str(one.measured).removeprefix(f"{named} ") if one.measured else "–",
            _difference(one.against_first) if one.against_first else "–",
            str(one.missing),
            str(one.unreadable),
            in_usd(one.usage.usd),
        )
    return table


def _difference(comparison: Comparison) -> str:
    points = [f"{100 * value:+.1f}" for value in (comparison.difference, comparison.low, comparison.high)]
    return f"{points[0]} points ({points[1]} to {points[2]}, p = {comparison.p_value:.2g})"
