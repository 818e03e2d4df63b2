"""The tables, the page and the pictures of a sweep."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from io import StringIO
from pathlib import Path

import pytest
from rich.console import Console

from blackbox.backends import Usage
from blackbox.evaluation import Evaluation
from blackbox.journal import Journal
from blackbox.metrics import Measured
from blackbox.report.sweep_page import write_sweep_report
from blackbox.report.sweep_plots import Climb, climb_of, draw_climbs, draw_standings
from blackbox.report.sweep_table import sweep_tables
from blackbox.report.sweep_words import bound_in_words
from blackbox.summary import Summary
from blackbox.sweeps.budget import Bill, SweepBudget
from blackbox.sweeps.plan import PlannedRun
from blackbox.sweeps.records import RunRecord
from blackbox.sweeps.standings import standings
from tests.blackbox.report.test_page import Page

Make = Callable[..., tuple[Evaluation, ...]]
PNG = b"\x89PNG\r\n"


def record(home: Path, task: str, method: str, seed: int, found: float | None) -> RunRecord:
    run = PlannedRun(task, method, seed, home.absolute() / task / f"m{method}" / f"seed{seed}", {})
    if found is None:
        return RunRecord(run, None, "Oops: <gone>")
    after, before = (Measured("accuracy", value, value - 0.1, value + 0.1, 100) for value in (found, 0.5))
    spent = {"evaluations": 900, "requests": 28_800, "prompt_tokens": 1_500_000, "usd": 1.5, "seconds": 75.0}
    return RunRecord(run, Summary("succeeded", test_before=before, test_after=after, **spent))  # type: ignore[arg-type]


@pytest.fixture
def records(tmp_path: Path) -> list[RunRecord]:
    """Two tasks, a baseline and a method that looks like markup; one run of it has failed."""
    values = [("base", 1, 0.60), ("base", 2, 0.62), ("[red]new", 1, 0.71), ("[red]new", 2, 0.75)]
    whole = [record(tmp_path, "one", *value) for value in values]
    return [
        *whole,
        *[record(tmp_path, "two", *value) for value in values[:3]],
        record(tmp_path, "two", "[red]new", 2, None),
    ]


def shown(records: Sequence[RunRecord], *, baseline: str | None = "base", color: bool = False, width: int = 120) -> str:
    console = Console(file=StringIO(), width=width, force_terminal=color, _environ={"TERM": "xterm"})
    for table in sweep_tables(standings(records, baseline=baseline), baseline=baseline, wide=width >= 120):
        console.print(table)
    assert isinstance(console.file, StringIO)
    return console.file.getvalue()


def test_each_task_has_a_table_and_all_of_them_together(records: list[RunRecord]) -> None:
    lines = shown(records).splitlines()
    titles = [line.split("  ")[0] for line in lines if "test rows: accuracy, %" in line]
    assert titles == ["one", "two", "all tasks"]


def test_a_method_has_its_figures_in_one_line_and_their_intervals_below(records: list[RunRecord]) -> None:
    lines = [line.split() for line in shown(records).splitlines()]
    first = next(place for place, words in enumerate(lines) if words[:1] == ["[red]new"])
    assert lines[first] == [
        "[red]new",
        "2",
        "50.0",
        "73.0",
        "+12.0",
        "900",
        "28.8k",
        "1.50M",
        "1.50",
        "USD",
        "1",
        "min",
    ]
    # t(0.975, 1) = 12.706: 73 +- 12.706 * 2, cut to shares, and 12 +- 12.706 * 1
    assert " ".join(lines[first + 1]) == "47.6 to 98.4 -0.7 to 24.7"


def test_on_a_narrow_terminal_the_time_is_the_only_cost(records: list[RunRecord]) -> None:
    lines = [line.split() for line in shown(records, width=80).splitlines()]
    assert ["[red]new", "2", "50.0", "73.0", "+12.0", "1", "min"] in lines


def test_runs_that_failed_are_told(records: list[RunRecord]) -> None:
    assert "1 of 2" in shown(records)


def test_the_best_mean_is_bold(records: list[RunRecord]) -> None:
    text = shown(records, color=True)
    assert "\x1b[1m73.0" in text
    assert "\x1b[1m61.0" not in text


def test_without_a_baseline_there_is_no_column_for_it(records: list[RunRecord]) -> None:
    text = shown(records, baseline=None)
    assert "baseline" not in text
    assert "+12.0" not in text


def test_the_page_says_it_all_and_needs_nothing_else(records: list[RunRecord], tmp_path: Path) -> None:
    pytest.importorskip("matplotlib")
    write_sweep_report(tmp_path, "mine", "base", records, standings(records, baseline="base"))
    page = Page(tmp_path / "report.html")
    assert page.open == []
    for words in (
        "7 of 8 runs succeeded. Together they took 6,300 evaluations, 201,600 requests, 10.50 USD and 8 min 45 s",
        "1 run failed.",
        "[red]new 2 of 2 50.0 73.0 47.6 to 98.4 +12.0 -0.7 to 24.7 0.053 900 28,800 1.50M 1.50 USD",
        "Oops: <gone>",
        "all tasks test rows: accuracy, %",
    ):
        assert words in page.text
    links = [attrs.get("src") or attrs.get("href") for _, attrs in page.tags if "src" in attrs or "href" in attrs]
    assert all(str(link).startswith("data:image/png;base64,") for link in links)
    assert (tmp_path / "methods.png").read_bytes().startswith(PNG)


def test_the_page_leads_to_the_reports_of_its_runs(
    records: list[RunRecord], tmp_path: Path, small_history: Make, without_pictures: None
) -> None:
    folder = records[0].run.folder
    folder.mkdir(parents=True)
    (folder / "report.html").write_text("")
    with Journal(folder / "evaluations.jsonl") as journal:
        journal.append(small_history())
    write_sweep_report(tmp_path, "mine", None, records, standings(records, baseline=None))
    page = Page(tmp_path / "report.html")
    assert [attrs["href"] for tag, attrs in page.tags if tag == "a"] == ["one/mbase/seed1/report.html"]
    assert not [tag for tag, _ in page.tags if tag == "img"]
    assert "less" not in page.text


def test_a_climb_has_the_dev_figure_of_each_selected_prompt(small_history: Make) -> None:
    # 50% after the start and its look; 75% after two more candidates and the look at the better one; ten spent in all
    climb = climb_of(small_history())
    assert climb is not None
    assert climb.what == "dev accuracy (%)"
    assert climb.steps == ((2, 50.0), (5, 75.0))
    assert climb.end == 10


def test_a_climb_without_dev_rows_has_the_training_loss(small_history: Make) -> None:
    climb = climb_of(small_history(dev=False))
    assert climb is not None
    assert climb.what == "training loss"
    assert [loss for _, loss in climb.steps] == [0.8, 0.6, 0.5]
    assert climb_of(()) is None


def test_pictures_are_drawn_for_one_run_and_for_many(records: list[RunRecord]) -> None:
    pytest.importorskip("matplotlib")
    one = Climb(((2, 50.0), (5, 75.0)), 10, "dev accuracy (%)")
    late = Climb(((4, 40.0),), 12, "dev accuracy (%)")
    for climbs in ({"t": {"a": [one]}}, {"t": {f"m{n}": [one, late] for n in range(11)}, "u": {"a": [late]}}):
        drawn = draw_climbs(climbs)
        assert drawn is not None
        assert drawn.startswith(PNG)
    for some in (records[:1], records):
        drawn = draw_standings(standings(some, baseline=None), some)
        assert drawn is not None
        assert drawn.startswith(PNG)


def test_where_nothing_was_found_there_is_no_picture(tmp_path: Path) -> None:
    failed = [record(tmp_path, "one", "a", 1, None)]
    assert draw_standings(standings(failed, baseline=None), failed) is None
    assert draw_climbs({}) is None


def cut_and_left_out(home: Path) -> list[RunRecord]:
    """A run as it should be, one whose search the sweep's budget has ended, and one that was not begun."""
    whole, cut, out = (record(home, "one", "base", seed, 0.6) for seed in (1, 2, 3))
    assert cut.summary is not None
    stopped = replace(cut.summary, stop_reason="usd of the sweep")
    return [whole, replace(cut, summary=stopped), replace(out, summary=None, left_out="the limit of 5 USD is reached")]


def test_runs_that_the_budget_of_the_sweep_has_cut_are_told_in_the_table(tmp_path: Path) -> None:
    assert "2 of 3, 1 cut" in shown(cut_and_left_out(tmp_path))


def test_the_page_has_the_bill_against_the_budget_and_what_it_has_cut(tmp_path: Path) -> None:
    records = cut_and_left_out(tmp_path)
    budget = SweepBudget(max_usd=5.0, seconds=600.0)
    bill = Bill(Usage(1_234, 1_500_000, 1_234, 0, 7.0, 4.5), 75.0, budget)
    write_sweep_report(tmp_path, "mine", None, records, standings(records, baseline=None), bill=bill)
    page = Page(tmp_path / "report.html")
    for words in (
        "2 of 3 runs succeeded.",
        "1 run ended with the budget of the sweep (usd).",
        "1 run not done for lack of budget: the limit of 5 USD is reached.",
        "1,234 requests, 1.50M prompt tokens, 1.23k completion tokens, 4.50 USD of 5.00 USD, ",
        "1 min 15 s of 10 min 00 s.",
        "ended with the budget: usd of the sweep",
        "no budget",
    ):
        assert words in page.text
    assert "have not ended" not in page.text


def test_what_nothing_bounds_is_said() -> None:
    assert bound_in_words(SweepBudget()) == "no limit of requests, prompt tokens, completion tokens, USD, time"
    assert bound_in_words(SweepBudget(max_requests=2_000, max_usd=0.5)) == (
        "2,000 requests, 0.5000 USD; no limit of prompt tokens, completion tokens, time"
    )
