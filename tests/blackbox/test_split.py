import pytest

from blackbox.backends import Demonstration, FakeBackend, Query, TextPrompt
from blackbox.errors import DataError
from blackbox.split import shown_rows
from blackbox.task import Task
from tests.blackbox.small import TARGET_TEMPLATE, make_target_rows, make_target_task, make_task

OWN = TextPrompt("", template="{text} So {label}!", label_words=("poor", "fine"))


def test_a_prompt_without_a_form_of_its_own_has_the_task_s() -> None:
    split = make_task().train
    assert split.in_form_of(TextPrompt("x")) is split
    soft = FakeBackend().prefix_of(FakeBackend().encode("ab"))
    assert split.in_form_of(soft) is split


def test_rows_stand_behind_a_prompt_in_its_own_template_and_words_and_are_rendered_once() -> None:
    split = make_task().train
    formed = split.in_form_of(OWN)
    assert formed.queries[1] == Query("Day 1 was great. So ", ("poor", "fine"), "!")
    assert formed.labels.tolist() == split.labels.tolist()
    assert split.in_form_of(TextPrompt("else", template=OWN.template, label_words=OWN.label_words)) is formed


def test_the_parts_that_a_prompt_leaves_out_are_the_task_s() -> None:
    split = make_task().train
    assert split.in_form_of(TextPrompt("", template="{text} {label}")).queries[0].options == ("bad", "great")
    words = split.in_form_of(TextPrompt("", label_words=("a", "b"))).queries[0]
    assert words == Query("Day 0 was bad. It was ", ("a", "b"), ".")


def test_targets_stand_in_a_prompt_s_own_template() -> None:
    formed = make_target_task().train.in_form_of(TextPrompt("", template="Q: {question} A: {label}"))
    assert formed.queries[0] == Query("Q: What is 0 + 1? A: ", ("The sum is 1.",))


@pytest.mark.parametrize(
    ("prompt", "message"),
    [
        (TextPrompt("", template="{text}"), "exactly one {label}"),
        (TextPrompt("", template="{txt} {label}"), "train row 1 has no field 'txt'"),
        (TextPrompt("", label_words=("a",)), "must be 2, one for each of negative, positive, got 1"),
        (TextPrompt("", label_words=("a", "a")), "label word 'a' stands for 'negative' and 'positive'"),
        (TextPrompt("", (Demonstration("x", "y", row=8),)), "row 8 of train, which has the rows 0 to 7"),
    ],
)
def test_a_form_that_is_none_for_the_rows_is_refused(prompt: TextPrompt, message: str) -> None:
    with pytest.raises(DataError, match=message):
        make_task().check_prompt(prompt)


def test_a_field_that_is_null_is_no_text() -> None:
    rows = [{"question": "x", "target": "y", "hint": None}]
    task = Task(make_target_rows(1), test=rows, template=TARGET_TEMPLATE, target_field="target")
    with pytest.raises(DataError, match="test row 1 has no field 'hint'"):
        task.test.in_form_of(TextPrompt("", template="{question} {hint} {label}"))


def test_some_rows_are_taken_by_their_numbers() -> None:
    split = make_task().train
    part = split.take([3, 0])
    assert part.queries == (split.queries[3], split.queries[0])
    assert part.labels.tolist() == [1, 0]


def test_a_prompt_shows_the_rows_that_its_demonstrations_were_made_from() -> None:
    split = make_task().train
    shown = TextPrompt("", (Demonstration("a", "b", row=5), Demonstration("c", "d"), Demonstration("e", "f", row=0)))
    assert shown_rows(shown, split) == {0, 5}
