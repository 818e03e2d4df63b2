"""Published tasks from the hub or a local folder, as few rows as their authors took."""

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from blackbox.errors import DataError
from blackbox.published.hub import SAVED, from_hub, from_saved
from blackbox.published.sampling import few_shot_places
from blackbox.published.sources import Source, source_of
from blackbox.row_files import read_rows
from blackbox.task import Task

VARIABLE = "BLACKBOX_DATA"
_FIELDS = ("text", "text_pair")
_SUFFIXES = (".jsonl", ".csv")

Rows = list[dict[str, object]]
Split = Sequence[Mapping[str, Any]]


@dataclass(frozen=True)
class PublishedTask:
    """Rows with the fields `text`, for pairs `text_pair`, and `label`, and how they are put to a model.

    Attributes:
        name: as asked for.
        train, dev: the sample.
        test: all rows of the split that figures are reported on.
        template, label_words: as published.
    """

    name: str
    train: Rows
    dev: Rows
    test: Rows
    template: str
    label_words: Mapping[str, str]

    def task(self, **changes: Any) -> Task:
        """The task; `changes` are further arguments of `Task`, or others: `task(test=published.test[:500])`."""
        own = {name: value for name, value in vars(self).items() if name != "name"}
        return Task(**{**own, **changes})


def load(
    name: str,
    *,
    shots: int | None = 16,
    seed: int = 13,
    folder: str | Path | None = None,
    left_to_right: bool = False,
) -> PublishedTask:
    """A task that black-box tuning is reported on, from the Hugging Face hub or a local folder.

    Args:
        name: "glue/sst2", "yelp_polarity", "ag_news", "dbpedia_14", "glue/mrpc", "snli", "glue/rte" or "trec".
        shots: training rows of each label, and as many dev rows, drawn as LM-BFF does; None takes all training rows,
            and no dev rows.
        seed: of the draw; 13, 21, 42, 87 and 100 are the published ones.
        folder: holds a folder with the data set's name: one that `datasets.DatasetDict.save_to_disk` wrote, or
            train.jsonl and test.jsonl (.csv) with the hub's columns, or with `text`, `text_pair` and the labels'
            names. Published samples in it, fewshot16/seed13_train.jsonl and the like, are taken as they are. None is
            the folder that the environment variable BLACKBOX_DATA names, or else the hub.
        left_to_right: take the wording for models that read left to right, whose label stands last.

    Raises:
        UnknownNameError: there is no such task.
        DataError: the data cannot be had, or is not as it must be.
        MissingPackageError: it needs `datasets` (the extra `data`).
    """
    source = source_of(name)
    place = _folder(source, folder, name)
    splits = _local(place, source) if place else from_hub(source, name=name)
    if place and shots and (sample := place / f"fewshot{shots}" / f"seed{seed}_train.jsonl").exists():
        train = _converted(read_rows(sample), source, name)
        dev = _converted(read_rows(sample.with_name(f"seed{seed}_dev.jsonl")), source, name)
    else:
        train, dev = _sampled(splits.get("train"), source, name, shots=shots, seed=seed)
    tested = next((split for split in source.tests if split in splits), None)
    if tested is None:
        raise DataError(f"{name}: has no split {' or '.join(source.tests)} to report on")
    wording = source.continued if left_to_right else source.infilled
    words = dict(zip(source.labels, wording.words, strict=True))
    return PublishedTask(name, train, dev, _converted(splits[tested], source, name), wording.template, words)


def _folder(source: Source, root: str | Path | None, name: str) -> Path | None:
    """The data set's own folder; None where it shall come from the hub."""
    root = root or os.environ.get(VARIABLE)
    if not root:
        return None
    places = [Path(root).expanduser() / folder for folder in source.folders]
    found = next((place for place in places if place.is_dir()), None)
    if found is None:
        raise DataError(f"{name}: there is no folder {' or '.join(str(place) for place in places)}")
    return found


def _local(folder: Path, source: Source) -> Mapping[str, Split]:
    """The splits that a folder has."""
    if (folder / SAVED).exists():
        return from_saved(folder)
    files = {split: [folder / f"{split}{suffix}" for suffix in _SUFFIXES] for split in ("train", *source.tests)}
    return {split: read_rows(path) for split, paths in files.items() for path in paths if path.exists()}


def _sampled(split: Split | None, source: Source, name: str, *, shots: int | None, seed: int) -> tuple[Rows, Rows]:
    if split is None:
        raise DataError(f"{name}: has no split train")
    if shots is None:
        return _converted(split, source, name), []
    labels = [_label(row, source, name, number) for number, row in enumerate(_labels_only(split, source), start=1)]
    train, dev = few_shot_places(labels, shots=shots, seed=seed)
    chosen = [_converted([split[place] for place in places], source, name) for places in (train, dev)]
    return chosen[0], chosen[1]


def _labels_only(split: Any, source: Source) -> Split:
    """The rows without their texts, where a table of `datasets` can leave them out: half a million are read at once."""
    return split.select_columns(source.label_column) if hasattr(split, "select_columns") else split  # type: ignore[no-any-return]


def _converted(split: Split, source: Source, name: str) -> Rows:
    """Rows with the names of fields and labels that they have here; those without a label are left out."""
    rows: Rows = []
    for number, row in enumerate(split, start=1):
        label = _label(row, source, name, number)
        if label >= 0:
            texts = {
                field: _text(row, column, field, source, f"{name} row {number}")
                for field, column in zip(_FIELDS, source.columns, strict=False)
            }
            rows.append({**texts, "label": source.labels[label]})
    return rows


def _label(row: Mapping[str, Any], source: Source, name: str, number: int) -> int:
    """The number of a row's label, below 0 where it has none."""
    label = row.get(source.label_column, row.get("label"))
    if label in source.labels:
        return source.labels.index(str(label))
    if isinstance(label, str) and label.lstrip("-").isdecimal():
        label = int(label)  # from a CSV file
    if not isinstance(label, int) or label >= len(source.labels):
        raise DataError(f"{name} row {number} has label {label!r}; known: {', '.join(source.labels)}, or their numbers")
    return label


def _text(row: Mapping[str, Any], column: str, field: str, source: Source, where: str) -> str:
    text = row.get(column, row.get(field))
    if not isinstance(text, str):
        raise DataError(f"{where} has no text in {column!r} or {field!r}; its fields: {', '.join(row)}")
    return text.replace(source.line_break, " ").strip()
