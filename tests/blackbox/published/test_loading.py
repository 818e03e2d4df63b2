import json
import sys
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from blackbox import data, tune
from blackbox.backends.errors import MissingPackageError
from blackbox.errors import DataError, UnknownNameError
from blackbox.files import write_whole
from blackbox.published.sampling import few_shot_places
from blackbox.published.sources import SOURCES, Source, source_of
from tests.blackbox.small import QUICK

NAMES = sorted(SOURCES)


def hub_rows(source: Source, count: int, *, first: int = 0) -> list[dict[str, Any]]:
    """Rows as the hub has them, the labels in turn."""
    return [
        {
            **{column: f"  {column} {number}" for column in source.columns},
            source.label_column: number % len(source.labels),
            "idx": number,
        }
        for number in range(first, first + count)
    ]


def write_rows(path: Path, rows: list[dict[str, Any]]) -> None:
    write_whole(path, "".join(json.dumps(row) + "\n" for row in rows).encode())


def write_source(root: Path, name: str, *, train: int, test: int) -> Path:
    """A local copy with the hub's columns, as JSONL."""
    source = SOURCES[name]
    folder = root / source.folders[-1]
    write_rows(folder / "train.jsonl", hub_rows(source, train))
    write_rows(folder / f"{source.tests[0]}.jsonl", hub_rows(source, test, first=1000))
    return folder


@pytest.mark.parametrize("name", NAMES)
def test_a_local_copy_with_the_hubs_columns_gives_rows_template_and_words(name: str, tmp_path: Path) -> None:
    source = SOURCES[name]
    n_labels = len(source.labels)
    write_source(tmp_path, name, train=8 * n_labels, test=2 * n_labels)
    published = data.load(name, shots=3, seed=13, folder=tmp_path)
    for sample in (published.train, published.dev):
        assert Counter(row["label"] for row in sample) == dict.fromkeys(source.labels, 3)
    assert not {row["text"] for row in published.train} & {row["text"] for row in published.dev}
    assert [row["label"] for row in published.test[:n_labels]] == list(
        np.roll(source.labels, -(1000 % n_labels)).tolist()
    )
    assert published.test[0]["text"] == f"{source.columns[0]} 1000"
    assert ("text_pair" in published.test[0]) == (len(source.columns) == 2)
    task = published.task(test=published.test[:2])
    assert (len(task.train), len(task.dev), len(task.test)) == (3 * n_labels, 3 * n_labels, 2)
    assert task.train.form.template.text == source.infilled.template


@pytest.mark.parametrize("name", NAMES)
def test_models_that_read_left_to_right_have_the_label_last(name: str, tmp_path: Path) -> None:
    n_labels = len(SOURCES[name].labels)
    write_source(tmp_path, name, train=4 * n_labels, test=n_labels)
    task = data.load(name, shots=2, folder=tmp_path, left_to_right=True).task()
    assert task.template.text.endswith("{label}")
    assert not task.template.fields_behind_label


@pytest.mark.parametrize("name", NAMES)
def test_what_datasets_has_saved_is_a_local_copy(name: str, tmp_path: Path) -> None:
    datasets = pytest.importorskip("datasets")
    source = SOURCES[name]
    n_labels = len(source.labels)
    write_source(tmp_path / "jsonl", name, train=6 * n_labels, test=n_labels)
    features = datasets.Features(
        {
            **{column: datasets.Value("string") for column in source.columns},
            source.label_column: datasets.ClassLabel(names=list(source.labels)),
            "idx": datasets.Value("int32"),
        }
    )
    splits = {"train": hub_rows(source, 6 * n_labels), source.tests[0]: hub_rows(source, n_labels, first=1000)}
    saved = datasets.DatasetDict(
        {split: datasets.Dataset.from_list(rows, features=features) for split, rows in splits.items()}
    )
    saved.save_to_disk(str(tmp_path / "saved" / source.folders[0]))
    assert data.load(name, shots=3, folder=tmp_path / "saved") == data.load(name, shots=3, folder=tmp_path / "jsonl")


def test_the_hub_is_asked_for_the_data_set_its_part_and_its_revision(monkeypatch: pytest.MonkeyPatch) -> None:
    datasets = pytest.importorskip("datasets")
    asked: list[tuple[Any, ...]] = []

    def load_dataset(path: str, name: str | None = None, *, revision: str | None = None) -> Any:
        asked.append((path, name, revision))
        source = SOURCES["trec"]
        return datasets.DatasetDict(
            {
                "train": datasets.Dataset.from_list(hub_rows(source, 36)),
                "test": datasets.Dataset.from_list(hub_rows(source, 6)),
            }
        )

    monkeypatch.delenv("BLACKBOX_DATA", raising=False)
    monkeypatch.setattr(datasets, "load_dataset", load_dataset)
    assert len(data.load("trec", shots=2).train) == 12
    assert asked == [("CogComp/trec", None, "refs/convert/parquet")]


def test_the_variable_names_the_folder_if_the_argument_does_not(tmp_path: Path, monkeypatch: Any) -> None:
    write_source(tmp_path, "trec", train=12, test=6)
    monkeypatch.setenv("BLACKBOX_DATA", str(tmp_path))
    assert len(data.load("trec", shots=1).train) == 6
    with pytest.raises(DataError, match=r"trec: there is no folder .*/empty/trec"):
        data.load("trec", folder=tmp_path / "empty")


def test_published_samples_are_taken_as_they_are(tmp_path: Path) -> None:
    folder = write_source(tmp_path, "glue/sst2", train=8, test=4)
    for split, first in (("train", 0), ("dev", 50)):
        rows = [
            {"text": f"row {number}", "label": ("negative", "positive")[number % 2]}
            for number in range(first, first + 4)
        ]
        write_rows(folder / "fewshot2" / f"seed21_{split}.jsonl", rows)
    published = data.load("sst2", shots=2, seed=21, folder=tmp_path)
    assert [row["text"] for row in (*published.train, *published.dev)] == [
        f"row {n}" for n in (0, 1, 2, 3, 50, 51, 52, 53)
    ]
    assert data.load("sst2", shots=2, seed=13, folder=tmp_path).train[0]["text"].startswith("sentence")


def test_without_shots_all_training_rows_are_taken_and_no_dev_rows(tmp_path: Path) -> None:
    write_source(tmp_path, "snli", train=10, test=3)
    published = data.load("snli", shots=None, folder=tmp_path)
    assert (len(published.train), published.dev) == (10, [])


def test_rows_that_have_no_label_are_left_out(tmp_path: Path) -> None:
    folder = write_source(tmp_path, "snli", train=12, test=3)
    rows = hub_rows(SOURCES["snli"], 12)
    write_rows(folder / "train.jsonl", [{**row, "label": -1} for row in rows[:3]] + rows)
    assert len(data.load("snli", shots=None, folder=tmp_path).train) == 12
    assert len(data.load("snli", shots=2, folder=tmp_path).train) == 6


def test_labels_of_csv_files_are_numbers_as_text(tmp_path: Path) -> None:
    write_whole(tmp_path / "sst2" / "train.csv", b"sentence,label\ngood,1\nbad,0\nfine,1\npoor,0\n")
    write_whole(tmp_path / "sst2" / "validation.csv", b"sentence,label\nnice,1\n")
    published = data.load("sst2", shots=1, folder=tmp_path)
    assert published.test == [{"text": "nice", "label": "positive"}]


def test_line_breaks_of_yelp_are_two_characters(tmp_path: Path) -> None:
    rows = [{"text": "First.\\nSecond.", "label": number % 2} for number in range(4)]
    for split in ("train", "test"):
        write_rows(tmp_path / "yelp_polarity" / f"{split}.jsonl", rows)
    assert data.load("yelp_polarity", shots=1, folder=tmp_path).test[0]["text"] == "First. Second."


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        ([{"sentence": "a", "label": 2}], "sst2 row 1 has label 2; known: negative, positive"),
        ([{"sentence": "a", "label": "neutral"}], "sst2 row 1 has label 'neutral'"),
        ([{"sentence": "a"}], "sst2 row 1 has label None"),
        ([{"title": "a", "label": 1}], "sst2 row 1 has no text in 'sentence' or 'text'; its fields: title, label"),
    ],
)
def test_rows_that_are_none_of_the_task_are_refused(rows: list[dict[str, Any]], message: str, tmp_path: Path) -> None:
    write_rows(tmp_path / "sst2" / "train.jsonl", rows)
    write_rows(tmp_path / "sst2" / "dev.jsonl", rows)
    with pytest.raises(DataError, match=message):
        data.load("sst2", shots=None, folder=tmp_path)


def test_a_folder_without_the_splits_is_refused(tmp_path: Path) -> None:
    folder = write_source(tmp_path, "trec", train=12, test=6)
    (folder / "test.jsonl").unlink()
    with pytest.raises(DataError, match="trec: has no split test to report on"):
        data.load("trec", shots=1, folder=tmp_path)
    (folder / "train.jsonl").unlink()
    with pytest.raises(DataError, match="trec: has no split train"):
        data.load("trec", shots=1, folder=tmp_path)
    write_whole(folder / "dataset_dict.json", b"{")
    with pytest.raises((DataError, MissingPackageError), match="trec"):
        data.load("trec", shots=1, folder=tmp_path)


def test_no_network_is_told_with_the_way_around_it(monkeypatch: pytest.MonkeyPatch) -> None:
    datasets = pytest.importorskip("datasets")

    def unreachable(*_: object, **__: object) -> None:
        raise ConnectionError("Couldn't reach the Hub\nat all")

    monkeypatch.delenv("BLACKBOX_DATA", raising=False)
    monkeypatch.setattr(datasets, "load_dataset", unreachable)
    with pytest.raises(DataError, match=r"from the hub \(Couldn't reach the Hub\); where there is no network, name"):
        data.load("glue/sst2")


def test_without_the_package_the_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("BLACKBOX_DATA", raising=False)
    monkeypatch.setitem(sys.modules, "datasets", None)
    with pytest.raises(MissingPackageError, match=r"needs datasets; install .*'blackbox-prompts\[data\]'"):
        data.load("glue/sst2")


def test_a_data_set_has_several_names_and_an_unknown_one_the_nearest() -> None:
    assert source_of("fancyzhx/ag_news") is source_of("agnews") is SOURCES["ag_news"]
    with pytest.raises(UnknownNameError, match=r"unknown data set 'glue/sst5'; did you mean 'glue/sst2'"):
        data.load("glue/sst5")


def test_the_draw_is_that_of_lm_bff() -> None:
    """Its program in numbers: shuffle all, then the first k of each label for train and the next k for dev."""
    labels = [number % 3 for number in range(60)]
    shuffled = list(range(60))
    state = np.random.get_state()
    np.random.seed(21)
    np.random.shuffle(shuffled)
    np.random.set_state(state)
    train, dev = few_shot_places(labels, shots=4, seed=21)
    assert sorted(train) == sorted(
        place for label in range(3) for place in [place for place in shuffled if labels[place] == label][:4]
    )
    assert sorted(dev) == sorted(
        place for label in range(3) for place in [place for place in shuffled if labels[place] == label][4:8]
    )
    assert train[:4] == [place for place in shuffled if labels[place] == labels[shuffled[0]]][:4]


def test_too_few_rows_or_shots_are_refused() -> None:
    with pytest.raises(DataError, match="label 1 has 3 rows; 2 samples of 2 are asked for"):
        few_shot_places([0, 1, 0, 1, 0, 1, 0], shots=2, seed=0)
    with pytest.raises(DataError, match="shots must be at least 1, got 0"):
        few_shot_places([0, 1], shots=0, seed=0)


def test_a_published_task_is_tuned(tmp_path: Path) -> None:
    write_source(tmp_path, "ag_news", train=16, test=4)
    result = tune(data.load("ag_news", shots=2, folder=tmp_path).task(), **QUICK)
    assert result.summary.test_after is not None
