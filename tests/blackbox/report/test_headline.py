from collections.abc import Callable
from dataclasses import replace

import pytest

from blackbox.evaluation import Evaluation
from blackbox.figures import MeanLoss
from blackbox.metrics import Measured
from blackbox.report.headline import comparison, outcome_in_words, status_in_words
from blackbox.report.improvements import find_improvements
from blackbox.summary import Summary

Make = Callable[..., tuple[Evaluation, ...]]
Measure = Callable[..., Measured]


@pytest.mark.parametrize(
    ("summary", "words"),
    [
        (Summary("running"), "has not ended"),
        (Summary("succeeded", "target"), "the target is reached"),
        (Summary("succeeded", "optimizer (tolfun)"), "because the optimizer stopped (tolfun)"),
        (Summary("interrupted", "the user"), "interrupted by the user"),
        (Summary("failed", "BackendError: gone"), "failed: BackendError: gone"),
    ],
)
def test_each_status_has_its_sentence(summary: Summary, words: str) -> None:
    assert words in status_in_words(summary)


def test_the_test_rows_are_compared_where_both_prompts_were_scored_on_them(
    small_history: Make, measured: Measure
) -> None:
    before, after = measured(0.5, 200), measured(0.8, 200)
    summary = Summary("succeeded", dev=measured(0.75), test_before=before, test_after=after)
    found = find_improvements(small_history())
    assert comparison(summary, found) == ("test rows", before, after)
    assert outcome_in_words(summary, found) == [
        "On 200 test rows, the prompt that was found has accuracy 80.0%; the starting prompt has 50.0%. "
        "That is 30.0 percentage points more."
    ]


def test_a_loss_on_the_test_rows_is_called_less(small_history: Make, measured: Measure) -> None:
    summary = Summary("succeeded", test_before=measured(0.8, 200), test_after=measured(0.5, 200))
    assert "30.0 percentage points less" in outcome_in_words(summary, find_improvements(small_history()))[0]


def test_losses_on_the_test_rows_are_compared_where_there_is_no_metric(small_history: Make) -> None:
    summary = Summary("succeeded", test_loss_before=2.5, test_loss_after=1.75)
    found = find_improvements([replace(evaluation, measured=None) for evaluation in small_history()])
    assert comparison(summary, found) == ("test rows", MeanLoss(2.5), MeanLoss(1.75))
    assert outcome_in_words(summary, found) == [
        "On the test rows, the prompt that was found has loss 1.7500; the starting prompt has 2.5000. "
        "That is 0.7500 nats less."
    ]


def test_a_loss_that_has_grown_is_called_more(small_history: Make) -> None:
    summary = Summary("succeeded", test_loss_before=1.75, test_loss_after=2.5)
    assert "0.7500 nats more" in outcome_in_words(summary, find_improvements(small_history()))[0]


def test_without_test_rows_the_losses_on_the_dev_rows_are_compared_with_a_caution(small_history: Make) -> None:
    found = find_improvements([replace(evaluation, measured=None) for evaluation in small_history(test=False)])
    sentences = outcome_in_words(Summary("succeeded", dev_loss=0.61), found)
    assert "On the dev rows, the prompt that was found has loss 0.6100; the starting prompt has 0.8200." in sentences[0]
    assert any("selected on these rows" in sentence for sentence in sentences)


def test_overlapping_intervals_are_called_so(small_history: Make, measured: Measure) -> None:
    summary = Summary("succeeded", test_before=measured(0.7, 20), test_after=measured(0.75, 20))
    sentences = outcome_in_words(summary, find_improvements(small_history()))
    assert any("could be chance" in sentence for sentence in sentences)


def test_without_test_rows_the_dev_rows_are_compared_with_a_caution(small_history: Make, measured: Measure) -> None:
    summary = Summary("succeeded", dev=measured(0.75))
    sentences = outcome_in_words(summary, find_improvements(small_history(test=False)))
    assert "On 32 dev rows" in sentences[0]
    assert any("selected on these rows" in sentence for sentence in sentences)


def test_with_training_rows_alone_only_the_loss_is_told(small_history: Make) -> None:
    found = find_improvements(small_history(dev=False, test=False))
    assert comparison(Summary("succeeded"), found) is None
    assert "training loss went from 0.8000 to 0.5000" in outcome_in_words(Summary("succeeded"), found)[0]


def test_a_search_that_found_nothing_says_so(small_history: Make, measured: Measure) -> None:
    start = measured(0.5, 200)
    summary = Summary("succeeded", test_before=start, test_after=start)
    assert outcome_in_words(summary, find_improvements(small_history()[:4])) == [
        "The search has found no prompt that is clearly better than the starting prompt.",
        f"Its own accuracy on the test rows is {start}.",
    ]


def test_a_run_that_failed_before_its_first_answer_says_so() -> None:
    assert outcome_in_words(Summary("failed", "BackendError: gone"), []) == ["No prompt was scored."]
