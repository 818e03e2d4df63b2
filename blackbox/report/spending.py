"""The table of what a run on an endpoint has spent, and on what."""

from collections.abc import Sequence

from rich.box import SIMPLE_HEAD
from rich.table import Table
from rich.text import Text

from blackbox.backends import Usage
from blackbox.backends.api import Spending
from blackbox.report.words import in_usd


def spending_table(name: str, spending: Sequence[Spending], total: Usage) -> Table:
    """One line for each purpose and prompt, in the order of the first calls, and the sum.

    Args:
        name: of the run.
        spending: its parts.
        total: their sum.
    """
    table = Table(box=SIMPLE_HEAD, title=Text(f"{name}: what was paid for"), title_justify="left", show_footer=True)
    table.add_column("for", "all")
    table.add_column("prompt", overflow="fold")
    for what, sum_ in (
        ("answers", f"{sum(part.answers for part in spending):,}"),
        ("without\nan answer", f"{sum(part.charges for part in spending):,}"),
        ("prompt\ntokens", f"{total.prompt_tokens:,}"),
        ("completion\ntokens", f"{total.completion_tokens:,}"),
        ("price", in_usd(total.usd)),
    ):
        table.add_column(what, sum_, justify="right", no_wrap=True)
    for part in spending:
        table.add_row(
            part.purpose,
            Text(part.candidate),
            f"{part.answers:,}",
            f"{part.charges:,}",
            f"{part.usage.prompt_tokens:,}",
            f"{part.usage.completion_tokens:,}",
            in_usd(part.usage.usd),
        )
    return table
