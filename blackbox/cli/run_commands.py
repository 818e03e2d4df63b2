"""Commands that look at runs or use the prompts that they found."""

import json
import sys
from collections.abc import Iterable, Iterator
from dataclasses import asdict
from itertools import islice
from pathlib import Path
from typing import Annotated

import typer

from blackbox.build import make_backend
from blackbox.cli.console import err, out
from blackbox.data import parse_row, read_rows
from blackbox.prediction import Predictor
from blackbox.report.comparison import comparison_table, summary_table
from blackbox.run_folder import RunFolder
from blackbox.summary import Summary

_CHUNK = 256  # rows that `predict` reads before it answers

RunArgument = Annotated[Path, typer.Argument(help="A run's folder, e.g. runs/demo.", show_default=False)]


def evaluate(
    run: RunArgument,
    data: Annotated[Path, typer.Argument(help="Labelled rows: .jsonl or .csv.", show_default=False)],
    metric: Annotated[str | None, typer.Option(help="accuracy or macro-f1. [default: the run's]")] = None,
) -> None:
    """Score the run's prompt on labelled rows; prints one JSON object."""
    rows = read_rows(data)
    folder = RunFolder(run)
    measured = _predictor(folder).evaluate(rows, metric=metric or folder.read_config().metric)
    print(json.dumps(asdict(measured) if measured else None))  # noqa: T201 - data goes to stdout


def predict(run: RunArgument) -> None:
    """Label rows: JSON lines from stdin to stdout, each with `predicted` and `probabilities` added."""
    folder = RunFolder(run)
    predictor = _predictor(folder)
    for number, rows in enumerate(_chunks(_stdin_rows())):
        for row, prediction in zip(rows, predictor.predict(rows, first=number * _CHUNK + 1), strict=True):
            answer = {**row, "predicted": prediction.label, "probabilities": prediction.probabilities}
            sys.stdout.write(json.dumps(answer, ensure_ascii=False) + "\n")
        sys.stdout.flush()


def show(run: RunArgument) -> None:
    """Print what a run found and what it cost."""
    folder = RunFolder(run)
    folder.read_config()
    out.print(summary_table(folder.name, folder.read_summary()))
    if folder.prompt.exists():
        saved = folder.read_prompt()
        kind = type(saved.prompt).__name__
        out.print(f"prompt: {kind} for {saved.model} on the tokens of {saved.text!r}", highlight=False, markup=False)


def compare(
    runs: Annotated[list[Path], typer.Argument(help="Two or more runs' folders.", show_default=False)],
) -> None:
    """Print runs side by side."""
    out.print(comparison_table([_compared(RunFolder(run)) for run in runs]))


def _compared(folder: RunFolder) -> tuple[str, Summary, dict[str, object]]:
    """The model is the one that was queried: not every backend has the setting's."""
    config = {**folder.read_config().model_dump(), "model": folder.read_environment()["model"]}
    return folder.name, folder.read_summary(), config


def _predictor(folder: RunFolder) -> Predictor:
    config, saved = folder.read_config(), folder.read_prompt()
    with err.status("loading the model"):
        backend = make_backend(config)
    return Predictor(backend, saved)


def _stdin_rows() -> Iterator[dict[str, object]]:
    for number, line in enumerate(sys.stdin, start=1):
        if line.strip():
            yield parse_row(line, f"stdin line {number}")


def _chunks(rows: Iterable[dict[str, object]]) -> Iterator[list[dict[str, object]]]:
    iterator = iter(rows)
    while chunk := list(islice(iterator, _CHUNK)):
        yield chunk
