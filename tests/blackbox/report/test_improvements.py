import math
from collections.abc import Callable
from dataclasses import replace

import pytest

from blackbox import Task, tune
from blackbox.evaluation import Evaluation
from blackbox.report.improvements import BlockGains, block_gains, find_improvements, selected, spent_after

Make = Callable[..., tuple[Evaluation, ...]]
MakeOne = Callable[..., Evaluation]


def test_training_evaluations_and_dev_looks_are_spent_and_test_rows_cost_nothing(small_history: Make) -> None:
    assert spent_after(small_history()) == [1, 2, 2, 3, 4, 5, 6, 7, 8, 9, 10, 10]


def test_a_dev_look_counts_by_its_share_of_the_training_rows_rounded_up(evaluation: MakeOne, numbered: Make) -> None:
    history = numbered([evaluation("train", 0.8, "a", rows=32), evaluation("dev", 0.8, "a", rows=65)])
    assert spent_after(history) == [1, 4]


def test_a_dev_look_that_has_no_metric_counts_as_one_that_has(small_history: Make) -> None:
    assert spent_after([replace(found, measured=None) for found in small_history()]) == spent_after(small_history())


def test_rows_without_an_answer_are_spent_too(evaluation: MakeOne, numbered: Make) -> None:
    assert spent_after(numbered([evaluation("train", math.inf, "a"), evaluation("dev", math.inf, "a")])) == [1, 2]


def test_improvements_are_the_generations_that_lowered_the_training_loss(small_history: Make) -> None:
    found = find_improvements(small_history())
    assert [improvement.train.candidate for improvement in found] == ["start", "a", "c"]
    assert [improvement.dev.loss for improvement in found if improvement.dev] == [0.82, 0.61, 0.7]
    assert [improvement.spent for improvement in found] == [2, 5, 10]
    assert [improvement.gain for improvement in found] == [None, pytest.approx(0.2), pytest.approx(0.1)]


def test_the_best_dev_metric_is_selected_and_not_the_lowest_training_loss(small_history: Make) -> None:
    best = selected(find_improvements(small_history()))
    assert best is not None
    assert best.train.candidate == "a"


def test_without_dev_rows_the_lowest_training_loss_is_selected(small_history: Make) -> None:
    best = selected(find_improvements(small_history(dev=False)))
    assert best is not None
    assert (best.train.candidate, best.dev) == ("c", None)


def test_an_improvement_whose_dev_look_was_cut_off_is_left_out(small_history: Make) -> None:
    found = find_improvements(small_history()[:9])
    assert [improvement.train.candidate for improvement in found] == ["start", "a"]


def test_an_empty_history_has_no_improvements() -> None:
    assert find_improvements(()) == []
    assert selected([]) is None


def test_after_a_start_without_any_answer_no_gain_is_claimed(evaluation: MakeOne, numbered: Make) -> None:
    history = numbered([evaluation("train", math.inf, "start"), evaluation("train", 0.7, "a", generation=1)])
    assert [improvement.gain for improvement in find_improvements(history)] == [None, None]


@pytest.mark.parametrize("dev_rows", [0, 40])
def test_the_story_agrees_with_the_account_of_the_search_itself(dev_rows: int) -> None:
    rows = [{"text": f"row {number}", "label": ("no", "yes")[number % 2]} for number in range(16 + dev_rows)]
    task = Task(rows[:16], dev=rows[16:], template="{text} {label}.", label_words={"no": "no", "yes": "yes"})
    result = tune(task, backend="fake", dimension=4, population=4, evaluations=120)
    best = selected(find_improvements(result.history))
    assert best is not None
    assert spent_after(result.history)[-1] == result.summary.evaluations
    assert best.train.loss == result.summary.train_loss
    assert (best.dev and best.dev.measured) == result.summary.dev


def test_gains_by_block_add_up_and_leave_the_start_out(small_history: Make) -> None:
    history = small_history(blockwise=True)
    assert block_gains(history, find_improvements(history)) == [
        BlockGains(block=0, evaluations=2, improvements=1, gain=pytest.approx(0.2)),  # type: ignore[arg-type]
        BlockGains(block=1, evaluations=4, improvements=1, gain=pytest.approx(0.1)),  # type: ignore[arg-type]
    ]


def test_a_search_that_is_not_blockwise_has_no_gains_by_block(small_history: Make) -> None:
    assert block_gains(small_history(), find_improvements(small_history())) == []
