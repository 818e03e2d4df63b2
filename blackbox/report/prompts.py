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
    measured = next((one.measured for one in scored if one.measured), None)
    named, shares = (measured.metric, measured.unit == "%") if measured else ("metric", True)
    table = Table(box=SIMPLE_HEAD)
    table.add_column("prompt", overflow="fold")
    for what in (
        named,
        "right, less the first's" if shares else "nearer than the first",
        "missing",
        "unreadable",
        "price",
    ):
        table.add_column(what, justify="right")
    for one in scored:
        table.add_row(
            Text(one.prompt.whole),
            str(one.measured).removeprefix(f"{named} ") if one.measured else "–",
            _difference(one.against_first, shares=shares) if one.against_first else "–",
            str(one.missing),
            str(one.unreadable),
            in_usd(one.usage.usd),
        )
    return table


def _difference(comparison: Comparison, *, shares: bool) -> str:
    values = (comparison.difference, comparison.low, comparison.high)
    told = [f"{100 * value:+.1f}" if shares else f"{value:+.3f}" for value in values]
    return f"{told[0]}{' points' * shares} ({told[1]} to {told[2]}, p = {comparison.p_value:.2g})"
