from typing import Any

import numpy as np
import pytest

from blackbox.pipelines.features import Features, fields_of, is_array, of_array, of_others, template_for
from blackbox.template import Template
from tests.blackbox.pipelines.small import make_classifier, make_texts
from tests.blackbox.small import TEMPLATE

TEXTS, LABELS = make_texts(24)
NUMBERS = [str(number) for number in range(24)]


def tables() -> list[Any]:
    """The texts and a column more, in every form that has names for its columns."""
    pandas, polars, pyarrow, datasets = (
        pytest.importorskip(name) for name in ("pandas", "polars", "pyarrow", "datasets")
    )
    columns = {"review": TEXTS, "number": NUMBERS}
    return [
        pandas.DataFrame(columns, index=range(100, 124)),
        polars.DataFrame(columns),
        pyarrow.table(columns),
        datasets.Dataset.from_dict(columns),
        datasets.Dataset.from_dict(columns).to_iterable_dataset(),
        [{"number": number, "review": text} for text, number in zip(TEXTS, NUMBERS, strict=True)],
    ]


@pytest.mark.parametrize("form", range(6), ids=["pandas", "polars", "pyarrow", "datasets", "iterable", "mappings"])
def test_columns_are_fields_whatever_holds_them(form: int) -> None:
    X = tables()[form]
    classifier = make_classifier(template="{review} It was {label}.", evaluations=20).fit(X, LABELS)
    expected = make_classifier(evaluations=20).fit(TEXTS, LABELS)
    assert classifier.prompt_.scores == expected.prompt_.scores
    assert np.array_equal(classifier.predict_proba(X), expected.predict_proba(TEXTS))


def test_columns_of_tables_are_counted_and_named_as_scikit_learn_does() -> None:
    pandas_table, polars_table = tables()[:2]
    for table in (pandas_table, polars_table):
        classifier = make_classifier(template="{review} It was {label}.", evaluations=20).fit(table, LABELS)
        assert classifier.n_features_in_ == 2
        assert classifier.feature_names_in_.tolist() == ["review", "number"]
        with pytest.raises(ValueError, match="feature names should match"):
            classifier.predict(table.rename({"number": "count"}) if table is polars_table else table[["review"]])


def test_what_an_earlier_fit_knew_of_columns_is_forgotten() -> None:
    table = tables()[0]
    classifier = make_classifier(template=None, evaluations=20).fit(table, LABELS)
    classifier.fit(TEXTS, LABELS)
    assert not hasattr(classifier, "n_features_in_")
    assert not hasattr(classifier, "feature_names_in_")


@pytest.mark.parametrize("form", ["array", "object array", "list", "series", "polars series", "hub column"])
def test_texts_are_taken_in_every_form_that_holds_them(form: str) -> None:
    pandas, polars, datasets = (pytest.importorskip(name) for name in ("pandas", "polars", "datasets"))
    table = datasets.Dataset.from_dict({"text": TEXTS, "label": LABELS})
    X, y = {
        "array": (np.array(TEXTS), np.array(LABELS)),
        "object array": (np.array(TEXTS, dtype=object), np.array(LABELS, dtype=object)),
        "list": (tuple(TEXTS), tuple(LABELS)),
        "series": (pandas.Series(TEXTS, index=range(50, 74)), pandas.Series(LABELS)),
        "polars series": (polars.Series(TEXTS), polars.Series(LABELS)),
        "hub column": (table["text"], table["label"]),
    }[form]
    classifier = make_classifier(evaluations=20).fit(X, y)
    assert classifier.prompt_.scores == make_classifier(evaluations=20).fit(TEXTS, LABELS).prompt_.scores


def test_the_columns_of_an_array_are_the_templates_fields_in_its_order() -> None:
    X = np.array([NUMBERS, TEXTS], dtype=object).T
    classifier = make_classifier(template="{day} {text} {day} It was {label}.", evaluations=20).fit(X, LABELS)
    assert classifier.n_features_in_ == 2
    rows = [{"day": number, "text": text} for number, text in zip(NUMBERS, TEXTS, strict=True)]
    assert np.array_equal(classifier.predict_proba(X), classifier.predict_proba(rows))


def test_without_a_template_each_column_has_a_line() -> None:
    template, fields = template_for(Features(("review", "stars"), [{"review": "Fine.", "stars": 4}]))
    assert template.text == "review: {review}\nstars: {stars}\nlabel: {label}"
    assert fields.columns == fields.slots == ("review", "stars")


def test_columns_whose_names_cannot_be_fields_are_numbered() -> None:
    template, fields = template_for(Features(("x1", "customer name", "a{b}"), [()]))
    assert template.text == "x1: {x0}\ncustomer name: {x1}\na{{b}}: {x2}\nlabel: {label}"
    row = {"x1": "Fine.", "customer name": "Ann", "a{b}": 1}
    assert fields.rows(Features(("x1",), [row])) == [{"x0": "Fine.", "x1": "Ann", "x2": 1}]


def test_a_column_with_the_labels_is_not_shown_to_the_model() -> None:
    rows = [{"text": text, "label": label} for text, label in zip(TEXTS, LABELS, strict=True)]
    with pytest.raises(ValueError, match="X has a column 'label'; take it out"):
        make_classifier(template=None).fit(rows, LABELS)
    assert make_classifier(evaluations=20).fit(rows, LABELS).prompt_.template == TEMPLATE


def test_without_a_template_one_column_has_the_usual_one() -> None:
    assert template_for(of_others(["a text"]))[0].text == "{text} It was {label}."
    assert template_for(of_others([{"review": "a text"}]))[0].text == "{review} It was {label}."


def test_a_missing_cell_of_a_field_is_refused_and_one_of_another_column_is_not() -> None:
    pandas = pytest.importorskip("pandas")
    table = pandas.DataFrame({"text": TEXTS, "score": [None, 1.0] * 12})
    make_classifier(evaluations=20).fit(table, LABELS)
    table.loc[3, "text"] = None
    with pytest.raises(ValueError, match="null in its field 'text'"):
        make_classifier(dev_share=0).fit(table, LABELS)


@pytest.mark.parametrize(
    ("X", "expected"),
    [
        (["a"], False),
        ([{"text": "a"}], False),
        ("a", False),
        ({"text": ["a"]}, False),
        ([["a", "b"]], True),
        ([1, 2], True),
        ([], True),
        (np.zeros((2, 2)), True),
        (np.array(["a"]), False),
        (3, True),
    ],
)
def test_what_is_no_text_mapping_or_table_is_for_scikit_learn_to_check(X: Any, expected: bool) -> None:
    assert is_array(X) is expected


def test_fields_stand_once_each_in_the_order_of_the_template() -> None:
    fields = fields_of(Template("{b} {a} {b} {label}"))
    assert fields.slots == ("b", "a")
    assert fields.rows(of_array(np.array([[1, 2]]))) == [{"b": 1, "a": 2}]
