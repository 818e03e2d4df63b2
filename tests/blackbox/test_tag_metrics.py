"""Metrics of tags: the spans of published examples, and intervals over sentences."""

import numpy as np
import pytest

from blackbox.errors import SettingError, UnknownNameError
from blackbox.metrics import macro_f1
from blackbox.tag_metrics import TAG_METRICS, make_tag_metric, spans

LABELS = ("O", "B-PER", "I-PER", "B-MISC", "I-MISC")


def numbers(*tags: str) -> np.ndarray:
    return np.array([LABELS.index(tag) for tag in tags])


def test_spans_are_those_that_conlleval_reads() -> None:
    assert spans(["B-PER", "I-PER", "O", "B-LOC"]) == {("PER", 0, 1), ("LOC", 3, 3)}
    assert spans(["I-PER", "I-PER", "I-LOC"]) == {("PER", 0, 1), ("LOC", 2, 2)}  # begun by I-
    assert spans(["B-PER", "B-PER", "I-PER"]) == {("PER", 0, 0), ("PER", 1, 2)}  # two that touch
    assert spans(["O", "O"]) == spans([]) == set()


def test_span_f1_is_that_of_seqevals_example() -> None:
    # https://github.com/chakki-works/seqeval, README: f1_score 0.50
    true = [*["O", "O", "O", "B-MISC", "I-MISC", "I-MISC", "O"], *["B-PER", "I-PER", "O"]]
    predicted = [*["O", "O", "B-MISC", "I-MISC", "I-MISC", "I-MISC", "O"], *["B-PER", "I-PER", "O"]]
    sentences = np.array([0] * 7 + [1] * 3)
    measured = TAG_METRICS["span-f1"](numbers(*predicted), numbers(*true), sentences, LABELS)
    assert (measured.metric, measured.value, measured.rows) == ("span-f1", 0.5, 10)
    assert (measured.low, measured.high) == (0.0, 1.0)


def test_a_span_does_not_go_on_in_the_next_sentence() -> None:
    tags = numbers("B-PER", "I-PER")
    apart = TAG_METRICS["span-f1"](tags, tags, np.array([0, 1]), LABELS)
    together = TAG_METRICS["span-f1"](numbers("B-PER", "O"), tags, np.array([0, 0]), LABELS)
    assert (apart.value, together.value) == (1.0, 0.0)


def test_an_answer_that_is_no_tag_is_outside_of_any_span() -> None:
    true = numbers("B-PER", "I-PER", "O")
    measured = TAG_METRICS["span-f1"](np.array([1, -1, -1]), true, np.zeros(3, dtype=int), LABELS)
    assert measured.value == 0.0
    assert TAG_METRICS["accuracy"](np.array([1, -1, -1]), true, np.zeros(3, dtype=int), LABELS).value == 1 / 3


def test_accuracy_and_macro_f1_are_those_of_the_tokens() -> None:
    rng = np.random.default_rng(2)
    predicted, true, sentences = (*rng.integers(0, 5, size=(2, 60)), np.sort(rng.integers(0, 9, size=60)))
    assert TAG_METRICS["accuracy"](predicted, true, sentences, LABELS).value == np.mean(predicted == true)
    assert TAG_METRICS["macro-f1"](predicted, true, sentences, LABELS).value == pytest.approx(
        macro_f1(predicted, true, 5)
    )


def test_the_interval_is_one_over_sentences() -> None:
    """Where all tokens of a sentence are right or wrong together, it is as wide as that of so few sentences."""
    rng = np.random.default_rng(3)
    of_sentences = rng.integers(0, 2, size=40)
    sentences, true = np.repeat(np.arange(40), 25), np.zeros(1000, dtype=int)
    together = TAG_METRICS["accuracy"](np.repeat(of_sentences, 25), true, sentences, LABELS)
    share = 1 - of_sentences.mean()
    assert together.high - together.low == pytest.approx(2 * 1.96 * np.sqrt(share * (1 - share) / 40), rel=0.1)
    apart = TAG_METRICS["accuracy"](rng.integers(0, 2, size=1000), true, sentences, LABELS)
    assert apart.high - apart.low < (together.high - together.low) / 3


def test_what_is_no_iob2_has_no_spans() -> None:
    with pytest.raises(SettingError, match="metric 'span-f1' needs tags in IOB2: O, B-type and I-type; got 'NOUN'"):
        make_tag_metric("span-f1", ("O", "NOUN"))
    assert make_tag_metric("span-f1", LABELS).name == "span-f1"
    with pytest.raises(UnknownNameError, match="unknown metric of tags 'mae'"):
        make_tag_metric("mae", LABELS)
