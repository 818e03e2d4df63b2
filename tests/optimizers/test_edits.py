"""Edits of choices: seven variables of which the last four are places for rows and the third their count."""

from collections.abc import Callable

import numpy as np
import pytest

from blackbox.optimizers.edits import (
    Choice,
    Variables,
    add,
    cross,
    delete,
    edit,
    few_shot,
    reorder,
    replace,
    swap,
    vary,
)

OF = Variables.of((3, 2, 5, 9, 9, 9, 9), (1, 1, 1, 4))
TWO = (1, 0, 2, 7, 4, 0, 0)  # shows the rows 7 and 4
ALL = (1, 0, 4, 7, 4, 1, 2)
NONE = (1, 0, 0, 7, 4, 1, 2)
Edit = Callable[[Choice, Variables, np.random.Generator], Choice]


def many(one: Edit, choice: Choice, of: Variables = OF) -> set[Choice]:
    """What an edit makes of a choice with different luck."""
    return {one(choice, of, np.random.default_rng(seed)) for seed in range(200)}


def test_rows_and_their_count_are_found_in_the_blocks() -> None:
    assert Variables((3, 2, 5, 9, 9, 9, 9), rows=(3, 4, 5, 6), count=2) == OF


def test_rows_without_a_count_in_front_are_all_shown() -> None:
    of = Variables.of((3, 4, 9, 9), (1, 1, 2))
    assert (of.rows, of.count) == ((2, 3), None)
    assert of.shown((0, 0, 5, 6)) == (5, 6)


def test_without_variables_that_are_alike_there_are_no_rows() -> None:
    assert Variables.of((3, 2), (1, 1)) == Variables((3, 2))


def test_the_rows_that_are_shown_are_the_first_as_the_count_says() -> None:
    assert [OF.shown(choice) for choice in (NONE, TWO, ALL)] == [(), (7, 4), (7, 4, 1, 2)]


def test_add_shows_one_more_row_that_was_not_shown_at_any_place() -> None:
    shown = {OF.shown(choice) for choice in many(add, TWO)}
    assert {len(rows) for rows in shown} == {3}
    assert all(len(set(rows)) == 3 and [row for row in rows if row in (7, 4)] == [7, 4] for rows in shown)
    assert {place for rows in shown for place, row in enumerate(rows) if row not in (7, 4)} == {0, 1, 2}


def test_delete_shows_one_row_less() -> None:
    assert {OF.shown(choice) for choice in many(delete, TWO)} == {(7,), (4,)}


def test_swap_exchanges_two_rows() -> None:
    assert {OF.shown(choice) for choice in many(swap, TWO)} == {(4, 7)}
    assert all(
        sum(a != b for a, b in zip(OF.shown(choice), OF.shown(ALL), strict=True)) == 2 for choice in many(swap, ALL)
    )


def test_reorder_keeps_the_rows_and_gives_every_order() -> None:
    found = {OF.shown(choice) for choice in many(reorder, ALL)}
    assert len(found) == 24
    assert {tuple(sorted(rows)) for rows in found} == {(1, 2, 4, 7)}


def test_replace_exchanges_one_row_for_one_that_was_not_shown() -> None:
    for choice in many(replace, TWO):
        shown = OF.shown(choice)
        assert len(set(shown)) == 2
        assert sum(a != b for a, b in zip(shown, (7, 4), strict=True)) == 1


def test_vary_gives_one_variable_that_has_nothing_to_do_with_rows_another_category() -> None:
    assert many(vary, TWO) == {(0, *TWO[1:]), (2, *TWO[1:]), (1, 1, *TWO[2:])}


def test_vary_gives_an_instruction_that_was_added_way_to_those_of_the_start() -> None:
    assert {choice[0] for choice in many(vary, (11, *TWO[1:]))} == {0, 1, 2, 11}


@pytest.mark.parametrize(
    ("one", "choice"),
    [(add, ALL), (delete, NONE), (swap, NONE), (reorder, NONE), (replace, NONE), (swap, (1, 0, 1, 7, 0, 0, 0))],
)
def test_an_edit_with_nothing_to_change_gives_the_choice_itself(one: Edit, choice: Choice) -> None:
    assert many(one, choice) == {choice}


@pytest.mark.parametrize("one", [add, delete, swap, reorder, replace, vary, edit, few_shot])
@pytest.mark.parametrize("choice", [NONE, TWO, ALL])
def test_every_edit_gives_categories_that_there_are(one: Edit, choice: Choice) -> None:
    for changed in many(one, choice):
        assert all(0 <= number < size for number, size in zip(changed, OF.sizes, strict=True))


@pytest.mark.parametrize("choice", [NONE, TWO, ALL])
def test_an_edit_at_random_changes_the_choice_and_reaches_all_kinds(choice: Choice) -> None:
    found = many(edit, choice)
    assert choice not in found
    assert any(changed[:2] != choice[:2] for changed in found)
    assert any(OF.shown(changed) != OF.shown(choice) for changed in found)


def test_where_nothing_can_be_changed_an_edit_gives_the_choice_itself() -> None:
    assert many(edit, (0, 0), Variables((1, 1))) == {(0, 0)}


def test_the_few_shot_mutation_shows_a_row_more_a_row_less_or_as_many_equally_often() -> None:
    counts = [few_shot(TWO, OF, np.random.default_rng(seed))[2] for seed in range(600)]
    assert [abs(counts.count(count) - 200) < 60 for count in (1, 2, 3)] == [True] * 3


def test_a_crossing_takes_each_variable_from_either_parent() -> None:
    children = {cross((0,) * 4, (1,) * 4, np.random.default_rng(seed)) for seed in range(300)}
    assert len(children) == 16


def test_a_drawn_choice_reaches_every_category() -> None:
    drawn = [OF.draw(np.random.default_rng(seed)) for seed in range(300)]
    assert [set(column) for column in zip(*drawn, strict=True)] == [set(range(size)) for size in OF.sizes]
