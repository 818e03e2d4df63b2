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


def lossy(measured: Measure, *, after: float) -> Summary:
    """The same without a metric."""
    whole = finished(measured, after=0.8)
    bare = replace(whole, dev=None, test_before=None, test_after=None)
    return replace(bare, dev_loss=1.5, test_loss_before=2.0, test_loss_after=after)


def test_runs_without_a_metric_show_their_losses_and_the_lowest_is_bold(measured: Measure) -> None:
    runs = [(name, lossy(measured, after=after), CONFIG) for name, after in (("a", 1.5), ("b", 1.25), ("c", 1.75))]
    table = comparison_table(runs)
    lines = shown(table).splitlines()
    assert [line.split()[-4:] for line in lines[4:7]] == [
        ["0.3712", "1.5000", "2.0000", after] for after in ("1.5000", "1.2500", "1.7500")
    ]
    assert "dev and test: loss, nats" in shown(table)
    colored = shown(comparison_table(runs), color=True)
    assert f"{BOLD}1.2500" in colored
    assert f"{BOLD}1.5000" not in colored
    assert f"{BOLD}1.7500" not in colored


def test_a_loss_and_a_metric_are_not_ranked(measured: Measure) -> None:
    table = shown(
        comparison_table([("a", lossy(measured, after=1.25), CONFIG), ("b", finished(measured, after=0.8), CONFIG)]),
        color=True,
    )
    assert "loss 1.2500" in table
    assert f"{BOLD}loss" not in table
    assert f"{BOLD}accuracy" not in table
    assert "metrics differ" in table


def test_the_table_of_a_run_without_a_metric_has_its_losses(measured: Measure) -> None:
    lines = [" ".join(line.split()) for line in shown(summary_table("x", lossy(measured, after=1.25))).split("\n")]
    for line in ("dev loss 1.5000 nats", "test before loss 2.0000 nats", "test after loss 1.2500 nats"):
        assert line in lines


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
    expected += [
        "to use it –",
        "train loss 0.3712",
        f"dev accuracy {measured(0.75)}",
        f"test before accuracy {measured(0.5, 200)}",
    ]
    assert [line for line in lines if line] == [*expected, f"test after accuracy {measured(0.8, 200)}"]
