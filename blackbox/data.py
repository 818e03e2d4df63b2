"""Rows from files, and k-shot samples of them."""

import csv
import itertools
import json
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

import numpy as np

from blackbox.blank import make_blank
from blackbox.config import Config
from blackbox.errors import DataError
from blackbox.seeds import part_seed
from blackbox.split import RawRow
from blackbox.task import Task


def load_task(config: Config) -> Task:
    """The task that the settings describe, its rows read from their files and sampled where `shots` says so.

    Raises:
        DataError: no training file, or rows that are not as they must be.
    """
    if config.train is None:
        raise DataError("no training rows: set `train` to a .jsonl or .csv file")
    blank = make_blank(
        config.label_words,
        label_field=config.label_field,
        target_field=config.target_field,
        number_field=config.number_field,
        tags_field=config.tags_field,
    )
    train: Sequence[RawRow] = read_rows(config.train)
    dev: Sequence[RawRow] = read_rows(config.dev) if config.dev else []
    if config.shots:
        samples = sample_shots(
            train,
            shots=config.shots,
            seed=part_seed(config.seed, "shots"),
            label_field=blank.sampled_by,
            sets=1 if config.dev else 2,
        )
        train, dev = samples[0], dev if config.dev else samples[1]
    return Task(
        train,
        template=config.template,
        label_words=config.label_words,
        dev=dev,
        test=read_rows(config.test) if config.test else [],
        loss=config.loss,
        margin=config.margin,
        metric=config.metric,
        label_field=config.label_field,
        target_field=config.target_field,
        number_field=config.number_field,
        tags_field=config.tags_field,
        tokens_field=config.tokens_field,
        answer_tokens=config.answer_tokens,
        templates=config.templates,
        robust=config.robust,
        class_weights=config.class_weights,
    )


def read_rows(path: str | Path) -> list[dict[str, object]]:
    """The rows of a JSONL file (one object a line) or of a CSV file (first line: the fields' names), by suffix.

    Raises:
        DataError: no such file, another suffix, text that is no UTF-8, or a line that is no row; names the line.
    """
    path = Path(path).expanduser()
    readers = {".jsonl": _read_jsonl, ".csv": _read_csv}
    if path.suffix not in readers:
        raise DataError(f"{path}: rows are read from .jsonl and .csv files, got {path.suffix or 'no suffix'}")
    try:
        rows = readers[path.suffix](path)
    except UnicodeDecodeError as error:
        raise DataError(f"{path}: is not UTF-8 text (byte {error.start})") from error
    except OSError as error:
        raise DataError(f"{path}: {error.strerror or error}") from error
    if not rows:
        raise DataError(f"{path}: holds no rows")
    return rows


def sample_shots(
    rows: Sequence[RawRow], *, shots: int, seed: int, label_field: str | None = "label", sets: int = 2
) -> list[list[RawRow]]:
    """`sets` disjoint samples with `shots` rows of every label each, drawn without replacement.

    Args:
        seed: of the draw; the same rows and seed give the same samples.
        label_field: the field that holds a row's label; None for rows without labels: `shots` rows in all.

    Raises:
        DataError: a row has no label, or a label has fewer than `shots * sets` rows.
    """
    if shots < 1:
        raise DataError(f"shots must be at least 1, got {shots}")
    places = {"": list(range(len(rows)))} if label_field is None else _places_of_labels(rows, label_field)
    rng = np.random.default_rng(seed)
    samples: list[list[int]] = [[] for _ in range(sets)]
    for label in sorted(places):
        if len(places[label]) < shots * sets:
            owner = "there are" if label_field is None else f"label {label!r} has"
            raise DataError(f"{owner} {len(places[label])} rows; {sets} samples of {shots} are asked for")
        drawn = rng.permutation(places[label]).tolist()
        for number, sample in enumerate(samples):
            sample.extend(drawn[number * shots : (number + 1) * shots])
    return [[rows[place] for place in sorted(sample)] for sample in samples]


def _places_of_labels(rows: Sequence[RawRow], label_field: str) -> dict[str, list[int]]:
    """Label -> the places of its rows."""
    places: dict[str, list[int]] = {}
    for place, row in enumerate(rows):
        if row.get(label_field) is None:
            raise DataError(f"row {place + 1} has no field {label_field!r} with its label")
        places.setdefault(str(row[label_field]), []).append(place)
    return places


def _read_jsonl(path: Path) -> list[dict[str, object]]:
    rows = []
    with path.open("rb") as file:
        for number, line in enumerate(file, start=1):
            if line.strip():
                rows.append(parse_row(line, f"{path} line {number}"))
    return rows


def parse_row(line: bytes, where: str) -> dict[str, object]:
    """One line of JSONL; `where` names it.

    Raises:
        DataError: the line is no UTF-8 text, or no JSON object.
    """
    try:
        row = json.loads(line.decode("utf-8"))
    except UnicodeDecodeError as error:
        raise DataError(f"{where}: is not UTF-8 text (byte {error.start} of the line)") from error
    except json.JSONDecodeError as error:
        raise DataError(f"{where}: is no JSON ({error.msg} at column {error.colno})") from error
    if not isinstance(row, dict):
        raise DataError(f"{where}: must be a JSON object, got {type(row).__name__}")
    return row


def _read_csv(path: Path) -> list[dict[str, object]]:
    with path.open(encoding="utf-8-sig", newline="") as file:
        return list(csv_rows(file, where=str(path)))


def csv_rows(lines: Iterable[str], *, where: str) -> Iterator[dict[str, object]]:
    """The rows of a CSV file's lines, of which the first has the fields' names; `where` names the file.

    Raises:
        DataError: a line cannot be read, or a row has another number of fields than the first line.
    """
    reader = csv.DictReader(lines, strict=True)
    for number in itertools.count(2):
        try:
            row = next(reader, None)
        except csv.Error as error:
            raise DataError(f"{where} line {reader.line_num + 1}: {error}") from error
        if row is None:
            return
        if None in row or None in row.values():
            raise DataError(f"{where} row {number}: has another number of fields than the first line")
        yield dict(row)
