"""A task with targets by the commands, on FakeBackend."""

import json
import math
from collections.abc import Callable
from pathlib import Path

import pytest

from blackbox.files import read_json, write_whole
from tests.blackbox.cli.conftest import Answer
from tests.blackbox.small import QUICK, TARGET_TEMPLATE, make_target_rows, write_toml

Blackbox = Callable[..., Answer]
pytestmark = pytest.mark.usefixtures("without_pictures")

START = 4.0 * (1 - math.exp(-(1.2**2)))  # the fake backend's loss of the prompt "ab": q = exp(-1.44), margin 4


@pytest.fixture
def config(tmp_path: Path) -> Path:
    for name, rows in {"train": make_target_rows(40), "test": make_target_rows(10, first=200)}.items():
        write_whole(tmp_path / f"{name}.jsonl", "".join(json.dumps(row) + "\n" for row in rows).encode())
    files = {"train": "train.jsonl", "test": "test.jsonl", "shots": 8}
    task = {"template": TARGET_TEMPLATE, "target_field": "target"}
    return write_toml(tmp_path / "task.toml", **{**QUICK, **files, **task})


@pytest.fixture
def run(config: Path, blackbox: Blackbox) -> Path:
    assert blackbox("tune", config, "--runs", config.parent, "--name", "run").code == 0
    return config.parent / "run"


def test_tune_and_show_print_losses(blackbox: Blackbox, config: Path, run: Path) -> None:
    summary = read_json(run / "summary.json")
    for answer in (
        blackbox("show", run),
        blackbox("tune", config, "--runs", config.parent, "--name", "again"),
        blackbox("resume", run),
    ):
        lines = [" ".join(line.split()) for line in answer.out.splitlines()]
        assert answer.code == 0
        assert f"dev loss {summary['dev_loss']:.4f} nats" in lines
        assert f"test before loss {START:.4f} nats" in lines
        assert f"test after loss {summary['test_loss_after']:.4f} nats" in lines


def test_the_report_tells_the_losses(run: Path) -> None:
    page = (run / "report.html").read_text(encoding="utf-8")
    assert f"the starting prompt has {START:.4f}." in page
    assert "nats less" in page
    assert "dev metric" not in page


def test_compare_shows_losses(blackbox: Blackbox, run: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "160")
    answer = blackbox("compare", run, run)
    assert answer.code == 0
    assert answer.out.count(f"{START:.4f}") == 2
    assert "dev and test: loss, nats" in answer.out


def test_evaluate_prints_the_mean_loss_as_json(blackbox: Blackbox, run: Path) -> None:
    answer = blackbox("evaluate", run, run.parent / "test.jsonl")
    loss = read_json(run / "summary.json")["test_loss_after"]
    assert answer.code == 0
    assert json.loads(answer.out) == {"metric": "loss", "value": pytest.approx(loss), "rows": 10}


def test_predict_writes(blackbox: Blackbox, run: Path) -> None:
    answer = blackbox("predict", run, stdin='{"question": "What is 1 + 1?"}\n')
    assert answer.code == 0
    row = json.loads(answer.out)
    assert row["predicted"]
    assert (row["question"], row["probabilities"]) == ("What is 1 + 1?", {})


def test_with_a_metric_the_model_writes_and_its_figures_are_shown(blackbox: Blackbox, config: Path) -> None:
    written = ["--metric", "exact-match", "--answer-tokens", "40"]
    assert blackbox("tune", config, "--runs", config.parent, "--name", "run", *written).code == 0
    run = config.parent / "run"
    after = read_json(run / "summary.json")["test_after"]
    assert "exact-match" in blackbox("show", run).out
    assert "exact-match" in (run / "report.html").read_text(encoding="utf-8")
    assert json.loads(blackbox("evaluate", run, config.parent / "test.jsonl").out) == after
    contained = blackbox("evaluate", run, config.parent / "test.jsonl", "--metric", "contains")
    assert json.loads(contained.out)["metric"] == "contains"
    wrong = blackbox("evaluate", run, config.parent / "test.jsonl", "--metric", "accuracy")
    assert (wrong.code, wrong.out) == (2, "")
    assert "unknown metric of targets 'accuracy'" in wrong.err


def test_a_dry_run_writes_for_its_forecast(blackbox: Blackbox, config: Path) -> None:
    answer = blackbox("tune", config, "--metric", "exact-match", "--dry-run")
    assert answer.code == 0
    assert "train loss of the start" in answer.out


def test_prompts_are_compared_by_what_is_written_behind_them(blackbox: Blackbox, config: Path) -> None:
    data = config.parent / "test.jsonl"
    task = ["--backend", "fake", "--template", TARGET_TEMPLATE, "--target-field", "target", "--answer-tokens", "40"]
    prompts = ["--prompt", "zzz", "--prompt", "classify sentiment carefully answer"]
    answer = blackbox("evaluate", data, *prompts, *task, "--metric", "exact-match")
    assert answer.code == 0
    assert "100.0%" in answer.out
    likelihood = blackbox("evaluate", data, *prompts, *task)
    assert (likelihood.code, likelihood.out) == (2, "")
    assert "targets need a metric, such as exact-match" in likelihood.err


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--label-words", "a=b,c=d"], "a task has label_words or a target_field, got both"),
        (["--target-field", "answer"], "train row 1 has no field 'answer' with its target"),
        (["--loss", "hinge"], "loss 'hinge' compares label words"),
        (["--template", "{question} {target} {label}"], "template names {target}, the target itself"),
        (["--shots", "21"], "there are 40 rows; 2 samples of 21 are asked for"),
    ],
)
def test_settings_that_cannot_be_those_of_targets_are_refused_in_one_line(
    options: list[str], message: str, blackbox: Blackbox, config: Path
) -> None:
    answer = blackbox("tune", config, "--runs", config.parent / "runs", *options)
    assert (answer.code, answer.out, answer.err.count("\n")) == (2, "", 1)
    assert message in answer.err
    assert not (config.parent / "runs").exists()
