from collections.abc import Callable
from dataclasses import replace
from io import StringIO

from rich.console import Console
from rich.table import Table

from blackbox.metrics import Measured
from blackbox.report.comparison import comparison_table, summary_table
from blackbox.summary import Summary

Measure = Callable[..., Measured]

CONFIG: dict[str, object] = {"model": "smollm2-135m", "space": "deep", "optimizer": "cma-es"}
BOLD = "\x1b[1m"


def shown(table: Table, *, color: bool = False) -> str:
    """What a terminal of 120 columns shows."""
    console = Console(file=StringIO(), width=120, force_terminal=color, _environ={"TERM": "xterm"})
    console.print(table)
    assert isinstance(console.file, StringIO)
    return console.file.getvalue()


def finished(measured: Measure, *, after: float) -> Summary:
    """A run that ended with this accuracy on the test rows."""
    return Summary(
        status="succeeded",
        stop_reason="evaluations",
        evaluations=1000,
        requests=35_000,
        prompt_tokens=1_400_000,
        completion_tokens=100_000,
        usd=1.5,
        seconds=1230.0,
        train_loss=0.3712,
        dev=measured(0.75),
        test_before=measured(0.5, 200),
        test_after=measured(after, 200),
    )


def test_a_run_is_one_row_with_all_its_figures(measured: Measure) -> None:
    row = shown(comparison_table([("reviews", finished(measured, after=0.8), CONFIG)])).splitlines()[4]
    words = ["reviews", "succeeded", "smollm2-135m", "deep", "cma-es", "1,000", "1.50M", "20", "min", "0.3712"]
    assert row.split() == [*words, "75.0%", "50.0%", "80.0%"]


def test_the_intervals_stand_below_their_metrics(measured: Measure) -> None:
    table = shown(comparison_table([("reviews", finished(measured, after=0.8), CONFIG)]))
    spans = (measured(0.75), measured(0.5, 200), measured(0.8, 200))
    assert table.splitlines()[5].split() == [f"{100 * span.low:.1f}–{100 * span.high:.1f}" for span in spans]


def test_the_best_on_the_test_rows_is_bold_and_no_other(measured: Measure) -> None:
    runs = [(name, finished(measured, after=after), CONFIG) for name, after in (("a", 0.7), ("b", 0.8), ("c", 0.6))]
    table = shown(comparison_table([*runs, ("d", Summary("running"), CONFIG)]), color=True)
    assert f"{BOLD}80.0%" in table
    assert f"{BOLD}70.0%" not in table
    assert f"{BOLD}60.0%" not in table


def test_runs_with_different_metrics_are_not_ranked(measured: Measure) -> None:
    other = replace(finished(measured, after=0.8), test_after=Measured("macro-f1", 0.9, 0.8, 0.95, 200))
    runs = [("a", finished(measured, after=0.8), CONFIG), ("b", other, CONFIG)]
    table = shown(comparison_table(runs), color=True)
    assert "macro-f1 90.0%" in table
    assert f"{BOLD}macro-f1" not in table
    assert "metrics differ" in table


def test_what_a_run_does_not_have_is_a_dash() -> None:
    row = shown(comparison_table([("reviews", Summary("failed"), {})])).splitlines()[4]
    assert row.split() == ["reviews", "failed", "–", "–", "–", "0", "0", "0.0", "s", "–", "–", "–", "–"]


def test_the_runs_keep_the_order_they_are_given_in() -> None:
    table = shown(comparison_table([(name, Summary("running"), CONFIG) for name in ("zebra", "ant")]))
    assert table.index("zebra") < table.index("ant")


def test_a_name_that_looks_like_markup_is_shown_as_it_is() -> None:
    assert "[red]x" in shown(comparison_table([("[red]x", Summary("running"), CONFIG)]))
    assert "[red]x" in shown(summary_table("[red]x", Summary("failed", "[bold]gone[/nothing]")))
    assert "[bold]gone[/nothing]" in shown(summary_table("x", Summary("failed", "[bold]gone[/nothing]")))


def test_no_runs_make_a_table_without_rows() -> None:
    assert comparison_table([]).row_count == 0


def test_the_table_of_one_run_has_all_its_figures(measured: Measure) -> None:
    lines = [
        " ".join(line.split()) for line in shown(summary_table("reviews", finished(measured, after=0.8))).split("\n")
    ]
    expected = ["reviews", "status succeeded", "stop reason evaluations", "evaluations 1,000", "requests 35,000"]
    expected += ["prompt tokens 1,400,000", "completion tokens 100,000", "price 1.50 USD", "time 20 min 30 s"]
    expected += ["train loss 0.3712", f"dev accuracy {measured(0.75)}", f"test before accuracy {measured(0.5, 200)}"]
    assert [line for line in lines if line] == [*expected, f"test after accuracy {measured(0.8, 200)}"]
