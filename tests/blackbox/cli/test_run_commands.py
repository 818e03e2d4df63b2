import csv
import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from blackbox.finishing.finished import Finished
from blackbox.metrics import wilson_interval
from blackbox.saved_prompt import SavedPrompt
from tests.blackbox.cli.conftest import Answer
from tests.blackbox.small import make_rows

Blackbox = Callable[..., Answer]


def rows(answer: Answer) -> list[dict[str, object]]:
    return [json.loads(line) for line in answer.out.splitlines()]


def as_lines(values: list[dict[str, object]]) -> str:
    return "".join(json.dumps(row) + "\n" for row in values)


def test_predict_labels_rows_from_stdin_to_stdout(blackbox: Blackbox, run: Path) -> None:
    given = [{"text": "Ein groß-great day", "id": 7}, {"text": "a bad one"}]
    answer = blackbox("predict", run, stdin=as_lines(given) + "\n")
    assert answer.code == 0
    assert answer.err == ""
    first, second = rows(answer)
    assert (first["id"], first["text"], first["predicted"]) == (7, "Ein groß-great day", "positive")
    assert second["predicted"] == "negative"
    shares = second["probabilities"]
    assert isinstance(shares, dict)
    assert sum(shares.values()) == pytest.approx(1.0)
    assert "groß" in answer.out


def test_predict_of_nothing_is_nothing(blackbox: Blackbox, run: Path) -> None:
    assert blackbox("predict", run) == (0, "", "")


def test_predict_answers_in_order_over_many_rows(blackbox: Blackbox, run: Path) -> None:
    answer = blackbox("predict", run, stdin=as_lines(make_rows(700)))
    assert [row["text"] for row in rows(answer)] == [row["text"] for row in make_rows(700)]


def test_predict_labels_the_rows_of_a_csv_file(blackbox: Blackbox, run: Path, tmp_path: Path) -> None:
    data, labelled = tmp_path / "new.csv", tmp_path / "labelled.csv"
    data.write_text('id,text\n7,"Ein groß-great, ""sunny"" day"\n8,a bad one\n')
    assert blackbox("predict", run, data, "--output", labelled) == (0, "", "")
    with labelled.open(newline="") as file:
        first, second = csv.DictReader(file)
    assert (first["id"], first["text"], first["predicted"]) == ("7", 'Ein groß-great, "sunny" day', "positive")
    assert second["predicted"] == "negative"
    by_lines = rows(blackbox("predict", run, data))
    probabilities = [row["probabilities"][row["predicted"]] for row in by_lines]  # type: ignore[index,call-overload]
    assert [float(row["probability"]) for row in (first, second)] == probabilities


def test_predict_writes_lines_of_json_where_the_file_is_named_so(blackbox: Blackbox, run: Path, tmp_path: Path) -> None:
    data, labelled = tmp_path / "new.jsonl", tmp_path / "labelled.jsonl"
    data.write_text(as_lines(make_rows(3)))
    assert blackbox("predict", run, data, "--output", labelled) == (0, "", "")
    assert labelled.read_text() == blackbox("predict", run, data).out


def test_predict_refuses_other_files_and_rows_that_lack_a_field(blackbox: Blackbox, run: Path, tmp_path: Path) -> None:
    (tmp_path / "new.csv").write_text("words\na great one\n")
    answer = blackbox("predict", run, tmp_path / "new.csv")
    assert (answer.code, answer.out) == (2, "")
    assert "new.csv row 1 has no field 'text'" in answer.err.replace("\n", " ")
    answer = blackbox("predict", run, tmp_path / "new.csv", "--output", "labels.xlsx")
    assert answer.code == 2
    assert "labels.xlsx: rows are written to .jsonl and .csv files, got .xlsx" in answer.err


@pytest.mark.parametrize("place", [2, 300])
def test_a_bad_row_of_predict_is_refused_by_its_number(place: int, blackbox: Blackbox, run: Path) -> None:
    lines = as_lines(make_rows(400)).splitlines()
    lines[place - 1] = '{"txt": "x"}'
    answer = blackbox("predict", run, stdin="\n".join(lines))
    assert answer.code == 2
    assert f"stdin line {place} has no field 'text'" in answer.err
    lines[place - 1] = "nothing"
    answer = blackbox("predict", run, stdin="\n".join(lines))
    assert answer.code == 2
    assert f"stdin line {place}: is no JSON" in answer.err


@pytest.mark.parametrize(
    ("line", "message"),
    [
        (b'{"text": "caf\xe9"}', "stdin line 301: is not UTF-8 text (byte 13 of the line)"),
        (b'{"text": null}', "stdin line 301 has null in its field 'text'"),
        (b"nothing", "stdin line 301: is no JSON"),
    ],
)
def test_rows_in_front_of_a_bad_line_are_answered_and_blank_lines_are_counted(
    line: bytes, message: str, blackbox: Blackbox, run: Path
) -> None:
    answer = blackbox("predict", run, stdin=b"\n" + as_lines(make_rows(299)).encode() + line + b"\n{}\n")
    assert answer.code == 2
    assert message in answer.err
    assert answer.err.count("\n") == 1
    assert [row["text"] for row in rows(answer)] == [row["text"] for row in make_rows(299)]


def test_evaluate_refuses_an_unknown_metric_before_a_model_is_loaded(
    blackbox: Blackbox, run: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("blackbox.cli.predict_commands.make_backend", lambda config: pytest.fail("a model was loaded"))
    answer = blackbox("evaluate", run, run.parent / "test.jsonl", "--metric", "f1")
    assert answer.code == 2
    assert "unknown metric 'f1'" in answer.err


def test_evaluate_prints_the_metric_as_json(blackbox: Blackbox, run: Path, tmp_path: Path) -> None:
    wrong = {"text": "a bad day", "label": "positive"}
    (tmp_path / "rows.jsonl").write_text(as_lines([*make_rows(4), wrong]))
    answer = blackbox("evaluate", run, tmp_path / "rows.jsonl")
    low, high = wilson_interval(0.8, 5)
    assert answer.code == 0
    assert json.loads(answer.out) == {"metric": "accuracy", "value": 0.8, "low": low, "high": high, "rows": 5}


def test_evaluate_takes_csv_and_another_metric(blackbox: Blackbox, run: Path, tmp_path: Path) -> None:
    (tmp_path / "rows.csv").write_text("text,label\na bad day,negative\na great day,positive\n")
    answer = blackbox("evaluate", run, tmp_path / "rows.csv", "--metric", "macro-f1")
    assert json.loads(answer.out)["metric"] == "macro-f1"
    assert json.loads(answer.out)["value"] == 1.0


def test_evaluate_refuses_rows_without_labels(blackbox: Blackbox, run: Path, tmp_path: Path) -> None:
    (tmp_path / "rows.jsonl").write_text('{"text": "x"}\n')
    answer = blackbox("evaluate", run, tmp_path / "rows.jsonl")
    assert answer.code == 2
    assert "row 1 has no field 'label'" in answer.err


def test_a_prompt_of_another_model_is_refused_by_name(blackbox: Blackbox, run: Path) -> None:
    replace(SavedPrompt.load(run / "prompt"), model="some-other", model_hash="00").save(run / "prompt")
    answer = blackbox("predict", run, stdin='{"text": "x"}\n')
    assert answer.code == 2
    assert "the prompt was tuned for model 'some-other', got model 'fake'" in answer.err


def test_show_prints_figures_and_the_start(blackbox: Blackbox, run: Path) -> None:
    answer = blackbox("show", run)
    assert answer.code == 0
    for said in ("succeeded", "evaluations", "test before", "test after", "DeepPrompt for fake on the tokens of 'ab'"):
        assert said in answer.out


def test_show_says_what_a_row_costs_and_what_is_done_to_the_prompt(blackbox: Blackbox, run: Path) -> None:
    plain = blackbox("show", run).out
    assert "prompt tokens and 0.0 completion tokens a row" in plain
    assert "calibrated" not in plain
    saved = SavedPrompt.load(run / "prompt")
    replace(saved, finished=Finished(offsets=(0.5, -0.5))).save(run / "prompt")
    assert "calibrated, nats: negative +0.500, positive -0.500" in blackbox("show", run).out


def test_compare_prints_runs_side_by_side(
    blackbox: Blackbox, run: Path, config: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "160")
    blackbox("tune", config, "--runs", run.parent, "--name", "other", "--space", "soft")
    answer = blackbox("compare", run, run.parent / "other")
    assert answer.code == 0
    for said in ("run", "other", "deep", "soft", "fake"):
        assert said in answer.out


def test_compare_in_a_pipe_has_whole_words_in_one_line_a_run(
    blackbox: Blackbox, run: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    line = next(line for line in blackbox("compare", run).out.splitlines() if "succeeded" in line)
    assert line.split()[3:5] == ["deep", "blockwise:cma-es"]


def test_compare_on_a_narrow_terminal_has_a_block_for_each_run(
    blackbox: Blackbox, run: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    monkeypatch.setattr("blackbox.cli.console.out._force_terminal", True)
    said = blackbox("compare", run, run).out
    assert said.count("blockwise:cma-es") == 2
    assert said.count("test after") == 2
