import json
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.blackbox.cli.conftest import Answer
from tests.blackbox.runs import write_task

Blackbox = Callable[..., Answer]


@pytest.fixture
def texts(tmp_path: Path, blackbox: Blackbox, without_pictures: None) -> Path:
    """The folder of a run that has found a text."""
    config = write_task(tmp_path / "texts", space="choices", evaluations=40, population=4)
    assert blackbox("tune", config, "--runs", tmp_path / "texts", "--name", "run").code == 0
    return tmp_path / "texts" / "run"


def test_a_prompt_is_printed_or_written(blackbox: Blackbox, texts: Path, tmp_path: Path) -> None:
    printed = blackbox("export", texts)
    assert (printed.code, printed.err) == (0, "")
    assert "{text}" in printed.out.splitlines()[-1] + printed.out.splitlines()[-2]
    assert blackbox("export", texts, "--output", tmp_path / "prompt.txt") == (0, "", "")
    assert (tmp_path / "prompt.txt").read_text() == printed.out
    messages = json.loads(blackbox("export", texts, "--format", "messages").out)
    assert messages[-1]["role"] == "user"


def test_what_cannot_be_exported_is_one_line(blackbox: Blackbox, texts: Path, run: Path, tmp_path: Path) -> None:
    for arguments, said in (
        ((texts, "--format", "yaml"), "unknown format 'yaml'"),
        ((tmp_path / "none",), "holds no run"),
        ((run,), "only text prompts can be written as text"),
        ((texts, "--output", "/proc/none/prompt.txt"), "cannot be written"),
    ):
        answer = blackbox("export", *arguments)
        assert (answer.code, answer.out) == (2, "")
        assert said in answer.err
        assert len(answer.err.splitlines()) == 1
