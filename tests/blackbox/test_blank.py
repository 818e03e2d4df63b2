import pytest

from blackbox.backends import Capability
from blackbox.blank import Blank, make_blank
from blackbox.errors import DataError
from blackbox.label_words import LabelWords
from blackbox.targets import Targets

WORDS = LabelWords({"negative": "bad", "positive": "great"}, "y")
TARGETS = Targets("answer")


@pytest.mark.parametrize("blank", [WORDS, TARGETS])
def test_it_comes_back_from_its_terms(blank: Blank) -> None:
    assert make_blank(**blank.terms) == blank  # type: ignore[arg-type]


def test_labels_need_label_scores_and_targets_likelihoods() -> None:
    assert (WORDS.needs, TARGETS.needs) == (Capability.LABEL_SCORES, Capability.TARGETS)


def test_labels_that_are_no_text_are_read_as_text() -> None:
    assert make_blank({0: "bad", True: "great"}) == LabelWords({"0": "bad", "True": "great"}, "label")


@pytest.mark.parametrize("words", [None, {}])
def test_neither_words_nor_targets_are_refused(words: dict[str, str] | None) -> None:
    with pytest.raises(DataError, match="a task needs label_words or a target_field, got neither"):
        make_blank(words)


def test_the_right_options_are_the_labels_places_or_the_only_ones() -> None:
    assert WORDS.right_options([{"y": "positive"}, {"y": "negative"}], where="rows").tolist() == [1, 0]
    assert TARGETS.right_options([{"answer": "a"}, {"answer": "b"}], where="rows").tolist() == [0, 0]
    for blank in (WORDS, TARGETS):
        assert blank.right_options([], where="rows").shape == (0,)


def test_the_options_of_a_row_with_label_words_do_not_depend_on_its_label() -> None:
    assert WORDS.options({"y": "nonsense"}, where="row 1") == WORDS.options({}, where="row 1") == ("bad", "great")


def test_the_targets_of_a_row_may_be_a_list_of_which_the_first_is_scored() -> None:
    row = {"answer": ["five", 5], "hint": None, "n": 2}
    assert TARGETS.accepted(row, where="row 1") == ("five", "5")
    assert TARGETS.options(row, where="row 1") == ("five",)
    assert TARGETS.as_text(row) == {"answer": ["five", "5"], "n": "2"}
    assert TARGETS.as_text({"answer": 5}) == {"answer": "5"}
    assert WORDS.accepted({"y": "positive"}, where="row 1") == ()


@pytest.mark.parametrize(
    ("targets", "message"),
    [([], "has no field 'answer' with its target"), (["a", None], "has no field"), (["a", " "], "has an empty target")],
)
def test_a_list_must_hold_targets(targets: list[object], message: str) -> None:
    with pytest.raises(DataError, match=f"row 1 {message}"):
        TARGETS.accepted({"answer": targets}, where="row 1")


def test_labels_may_have_other_words_in_their_order() -> None:
    assert WORDS.with_words(("poor", "fine")) == LabelWords({"negative": "poor", "positive": "fine"}, "y")
    with pytest.raises(DataError, match="must be 2, one for each of negative, positive, got 1"):
        WORDS.with_words(("poor",))
    with pytest.raises(DataError, match="a prompt has label words, poor, fine, and the task has targets"):
        TARGETS.with_words(("poor", "fine"))
