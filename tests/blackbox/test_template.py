import pytest

from blackbox.backends import Query
from blackbox.errors import DataError
from blackbox.template import Template


def test_a_row_becomes_a_text_with_a_blank_where_the_label_goes() -> None:
    query = Template("{text} It was {label}.").render({"text": "Fun!"}, ("bad", "great"), where="row 1")
    assert query == Query("Fun! It was ", ("bad", "great"), ".")


def test_pairs_may_stand_on_both_sides_of_the_label() -> None:
    template = Template("{premise} ? {label}, {hypothesis}")
    query = template.render({"premise": "It rains", "hypothesis": "it is wet"}, ("Yes", "No"), where="row 1")
    assert template.fields == ("premise", "hypothesis")
    assert template.fields_behind_label == ("hypothesis",)
    assert (query.before, query.after) == ("It rains ? ", ", it is wet")


def test_doubled_braces_are_text() -> None:
    assert Template("{{{text}}} {{label}} {label}").render({"text": "x"}, ("a", "b"), where="row 1").before == (
        "{x} {label} "
    )


def test_braces_in_a_row_are_text() -> None:
    assert Template("{text} {label}").render({"text": "{label} {"}, ("a", "b"), where="row 1").before == "{label} { "


def test_a_field_may_stand_twice_and_may_be_a_number() -> None:
    assert Template("{n} or {n}: {label}").render({"n": 3}, ("a", "b"), where="row 1").before == "3 or 3: "


def test_an_empty_text_is_a_text() -> None:
    assert Template("{text}{label}").render({"text": ""}, ("a", "b"), where="row 1").before == ""


@pytest.mark.parametrize(("text", "count"), [("{text} It was.", 0), ("{label} {text} {label}", 2), ("", 0)])
def test_other_than_one_label_slot_is_refused_with_their_number(text: str, count: int) -> None:
    with pytest.raises(DataError, match=rf"exactly one \{{label\}}, got {count}"):
        Template(text)


@pytest.mark.parametrize(
    "text", ["{text {label}", "text} {label}", "{} {label}", "{0} {label}", "{a b} {label}", "{a.b} {label}", "{label"]
)
def test_a_slot_that_is_no_field_name_is_refused(text: str) -> None:
    with pytest.raises(DataError, match="template"):
        Template(text)


@pytest.mark.parametrize("text", ["{text:>9} {label}", "{text!r} {label}", "{text} {label:s}"])
def test_a_slot_with_a_format_is_refused_and_not_silently_ignored(text: str) -> None:
    with pytest.raises(DataError, match="no more"):
        Template(text)


@pytest.mark.parametrize("row", [{"txt": "x", "label": "b"}, {"txt": "", "label": 0}])
def test_a_row_without_a_field_is_refused_by_its_place_the_field_and_what_it_has(row: dict[str, object]) -> None:
    with pytest.raises(DataError, match="train row 7 has no field 'text', which the template names; its fields:") as no:
        Template("{text} {label}").render(row, ("a", "b"), where="train row 7")
    assert "txt, label" in str(no.value)


def test_a_field_that_is_null_is_refused_as_null_and_not_as_missing() -> None:
    with pytest.raises(DataError, match="train row 7 has null in its field 'text'"):
        Template("{text} {label}").render({"text": None, "label": "b"}, ("a", "b"), where="train row 7")


def test_words_behind_the_label_are_no_fields() -> None:
    assert Template("{text} It was {label} .").fields_behind_label == ()


def test_the_two_sides_of_the_label_are_formats_of_the_rows_fields() -> None:
    template = Template("{{a}} {text} and {text}: {label} or {more}{{}}")
    row = {"text": "{x}", "more": "y"}
    query = template.render(row, ("a", "b"), where="row")
    assert tuple(side.format(**row) for side in template.sides) == (query.before, query.after)
    assert template.sides == ("{{a}} {text} and {text}: ", " or {more}{{}}")
