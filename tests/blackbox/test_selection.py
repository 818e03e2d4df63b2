import json
import math
from dataclasses import replace

import numpy as np
import pytest

from blackbox.metrics import Measured, wilson_interval
from blackbox.selection import Choice, Selection
from tests.blackbox.test_evaluation import EVALUATION


def choice(loss: float, metric: float | None = 0.5, name: str = "x") -> Choice:
    measured = None if metric is None else Measured("accuracy", metric, 0.0, 1.0, 4)
    return Choice(np.array([loss, 0.5]), replace(EVALUATION, loss=loss, measured=measured, candidate=name))


def share(right: int, rows: int) -> Measured:
    return Measured("accuracy", right / rows, *wilson_interval(right / rows, rows), rows)


def test_the_lowest_training_loss_is_kept_and_the_earlier_one_of_equals() -> None:
    selection = Selection()
    first = choice(0.5)
    assert selection.consider_train(first)
    assert not selection.consider_train(choice(0.5))
    assert not selection.consider_train(choice(0.6))
    assert selection.train is first
    assert selection.consider_train(choice(0.4))


def test_a_start_without_any_answer_gives_way_to_the_first_answer() -> None:
    selection = Selection()
    assert selection.consider_train(choice(math.inf, None))
    assert not selection.consider_train(choice(math.inf, None))
    assert selection.consider_train(choice(9.0))


def test_without_dev_rows_the_lowest_training_loss_is_chosen() -> None:
    selection = Selection()
    selection.consider_train(choice(0.5, 1.0))
    better = choice(0.4, 0.1)
    selection.consider_train(better)
    assert selection.chosen is better


def test_the_best_dev_metric_is_chosen_whatever_the_loss() -> None:
    selection = Selection()
    selection.consider_train(choice(0.1))
    best = choice(0.9, 0.8)
    for looked in (choice(0.2, 0.7), best, choice(0.1, 0.75)):
        selection.consider_dev(looked)
    assert selection.chosen is best


def test_ties_of_the_dev_metric_are_broken_by_the_dev_loss_and_then_by_the_earlier() -> None:
    selection = Selection()
    low = choice(0.3, 0.8)
    for looked in (choice(0.4, 0.8), low, choice(0.3, 0.8), choice(0.35, 0.8)):
        selection.consider_dev(looked)
    assert selection.dev is low


def test_without_a_metric_the_lowest_dev_loss_is_chosen_and_the_earlier_one_of_equals() -> None:
    selection = Selection()
    low = choice(0.3, None)
    for looked in (choice(0.4, None), low, choice(0.3, None), choice(0.35, None)):
        selection.consider_dev(looked)
    assert selection.dev is low


@pytest.mark.parametrize(
    ("right", "of_text", "taken"),
    [
        (20, True, False),
        (23, True, False),
        (24, True, True),
        (21, False, True),
    ],  # of 32; a standard error is 3.6
)
def test_a_starting_text_gives_way_only_to_one_that_is_clearly_better(right: int, of_text: bool, taken: bool) -> None:
    """Whatever the loss; a starting prompt of vectors gives way to any that is better."""
    prompt = {"text": "Say which."} if of_text else None
    start, found = (
        Choice(one.candidate, replace(one.evaluation, measured=share(n, 32), prompt=prompt))
        for one, n in ((choice(0.9, name="start"), 20), (choice(0.1, name="found"), right))
    )
    selection = Selection()
    for look in (start, found):
        selection.consider_train(look)
        selection.consider_dev(look)
    again = Selection()
    again.load_state_dict(json.loads(json.dumps(selection.state_dict())))
    again.consider_dev(found)
    assert selection.chosen is (found if taken else start)
    assert again.state_dict() == selection.state_dict()


def test_a_checkpoint_without_a_start_is_gone_on_from() -> None:
    selection, again = Selection(), Selection()
    selection.consider_train(choice(0.4))
    selection.consider_dev(choice(0.5))
    state = {name: value for name, value in selection.state_dict().items() if name != "start"}
    again.load_state_dict(json.loads(json.dumps(state)))
    assert again.state_dict() == selection.state_dict()


def test_a_look_without_any_answer_is_the_worst() -> None:
    selection = Selection()
    selection.consider_dev(choice(math.inf, None))
    answered = choice(5.0, 0.0)
    selection.consider_dev(answered)
    selection.consider_dev(choice(math.inf, None))
    assert selection.dev is answered


def test_nothing_is_chosen_before_the_first() -> None:
    assert Selection().chosen is None


def test_it_comes_back_from_json_number_for_number() -> None:
    selection, again, empty = Selection(), Selection(), Selection()
    selection.consider_train(choice(0.1 + 0.2, name="t"))
    selection.consider_dev(choice(1 / 3, name="d"))
    again.load_state_dict(json.loads(json.dumps(selection.state_dict())))
    assert again.state_dict() == selection.state_dict()
    assert again.dev is not None
    assert again.dev.candidate.tolist() == [1 / 3, 0.5]
    empty.load_state_dict(json.loads(json.dumps(Selection().state_dict())))
    assert empty.chosen is None


def test_looks_are_kept_in_order_where_they_are_asked_for_and_come_back() -> None:
    selection, plain = Selection(keeps_looks=True), Selection()
    looks = [choice(0.5, 0.5, "a"), choice(0.4, 0.9, "b"), choice(0.3, 0.6, "c")]
    for look in looks:
        selection.consider_dev(look)
        plain.consider_dev(look)
    again = Selection(keeps_looks=True)
    again.load_state_dict(json.loads(json.dumps(selection.state_dict())))
    assert [look.evaluation.candidate for look in again.looks] == ["a", "b", "c"]
    assert plain.looks == []
    assert plain.state_dict().keys() == {"train", "dev", "start"}


def test_of_many_looks_the_best_are_kept_the_best_first_and_the_earlier_of_two_alike() -> None:
    selection = Selection(keeps_looks=True, most_looks=2)
    for look in (choice(0.5, 0.5, "a"), choice(0.4, 0.9, "b"), choice(0.4, 0.9, "c"), choice(0.3, 0.6, "d")):
        selection.consider_dev(look)
    assert [look.evaluation.candidate for look in selection.looks] == ["b", "c"]
    assert selection.dev is selection.looks[0]
