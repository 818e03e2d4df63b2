import json
from collections.abc import Callable
from pathlib import Path

import pytest

from blackbox.config import Config
from blackbox.files import read_json
from tests.blackbox.cli.conftest import Answer
from tests.blackbox.runs import outcome

Blackbox = Callable[..., Answer]
pytestmark = pytest.mark.usefixtures("without_pictures")


def test_tune_makes_a_run_folder_and_says_what_it_found(blackbox: Blackbox, config: Path) -> None:
    answer = blackbox("tune", config, "--runs", config.parent / "runs", "--name", "first")
    folder = config.parent / "runs" / "first"
    assert answer.code == 0
    assert "succeeded" in answer.out
    assert f"report: {folder / 'report.html'}" in answer.out
    assert read_json(folder / "summary.json")["status"] == "succeeded"
    assert read_json(folder / "config.json")["train"] == str(config.parent / "train.jsonl")


def test_options_replace_what_the_file_says(blackbox: Blackbox, config: Path) -> None:
    options = ["--evaluations", "20", "--space", "soft", "--label-words", "positive=great,negative=bad", "--seed", "9"]
    assert blackbox("tune", config, "--runs", config.parent, "--name", "run", *options).code == 0
    kept = read_json(config.parent / "run" / "config.json")
    assert (kept["evaluations"], kept["space"], kept["seed"], kept["population"]) == (20, "soft", 9, 4)
    assert kept["label_words"] == {"positive": "great", "negative": "bad"}


@pytest.mark.filterwarnings("ignore")  # of the packages
def test_a_run_is_tracked_by_all_that_an_option_names(
    blackbox: Blackbox, config: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for package in ("tensorboardX", "wandb"):
        pytest.importorskip(package)
    monkeypatch.setenv("WANDB_MODE", "offline")
    options = ["--evaluations", "12", "--track", "tensorboard", "--track", "wandb"]
    answer = blackbox("tune", config, "--runs", config.parent, "--name", "run", *options)
    assert (answer.code, answer.err.strip()) == (0, "")
    folder = config.parent / "run"
    assert read_json(folder / "config.json")["track"] == ["tensorboard", "wandb"]
    assert len(list(folder.glob("tensorboard/events.out.tfevents.*"))) == 1
    assert len(list(folder.glob("wandb/offline-run-*"))) == 1


def test_a_tracker_that_there_is_not_is_wrong_input(blackbox: Blackbox, config: Path) -> None:
    answer = blackbox("tune", config, "--runs", config.parent, "--name", "run", "--track", "mflow")
    assert (answer.code, answer.out) == (2, "")
    assert "unknown tracker 'mflow'; did you mean 'mlflow'?" in answer.err


def test_settings_may_all_be_options(blackbox: Blackbox, config: Path) -> None:
    folder = config.parent
    options = ["--backend", "fake", "--train", folder / "train.jsonl", "--label-words", "negative=bad,positive=great"]
    small = ["--dimension", "2", "--population", "2", "--evaluations", "9", "--prompt", "a"]
    assert blackbox("tune", "--runs", folder, "--name", "run", *options, *small).code == 0


def test_a_preset_is_an_option_too(blackbox: Blackbox, config: Path) -> None:
    options = ["--preset", "bbtv2", "--alpha", "0.5"]
    assert blackbox("tune", config, "--runs", config.parent, "--name", "run", *options).code == 0
    kept = read_json(config.parent / "run" / "config.json")
    assert (kept["alpha"], kept["prompt_tokens"], kept["dimension"]) == (0.5, 50, 4)


def test_runs_without_a_name_are_numbered(blackbox: Blackbox, config: Path) -> None:
    for _ in range(3):
        assert blackbox("tune", config, "--runs", config.parent / "runs", "--evaluations", "8").code == 0
    assert sorted(path.name for path in (config.parent / "runs").iterdir()) == ["task", "task-2", "task-3"]


def test_a_dry_run_says_what_it_would_do_and_writes_nothing(blackbox: Blackbox, config: Path) -> None:
    before = sorted(config.parent.rglob("*"))
    answer = blackbox("tune", config, "--runs", config.parent / "runs", "--dry-run")
    assert answer.code == 0
    assert sorted(config.parent.rglob("*")) == before
    text = " ".join(answer.out.split())
    for said in ("8 train, 6 dev, 10 test", "at most 40", "16 numbers in 4 blocks", "blockwise:cma-es, 4 candidates"):
        assert said in text


def test_a_dry_run_shows_a_prompt_that_looks_like_markup_as_it_is(blackbox: Blackbox, config: Path) -> None:
    answer = blackbox("tune", config, "--dry-run", "--prompt", "Classify [/INST] it [red]")
    assert answer.code == 0
    assert "'Classify [/INST] it [red]'" in answer.out


def test_the_help_of_tune_shows_the_defaults(blackbox: Blackbox, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "400")
    monkeypatch.setenv("TERMINAL_WIDTH", "400")
    text = blackbox("tune", "--help").out
    for default in ("[default: 1000]", "[default: blockwise:cma-es]", "[default: the config's name, numbered]"):
        assert default in text


def test_the_way_on_after_a_stop_is_a_command_that_a_shell_understands(
    blackbox: Blackbox, config: Path, run: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def stopped(*arguments: object, **named: object) -> None:
        raise KeyboardInterrupt

    spaced = run.rename(run.parent / "with space")
    monkeypatch.setattr("blackbox.cli.tune_commands.resume_run", stopped)
    answer = blackbox("resume", spaced)
    assert answer.code == 130
    assert answer.err.endswith(f"Go on with: blackbox resume '{spaced}'\n")


def test_a_dry_run_refuses_what_a_run_would_refuse(blackbox: Blackbox, config: Path) -> None:
    assert blackbox("tune", config, "--dry-run", "--evaluations", "3").code == 2


def test_resume_of_an_ended_run_says_what_it_found(blackbox: Blackbox, run: Path) -> None:
    before = outcome(run)
    answer = blackbox("resume", run)
    assert answer.code == 0
    assert "succeeded" in answer.out
    assert outcome(run) == before


def test_resume_goes_on_with_a_run_that_was_cut_off(blackbox: Blackbox, run: Path) -> None:
    before = outcome(run)
    journal = run / "evaluations.jsonl"
    journal.write_bytes(journal.read_bytes()[:3000])
    (run / "checkpoint.json").unlink()
    assert blackbox("resume", run).code == 0
    assert outcome(run) == before


def test_stdout_is_left_to_results(blackbox: Blackbox, config: Path) -> None:
    answer = blackbox("tune", config, "--runs", config.parent, "--name", "run")
    assert "evaluations" not in answer.err  # no terminal, no progress display in so short a run
    assert json.loads((config.parent / "run" / "config.json").read_text())["backend"] == "fake"


def test_every_setting_is_an_option_of_tune(blackbox: Blackbox, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "400")
    monkeypatch.setenv("TERMINAL_WIDTH", "400")
    text = blackbox("tune", "--help").out
    for name in Config.model_fields:
        assert f"--{name.replace('_', '-')}" in text
