import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from blackbox.saved_prompt import SavedPrompt
from tests.blackbox.cli.conftest import Answer

Blackbox = Callable[..., Answer]


@pytest.fixture
def bank(blackbox: Blackbox, run: Path) -> Path:
    """A bank with one prompt, "first"."""
    folder = run.parent / "bank"
    assert blackbox("bank", "add", run, "--name", "first", "--folder", folder).code == 0
    return folder


def test_prompts_are_added_by_their_runs_names_and_listed(blackbox: Blackbox, run: Path, bank: Path) -> None:
    added = blackbox("bank", "add", run, "--folder", bank)
    assert (added.code, added.out) == (0, "")
    assert "run is in" in added.err
    listed = blackbox("bank", "list", "--folder", bank)
    assert listed.code == 0
    assert [word in listed.out for word in ("first", "run", "DeepPrompt", "fake", "'ab'", "%")] == [True] * 6


def test_a_name_is_for_one_prompt(blackbox: Blackbox, run: Path, bank: Path) -> None:
    answer = blackbox("bank", "add", run, run, "--name", "both", "--folder", bank)
    assert answer.code == 2
    assert "one name is for one prompt, got 2" in answer.err


def test_prompts_are_ranked_by_their_loss_on_the_training_rows(
    blackbox: Blackbox, config: Path, run: Path, bank: Path
) -> None:
    answer = blackbox("bank", "rank", config, "--folder", bank)
    assert answer.code == 0
    lines = [line for line in answer.out.splitlines() if "first" in line or "the start" in line]
    assert ["first" in line for line in lines] == [True, False]
    better = blackbox("bank", "rank", config, "--folder", bank, "--prompt", "classify sentiment carefully answer")
    lines = [line for line in better.out.splitlines() if "first" in line or "the start" in line]
    assert ["first" in line for line in lines] == [False, True]


def test_a_prompt_of_another_model_stands_last_with_the_reason(blackbox: Blackbox, config: Path, bank: Path) -> None:
    replace(SavedPrompt.load(bank / "first"), model_hash="other").save(bank / "foreign")
    answer = blackbox("bank", "rank", config, "--folder", bank)
    assert answer.code == 0
    lines = [line for line in answer.out.splitlines() if any(name in line for name in ("first", "start", "foreign"))]
    assert "other weights" in answer.out
    assert "foreign" in lines[-1]


def test_a_tuned_prompt_is_like_itself(blackbox: Blackbox, config: Path, run: Path, bank: Path) -> None:
    answer = blackbox("bank", "rank", config, "--folder", bank, "--like", run)
    assert answer.code == 0
    first, start = (next(line for line in answer.out.splitlines() if name in line) for name in ("first", "the start"))
    assert "1.000" in first
    assert "1.000" not in start


@pytest.mark.parametrize("command", [["list"], ["rank", "task.toml"]])
def test_a_folder_that_is_no_bank_is_refused(blackbox: Blackbox, config: Path, command: list[str]) -> None:
    arguments = [config if word == "task.toml" else word for word in command]
    answer = blackbox("bank", *arguments, "--folder", config.parent / "nowhere")
    assert answer.code == 2
    assert "nowhere holds no prompt" in " ".join(answer.err.split())


def test_a_run_starts_from_a_bank_and_goes_on_without_it(blackbox: Blackbox, config: Path, bank: Path) -> None:
    answer = blackbox("tune", config, "--runs", config.parent, "--name", "warm", "--warm-start", bank)
    assert answer.code == 0, answer.err
    shutil.rmtree(bank)
    assert blackbox("resume", config.parent / "warm").code == 0
