import json
from collections import Counter
from pathlib import Path

import pytest

from blackbox import Config, read_rows, sample_shots
from blackbox.config import make_config
from blackbox.data import load_task
from blackbox.errors import DataError
from tests.blackbox.small import TARGET_TEMPLATE, TEMPLATE, WORDS, make_rows, make_target_rows


def write(path: Path, text: str, encoding: str = "utf-8") -> Path:
    path.write_text(text, encoding=encoding)
    return path


def jsonl(path: Path, count: int) -> str:
    return str(write(path, "".join(json.dumps(row) + "\n" for row in make_rows(count))))


def settings(**values: object) -> Config:
    return make_config({"template": TEMPLATE, "label_words": WORDS, **values})


def test_jsonl_has_a_row_a_line_and_blank_lines_are_passed_over(tmp_path: Path) -> None:
    path = write(tmp_path / "rows.jsonl", '{"text": "naïve", "n": 1}\n\n{"text": "b", "n": 2}')
    assert read_rows(path) == [{"text": "naïve", "n": 1}, {"text": "b", "n": 2}]


def test_csv_names_its_fields_in_the_first_line(tmp_path: Path) -> None:
    path = write(tmp_path / "rows.csv", 'text,label\n"a, ""b""\nc",0\nd,1\n')
    assert read_rows(path) == [{"text": 'a, "b"\nc', "label": "0"}, {"text": "d", "label": "1"}]


def test_a_byte_order_mark_before_csv_is_no_part_of_the_first_field(tmp_path: Path) -> None:
    path = write(tmp_path / "rows.csv", "text,label\nx,0\n", encoding="utf-8-sig")
    assert list(read_rows(str(path))[0]) == ["text", "label"]


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        ("rows.jsonl", '{"a": 1}\n{"a": \n', "rows.jsonl line 2: is no JSON"),
        ("rows.jsonl", '{"a": 1}\n\n[1]\n', "rows.jsonl line 3: must be a JSON object, got list"),
        ("rows.jsonl", "\n\n", "holds no rows"),
        ("rows.csv", "text,label\n", "holds no rows"),
        ("rows.csv", "text,label\na,0\nb\n", "rows.csv row 3: has another number of fields"),
        ("rows.csv", "text,label\na,0,1\n", "rows.csv row 2: has another number of fields"),
        ("rows.csv", 'text,label\na,0\n"b,1\n', "rows.csv line 3"),
        ("rows.json", "[]", r"rows are read from .jsonl and .csv files, got .json"),
        ("rows", "", "got no suffix"),
    ],
)
def test_a_file_that_holds_no_rows_is_refused_by_line(tmp_path: Path, name: str, text: str, message: str) -> None:
    with pytest.raises(DataError, match=message):
        read_rows(write(tmp_path / name, text))


def test_a_missing_file_and_a_folder_are_refused_by_path(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"none\.jsonl: No such file"):
        read_rows(tmp_path / "none.jsonl")
    (tmp_path / "folder.csv").mkdir()
    with pytest.raises(DataError, match=r"folder\.csv: Is a directory"):
        read_rows(tmp_path / "folder.csv")


@pytest.mark.parametrize("name", ["rows.jsonl", "rows.csv"])
def test_text_that_is_no_utf8_is_refused_by_byte(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_bytes(b'{"text": "caf\xe9"}\n')
    with pytest.raises(DataError, match="is not UTF-8 text"):
        read_rows(tmp_path / name)


def test_samples_are_balanced_disjoint_and_of_the_size_asked() -> None:
    rows = make_rows(60)
    train, dev = sample_shots(rows, shots=16 // 2, seed=3)
    for sample in (train, dev):
        assert Counter(row["label"] for row in sample) == {"negative": 8, "positive": 8}
    texts = [row["text"] for row in (*train, *dev)]
    assert len(set(texts)) == 32
    assert set(texts) <= {row["text"] for row in rows}


def test_the_seed_of_a_sample_decides_it() -> None:
    rows = make_rows(60)
    assert sample_shots(rows, shots=5, seed=3) == sample_shots(rows, shots=5, seed=3)
    assert sample_shots(rows, shots=5, seed=3) != sample_shots(rows, shots=5, seed=4)


def test_every_row_is_drawn_about_equally_often() -> None:
    rows, draws = make_rows(20), 2000
    counts = Counter(row["text"] for seed in range(draws) for row in sample_shots(rows, shots=2, seed=seed, sets=1)[0])
    p = 2 / 10  # two of the ten rows of a label
    five_errors = 5 * (draws * p * (1 - p)) ** 0.5
    assert all(abs(counts[row["text"]] - draws * p) < five_errors for row in rows)


def test_all_rows_of_a_label_may_be_drawn() -> None:
    first, second = sample_shots(make_rows(8), shots=2, seed=0)
    assert sorted(str(row["text"]) for row in (*first, *second)) == sorted(str(row["text"]) for row in make_rows(8))


def test_too_few_rows_of_a_label_are_refused_with_their_number() -> None:
    with pytest.raises(DataError, match="label 'positive' has 3 rows; 2 samples of 2 are asked for"):
        sample_shots(make_rows(7), shots=2, seed=0)


def test_shots_below_one_and_rows_without_a_label_are_refused() -> None:
    with pytest.raises(DataError, match="shots must be at least 1, got 0"):
        sample_shots(make_rows(8), shots=0, seed=0)
    with pytest.raises(DataError, match="row 9 has no field 'label'"):
        sample_shots([*make_rows(8), {"text": "x"}], shots=1, seed=0)


def test_a_task_is_read_from_its_files(tmp_path: Path) -> None:
    train, test = jsonl(tmp_path / "train.jsonl", 6), jsonl(tmp_path / "test.jsonl", 4)
    task = load_task(settings(train=train, test=test, loss="hinge", metric="macro-f1"))
    assert (len(task.train), len(task.dev), len(task.test)) == (6, 0, 4)
    assert task.grader.terms == {"loss": "hinge", "margin": 2.0, "metric": "macro-f1"}


def test_shots_sample_train_and_dev_from_the_training_file(tmp_path: Path) -> None:
    task = load_task(settings(train=jsonl(tmp_path / "train.jsonl", 40), shots=3))
    assert (len(task.train), len(task.dev)) == (6, 6)
    assert not {row["text"] for row in task.train.rows} & {row["text"] for row in task.dev.rows}


def test_rows_without_labels_are_sampled_in_all_disjoint_and_of_the_size_asked() -> None:
    rows = make_target_rows(20)
    train, dev = sample_shots(rows, shots=10, seed=3, label_field=None)
    questions = [str(row["question"]) for row in (*train, *dev)]
    assert len(train) == len(dev) == 10
    assert sorted(questions) == sorted(str(row["question"]) for row in rows)
    assert sample_shots(rows, shots=10, seed=3, label_field=None) == [train, dev]
    assert sample_shots(rows, shots=10, seed=4, label_field=None) != [train, dev]


def test_too_few_rows_without_labels_are_refused_with_their_number() -> None:
    with pytest.raises(DataError, match="there are 7 rows; 2 samples of 4 are asked for"):
        sample_shots(make_target_rows(7), shots=4, seed=0, label_field=None)


def test_shots_of_a_task_with_targets_are_rows_in_all(tmp_path: Path) -> None:
    lines = "".join(json.dumps(row) + "\n" for row in make_target_rows(40))
    train = str(write(tmp_path / "train.jsonl", lines))
    task = load_task(make_config({"template": TARGET_TEMPLATE, "target_field": "target", "train": train, "shots": 6}))
    assert (len(task.train), len(task.dev)) == (6, 6)
    assert not {row["question"] for row in task.train.rows} & {row["question"] for row in task.dev.rows}


def test_shots_leave_dev_rows_that_are_given_alone(tmp_path: Path) -> None:
    train, dev = jsonl(tmp_path / "train.jsonl", 40), jsonl(tmp_path / "dev.jsonl", 10)
    task = load_task(settings(train=train, dev=dev, shots=3))
    assert (len(task.train), len(task.dev)) == (6, 10)


def test_no_training_file_is_refused() -> None:
    with pytest.raises(DataError, match="set `train`"):
        load_task(settings())


def test_neither_label_words_nor_targets_are_refused_before_rows_are_sampled(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="needs label_words or a target_field, got neither"):
        load_task(make_config({"train": jsonl(tmp_path / "train.jsonl", 40), "shots": 3}))
