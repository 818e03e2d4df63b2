"""Ctrl-C and SIGTERM, sent to a process in the middle of its search."""

import signal
from pathlib import Path

import pytest

from blackbox import resume, tune
from blackbox.config import read_settings
from blackbox.files import read_json
from tests.blackbox.runs import finish, outcome, spawn, wait_for_lines, write_task


@pytest.mark.usefixtures("without_pictures")
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_run_that_is_told_to_stop_says_how_to_go_on_and_ends_as_the_unbroken_run(
    number: signal.Signals, tmp_path: Path
) -> None:
    config = write_task(tmp_path, optimizer="random-search", layers="all", dimension=4, evaluations=800, slice_size=2)
    folder = tmp_path / "stopped"
    process = spawn("tune", config, "--runs", tmp_path, "--name", "stopped")
    wait_for_lines(folder / "evaluations.jsonl", 30, process)
    process.send_signal(number)
    code, said = finish(process)
    assert code == 130
    assert said == f"stopped; everything paid for is kept. Go on with: blackbox resume {folder}\n"
    summary = read_json(folder / "summary.json")
    assert (summary["status"], summary["stop_reason"]) == ("interrupted", "the user")
    assert 0 < len((folder / "evaluations.jsonl").read_text().splitlines()) < 800
    resume(folder)
    tune(folder=tmp_path / "whole", **read_settings(config))
    assert outcome(folder) == outcome(tmp_path / "whole")
