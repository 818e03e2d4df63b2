import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from benchmarks.__main__ import BENCHMARKS, RESULTS
from benchmarks.demo import evaluation_of, line_of
from benchmarks.page import BEGIN, END, PAGE, README, ROOT, drawn, page_text, with_figures
from benchmarks.page.headlines import HEADLINES, headline_table
from benchmarks.page.plots import PLOTS, draw_plot
from benchmarks.page.results import Kept, read_results
from benchmarks.page.tables import FOLDED, blocks_of, cell, table
from benchmarks.page.words import HIDDEN, SAID
from blackbox import Evaluation, Measured
from blackbox.backends import Usage

AGAIN = "run python -m benchmarks page"
GAIN = {"against": "deep", "points": 1.5, "low": -0.5, "high": 3.5}
PAIR = {"first": "best", "second": "bbtv2", "points": 1.25, "over_splits": [-1.0, 3.5]}
AGAINST = {"mean_points": -2.0, "low": None, "high": None}
MADE: dict[str, dict[str, Any]] = {
    "few-shot": {
        "methods": [
            {"method": "bbt", "mean": 60.0, "tasks": {"sst2": 80.0, "trec": 40.0}},
            {"method": "start", "mean": 50.0, "tasks": {"sst2": 50.0}},
        ],
        "parts": [{"task": "sst2", "seed": 13}, {"task": "sst2", "seed": 21}, {"task": "trec", "seed": 13}],
        "pairs": [PAIR],
    },
    "text-peers": {"means": {"capo": {"sst2": 0.5, "mean": 0.5}}, "against": {"capo": AGAINST}},
    "ideas": {"ideas": [{"idea": "low-rank", **GAIN}, {"idea": "mixpro", **GAIN, "low": None, "high": None}]},
    "ablation": {"factors": [{"factor": "dimension", "value": "25", **GAIN}]},
}
"""Figures of benchmarks that may have no kept result yet."""


@pytest.fixture(scope="module")
def results() -> dict[str, Kept]:
    return read_results(RESULTS, BENCHMARKS)


def test_the_page_is_current(results: dict[str, Kept]) -> None:
    assert PAGE.read_text(encoding="utf-8") == page_text(results, BENCHMARKS), AGAIN


def test_the_figures_of_the_readme_are_current(results: dict[str, Kept]) -> None:
    readme = README.read_text(encoding="utf-8")
    assert readme == with_figures(readme, results), AGAIN


def test_every_kept_result_is_of_a_benchmark() -> None:
    assert {path.stem for path in RESULTS.glob("*.json")} <= set(BENCHMARKS)


def test_every_figure_of_the_readme_has_a_command_and_a_kept_result() -> None:
    _, _, after = README.read_text(encoding="utf-8").partition("## What it reaches")
    rows = [line for line in after.partition("\n## ")[0].splitlines() if line.startswith("|")][2:]
    assert len(rows) >= 4
    for row in rows:
        named = re.search(r"\| `python -m benchmarks ([a-z0-9-]+)` \|$", row)
        assert named, f"no command: {row}"
        assert named[1] in BENCHMARKS
        assert (RESULTS / f"{named[1]}.json").exists(), f"no kept result: {row}"


def test_every_picture_of_the_page_and_the_readme_is_there() -> None:
    for page in (PAGE, README):
        for path in re.findall(r"!\[.*?\]\((.*?)\)", page.read_text(encoding="utf-8")):
            assert (page.parent / path).exists(), f"{path}: {AGAIN}"


def test_what_is_said_is_said_of_benchmarks() -> None:
    named = {*SAID, *HIDDEN, *(one.name for one in HEADLINES)} - {"text-peers"}
    assert named <= set(BENCHMARKS)


def test_headlines_are_those_of_kept_results(results: dict[str, Kept]) -> None:
    only = {name: one for name, one in results.items() if name == "sst2"}
    [_, _, row] = headline_table(only).splitlines()
    assert "65.8% -> 81.9%, +16.1 points (13.6, 20.2, 14.6)" in row
    assert row.endswith("`python -m benchmarks sst2` |")


def test_headlines_tell_differences_with_their_intervals() -> None:
    made = {name: Kept(name, figures, "", "", {}, None) for name, figures in MADE.items()}
    text = headline_table(made)
    assert "| sst2 (13, 21) bbt 80.0, start 50.0; trec (13) bbt 40.0; mean bbt 60.0, start 50.0; " in text
    assert "; best less bbtv2 +1.2 (-1.0 to +3.5)" in text
    assert "capo 50.0; less capo -2.0 |" in text


def test_a_readme_without_its_marks_is_refused() -> None:
    with pytest.raises(ValueError, match=re.escape(END)):
        with_figures(f"# x\n{BEGIN}\n", {})


@pytest.mark.parametrize("name", PLOTS)
def test_every_picture_can_be_drawn(name: str, results: dict[str, Kept]) -> None:
    figures = results[name].figures if name in drawn(results) else MADE[name]
    assert draw_plot(PLOTS[name], figures).startswith(b"\x89PNG")


def test_a_result_without_what_its_picture_shows_has_none(results: dict[str, Kept]) -> None:
    bare = {"ideas": Kept("ideas", {"ideas": []}, "", "", {}, None)}
    assert drawn(bare) == []
    assert "racing" in drawn(results)


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (True, "yes"),
        (9999, "9999"),
        (12345, "12,345"),
        (0.95123, "0.951"),
        (1234.4, "1234"),
        (7.49e-7, "7.49e-07"),
        (0.0, "0"),
        (float("inf"), "inf"),
        (None, ""),
        ("a|b\nc", "a\\|b c"),
        ("x" * 61, ""),
        ([1, 2.5, "z"], "1, 2.5, z"),
        ([[1, 2]], ""),
    ],
)
def test_a_figure_is_written_short(value: object, text: str) -> None:
    assert cell(value) == text


def test_single_figures_are_one_table_and_alike_parts_another() -> None:
    figures = {"calls": 5, "a_side": {"ms": 1.0, "mb": 2}, "b": {"ms": 3.0}, "note": "made by hand."}
    assert list(blocks_of(figures)) == [
        "Made by hand.",
        "| figure | value |\n| --- | ---: |\n| calls | 5 |",
        "|  | ms | mb |\n| --- | ---: | ---: |\n| a side | 1 | 2 |\n| b | 3 |  |",
    ]


def test_parts_that_are_not_alike_have_tables_of_their_own() -> None:
    blocks = list(blocks_of({"first": {"a": 1}, "second": {"b": 2}, "third": {"c": 3}}))
    assert [block.partition(":")[0] for block in blocks] == ["First", "Second", "Third"]


def test_alike_parts_of_a_row_are_rows() -> None:
    [block] = blocks_of({"searches": [{"task": "t", "start": {"test": 0.1}, "end": {"test": 0.5, "dev": 0.6}}]})
    assert block.splitlines()[2:] == [
        "| task |   | test | dev |",
        "| --- | --- | ---: | ---: |",
        "| t | start | 0.1 |  |",
        "| t | end | 0.5 | 0.6 |",
    ]


def test_rows_of_which_only_some_have_alike_parts_stay_rows() -> None:
    first = {"method": "m", "tasks": {"a": 1.0}, "published": {"a": 2.0}}
    [block] = blocks_of({"methods": [first, {**first, "published": {}}]})
    assert block.splitlines()[2:] == [
        "| method | tasks a | published a |",
        "| --- | ---: | ---: |",
        "| m | 1 | 2 |",
        "| m | 1 |  |",
    ]


def test_few_wide_rows_are_turned() -> None:
    wide = {f"figure_{number}": number for number in range(10)}
    [block] = blocks_of({"x": wide, "y": wide})
    assert block.splitlines()[0] == "|  | x | y |"
    assert block.splitlines()[3] == "| figure 1 | 1 | 1 |"


def test_a_long_table_is_folded() -> None:
    rows = [[str(number)] for number in range(FOLDED + 1)]
    assert table(["n"], rows, "all of it").startswith(f"<details><summary>all of it: {FOLDED + 1} rows</summary>")
    assert not table(["n"], rows[1:]).startswith("<details>")


def test_a_curve_is_kept_in_lines() -> None:
    seen = Measured("accuracy", 0.75, 0.5, 0.875, 16)
    for number, measured in enumerate((seen, None)):
        evaluation = Evaluation(
            number=number,
            split="dev",
            generation=2,
            block=None,
            candidate="0123456789abcdef",
            loss=0.5,
            measured=measured,
            rows=16,
            failed_rows=0,
            usage=Usage(),
            elapsed=0.0,
        )
        assert evaluation_of(number, line_of(evaluation)) == evaluation


def test_the_curve_of_a_loss_without_a_value_is_kept() -> None:
    lost = evaluation_of(0, "train 1 0123456789abcdef 16 inf")
    assert np.isinf(lost.loss)
    assert lost.measured is None


def test_the_page_lies_where_the_readme_says() -> None:
    assert f"({PAGE.relative_to(ROOT)})" in README.read_text(encoding="utf-8")
    assert Path("benchmarks/README.md") == PAGE.relative_to(ROOT)
