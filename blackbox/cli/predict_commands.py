"""`blackbox predict`: rows answered by the prompt of a run."""

import csv
import io
import json
import sys
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Annotated

import typer

from blackbox.backends import Backend
from blackbox.build import make_backend
from blackbox.cli.console import err
from blackbox.config import LIMITS, Config
from blackbox.data import parse_row, read_rows
from blackbox.endpoints import answers_file
from blackbox.errors import DataError, SettingError
from blackbox.files import write_whole
from blackbox.filling import Prediction
from blackbox.prediction import Predictor
from blackbox.run_folder import RunFolder

_CHUNK = 256  # rows that are read before they are answered

RunArgument = Annotated[Path, typer.Argument(help="A run's folder, e.g. runs/demo.", show_default=False)]
Row = dict[str, object]


def predict(
    run: RunArgument,
    data: Annotated[
        Path | None, typer.Argument(help="Rows: .jsonl or .csv; default: JSON lines from stdin.", show_default=False)
    ] = None,
    *,
    output: Annotated[
        Path | None, typer.Option(help="A .jsonl or .csv file to write; default: JSON lines to stdout.")
    ] = None,
) -> None:
    """Answer rows: each comes out with `predicted` and `probabilities`, or in a .csv file `probability`, added."""
    folder = RunFolder(run)
    folder.read_config()
    if output and output.suffix not in (".jsonl", ".csv"):
        raise SettingError(f"{output}: rows are written to .jsonl and .csv files, got {output.suffix or 'no suffix'}")
    predictor = predictor_of(folder)
    rows = _stdin_rows(predictor) if data is None else _file_rows(predictor, data)
    answered = (pair for chunk in _chunks(rows) for pair in zip(chunk, predictor.predict(chunk), strict=True))
    if output is None:
        for row, prediction in answered:
            sys.stdout.write(_json_line(row, prediction))
            sys.stdout.flush()
    elif output.suffix == ".csv":
        write_whole(output, _csv(list(answered)).encode())
    else:
        write_whole(output, "".join(_json_line(*pair) for pair in answered).encode())


def predictor_of(folder: RunFolder) -> Predictor:
    """The prompt of a run in front of its model, loaded."""
    config, saved = folder.read_config(), folder.read_prompt()
    return Predictor(backend_of(folder, config), saved)


def backend_of(folder: RunFolder, config: Config) -> Backend:
    """The model of a run, loaded."""
    free = config.model_copy(update=dict.fromkeys(LIMITS))  # they are the search's, which may have used them up
    with err.status("loading the model"):
        return make_backend(keeping(free, folder.answers))


def keeping(config: Config, answers: Path) -> Config:
    """Settings with the file where an endpoint's answers are kept, if they have none."""
    return config.model_copy(update={"answers": str(answers_file(config, answers))})


def _json_line(row: Row, prediction: Prediction) -> str:
    answer = {**row, "predicted": prediction.answer, "probabilities": prediction.probabilities}
    return json.dumps(answer, ensure_ascii=False) + "\n"


def _csv(answered: Sequence[tuple[Row, Prediction]]) -> str:
    """A table with the fields of all rows. A row without an answer has none in the two columns behind them."""
    fields = dict.fromkeys(name for row, _ in answered for name in row)
    text = io.StringIO()
    table = csv.DictWriter(text, list(dict.fromkeys([*fields, "predicted", "probability"])), lineterminator="\n")
    table.writeheader()
    for row, prediction in answered:
        cells = {name: value if isinstance(value, str) else json.dumps(value) for name, value in row.items()}
        sure = (prediction.probabilities or {}).get(prediction.label or "")
        table.writerow({**cells, "predicted": prediction.answer, "probability": sure})
    return text.getvalue()


def _file_rows(predictor: Predictor, data: Path) -> Iterator[Row]:
    for number, row in enumerate(read_rows(data), start=1):
        predictor.check_row(row, where=f"{data} row {number}")
        yield row


def _stdin_rows(predictor: Predictor) -> Iterator[Row]:
    """The rows of stdin; a line that cannot be answered is refused by its number, as editors count."""
    for number, line in enumerate(sys.stdin.buffer, start=1):
        if line.strip():
            where = f"stdin line {number}"
            row = parse_row(line, where)
            predictor.check_row(row, where=where)
            yield row


def _chunks(rows: Iterable[Row]) -> Iterator[list[Row]]:
    """Lists of rows; those in front of a broken one come before its error."""
    chunk: list[Row] = []
    try:
        for row in rows:
            chunk.append(row)
            if len(chunk) == _CHUNK:
                yield chunk
                chunk = []
    except DataError:
        yield chunk
        raise
    yield chunk
