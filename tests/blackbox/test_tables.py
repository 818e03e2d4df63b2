from typing import Any

import pytest

from blackbox import Task, sample_shots, tune
from blackbox.errors import DataError
from blackbox.tables import rows_of
from tests.blackbox.small import QUICK, TEMPLATE, WORDS, facts, make_rows

ROWS = make_rows(12)
FORMS = ["pandas", "polars", "pyarrow", "datasets"]


def table(form: str, rows: Any = ROWS) -> Any:
    """The rows in a table of a library, if that is installed."""
    library: Any = pytest.importorskip(form)
    make = {
        "pandas": lambda: library.DataFrame(rows, index=range(7, 7 + len(rows))),
        "polars": lambda: library.DataFrame(rows),
        "pyarrow": lambda: library.Table.from_pylist(rows),
        "datasets": lambda: library.Dataset.from_list(rows),
    }
    return make[form]()


@pytest.mark.parametrize("form", FORMS)
def test_a_table_is_the_rows_that_it_was_made_of(form: str) -> None:
    assert list(rows_of(table(form))) == ROWS


@pytest.mark.parametrize("form", FORMS)
def test_a_task_takes_tables_and_its_run_is_that_of_the_rows(form: str) -> None:
    dev, test = make_rows(6, first=100), make_rows(6, first=200)
    settings: Any = {"template": TEMPLATE, "label_words": WORDS}
    of_rows = tune(Task(ROWS, dev=dev, test=test, **settings), **QUICK)
    of_tables = tune(Task(table(form), dev=table(form, dev), test=table(form, test), **settings), **QUICK)
    assert facts(of_tables.history) == facts(of_rows.history)
    assert of_tables.predict(table(form, test)) == of_rows.predict(test)
    assert of_tables.predictor.evaluate(table(form, test)) == of_rows.predictor.evaluate(test)


@pytest.mark.parametrize("form", FORMS)
def test_samples_are_drawn_from_tables_too(form: str) -> None:
    assert sample_shots(table(form), shots=2, seed=1) == sample_shots(ROWS, shots=2, seed=1)


@pytest.mark.parametrize("form", FORMS)
def test_labels_may_be_numbers(form: str) -> None:
    rows = [{**row, "label": list(WORDS).index(str(row["label"]))} for row in ROWS]
    task = Task(table(form, rows), template=TEMPLATE, label_words={0: "bad", 1: "great"})
    assert task.train.labels.tolist() == [row["label"] for row in rows]


@pytest.mark.parametrize("form", FORMS)
def test_a_missing_cell_is_null(form: str) -> None:
    rows = [{"text": "a", "stars": None}, {"text": None, "stars": 2.5}]
    assert list(rows_of(table(form, rows))) == rows
    with pytest.raises(DataError, match="train row 2 has null in its field 'text'"):
        Task(table(form, [{**row, "label": "a"} for row in rows]), template="{text} {label}", label_words=WORDS)


def test_what_pandas_calls_missing_is_null() -> None:
    pandas = pytest.importorskip("pandas")
    frame = pandas.DataFrame(
        {
            "none": [None, "a"],
            "nan": [float("nan"), 1.5],
            "time": [pandas.NaT, pandas.Timestamp("2020-01-01")],
            "number": pandas.array([pandas.NA, 3], dtype="Int64"),
            "text": pandas.array([pandas.NA, "b"], dtype="string"),
        }
    )
    first, second = rows_of(frame)
    assert set(first.values()) == {None}
    assert second == {"none": "a", "nan": 1.5, "time": pandas.Timestamp("2020-01-01"), "number": 3, "text": "b"}


@pytest.mark.parametrize("form", ["polars", "pyarrow"])
def test_not_a_number_is_missing_in_tables_that_have_nulls_as_well(form: str) -> None:
    assert list(rows_of(table(form, [{"stars": float("nan")}]))) == [{"stars": None}]


def test_columns_that_cannot_be_fields_are_refused() -> None:
    pandas = pytest.importorskip("pandas")
    with pytest.raises(DataError, match="two columns of the table are named 'text'; rename one"):
        rows_of(pandas.DataFrame([["a", "b"]], columns=["text", "text"]))
    with pytest.raises(DataError, match="column 1 of the table is named 7"):
        rows_of(pandas.DataFrame([["a", "b"]], columns=["text", 7]))


@pytest.mark.parametrize("form", FORMS)
def test_a_table_without_rows_is_refused(form: str) -> None:
    whole = table(form)
    empty = {"datasets": lambda: whole.select([]), "pyarrow": lambda: whole.slice(0, 0)}.get(
        form, lambda: whole.head(0)
    )
    with pytest.raises(DataError, match="train has no rows"):
        Task(empty(), template=TEMPLATE, label_words=WORDS)


def test_rows_are_what_they_were() -> None:
    assert rows_of(ROWS) is ROWS
