import json
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.backends.local.models import KINDS, save_model
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
        ((run, "--format", "peft"), "format 'peft' is a folder of files; say which with --out"),
        ((run, "--format", "peft", "--out", tmp_path / "out"), "needs the prompt's model at hand"),
        ((texts, "--output", "/proc/none/prompt.txt"), "cannot be written"),
    ):
        answer = blackbox("export", *arguments)
        assert (answer.code, answer.out) == (2, "")
        assert said in answer.err
        assert len(answer.err.splitlines()) == 1


def test_vectors_are_written_into_a_folder(blackbox: Blackbox, tmp_path: Path, without_pictures: None) -> None:
    save_model(KINDS["llama"], tmp_path / "model", seed=1)
    model = {"backend": "local", "model": str(tmp_path / "model"), "prompt": "it was great"}
    search = {"space": "soft", "optimizer": "random-search", "dimension": 4, "population": 2, "evaluations": 8}
    config = write_task(tmp_path, **model, **search)
    assert blackbox("tune", config, "--runs", tmp_path, "--name", "run").code == 0
    answer = blackbox("export", tmp_path / "run", "--format", "peft", "--out", tmp_path / "adapter")
    assert (answer.code, answer.out) == (0, "")
    assert sorted(path.name for path in (tmp_path / "adapter").iterdir()) == [
        "README.md",
        "adapter_config.json",
        "adapter_model.safetensors",
        "task.json",
    ]
    config_of_peft = json.loads((tmp_path / "adapter" / "adapter_config.json").read_text())
    assert config_of_peft["base_model_name_or_path"] == str(tmp_path / "model")
