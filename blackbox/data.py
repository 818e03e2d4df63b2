"""Rows from files, k-shot samples of them, and published tasks: `load("glue/sst2")`."""

from collections.abc import Sequence

import numpy as np

from blackbox.blank import make_blank
from blackbox.config import Config
from blackbox.errors import DataError
from blackbox.published import load
from blackbox.row_files import csv_rows, parse_row, read_rows
from blackbox.seeds import part_seed
from blackbox.split import RawRow
from blackbox.tables import Rows, rows_of
from blackbox.task import Task

__all__ = ["csv_rows", "load", "load_task", "parse_row", "read_rows", "sample_shots"]


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
        augment=config.augment,
    )


def sample_shots(
    rows: Rows, *, shots: int, seed: int, label_field: str | None = "label", sets: int = 2
) -> list[list[RawRow]]:
    """`sets` disjoint samples with `shots` rows of every label each, drawn without replacement.

    Args:
        rows: mappings, or a table (`blackbox.tables`).
        seed: of the draw; the same rows and seed give the same samples.
        label_field: the field that holds a row's label; None for rows without labels: `shots` rows in all.

    Raises:
        DataError: a row has no label, or a label has fewer than `shots * sets` rows.
    """
    rows = rows_of(rows)
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
