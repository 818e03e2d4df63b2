import pytest

from blackbox.proposing.copying import Copies

ROWS = [
    ["The film is a slow and tender look at two old friends who meet again.", "a"],
    ["What a waste of two hours, and of a very good cast indeed.", "b"],
    ["Simply the best.", "c"],
    ["Bad.", "d"],
]


@pytest.mark.parametrize(
    "instruction",
    [
        "Say great when you read that the film is a slow and tender look at two old friends.",
        "SAY: 'a slow -- and TENDER look at: two old friends' is great",
        "Texts such as simply the best are great.",
    ],
)
def test_a_copy_of_eight_words_or_of_a_whole_short_row_is_found(instruction: str) -> None:
    assert instruction in Copies(ROWS, [])


@pytest.mark.parametrize(
    "instruction",
    [
        "Say great when it is a slow and tender look at friends.",  # seven words
        "Say bad if the text is bad.",
        "Choose the best word.",
        "",
    ],
)
def test_fewer_words_are_no_copy(instruction: str) -> None:
    assert instruction not in Copies(ROWS, [])


def test_what_stands_in_several_rows_is_the_tasks_own_way_of_speaking() -> None:
    asked = "which of the following words is the right one for"
    rows = [[f"{asked} {name}?", "none of these at all"] for name in ("ice", "rain", "wind")]
    assert f"You are told {asked} a thing." not in Copies(rows, [])
    assert f"You are told {asked} a thing." in Copies(rows[:2], [])
    assert "You may say none of these at all." not in Copies(rows, [])


def test_rows_that_stand_twice_are_one() -> None:
    assert "It is a slow and tender look at two old friends who meet." in Copies(ROWS * 3, [])


def test_what_was_given_may_be_quoted() -> None:
    given = "Judge it: a slow and tender look at two old friends who meet again is great."
    assert f"Please. {given}" not in Copies(ROWS, [given])
    assert "simply the best, or not" not in Copies(ROWS, ["Simply the best"])
