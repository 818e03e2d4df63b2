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


def test_predict_is_refused_in_one_line_before_a_model_is_loaded(
    blackbox: Blackbox, run: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("blackbox.cli.run_commands.make_backend", lambda config: pytest.fail("a model was loaded"))
    answer = blackbox("predict", run, stdin='{"question": "What is 1 + 1?"}\n')
    assert (answer.code, answer.out) == (2, "")
    assert answer.err == (
        "error: the prompt is for targets: they are written by generating, which blackbox cannot do yet; "
        "`blackbox evaluate` gives the loss on rows that have targets\n"
    )


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
