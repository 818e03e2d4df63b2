import pytest

from blackbox.spaces.formats import Format, cased
from blackbox.template import Template


@pytest.mark.parametrize(
    ("form", "expected"),
    [
        (Format("title", ": ", "\n", "Answer"), "Premise: {premise}\nMain claim: {main_claim}\nAnswer: {label}"),
        (Format("upper", " - ", " | ", "Label"), "PREMISE - {premise} | MAIN CLAIM - {main_claim} | LABEL - {label}"),
        (
            Format("lower", ":\n", "\n\n", "Output"),
            "premise:\n{premise}\n\nmain claim:\n{main_claim}\n\noutput:\n{label}",
        ),
    ],
)
def test_fields_and_label_are_named_and_separated(form: Format, expected: str) -> None:
    assert form.template(("premise", "main_claim", "premise")) == expected
    assert Template(expected).fields == ("premise", "main_claim")


def test_casings_that_do_not_tell_words_apart_are_left_out() -> None:
    assert cased(("bad", "great")) == [("bad", "great"), ("Bad", "Great"), ("BAD", "GREAT")]
    assert cased(("us", "US")) == [("us", "US")]
    assert cased(("1", "2")) == [("1", "2")]
