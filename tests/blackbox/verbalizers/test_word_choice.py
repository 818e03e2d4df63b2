"""Which words stand for which labels, from a table of log-probabilities."""

from itertools import permutations

import numpy as np
import pytest

from blackbox.losses import CrossEntropy
from blackbox.verbalizers.word_choice import FloatArray, candidate_words, combinations

LABELS = np.array([0, 0, 1, 1])


def log_softmax(logits: FloatArray) -> FloatArray:
    return logits - np.logaddexp.reduce(logits, axis=-1, keepdims=True)


def test_candidates_are_the_likeliest_words_and_the_most_telling_ones() -> None:
    """Words 0 and 1 are likely everywhere; 2 and 3 are rarer, and only in the rows of one label."""
    table = np.log(
        np.array([[0.5, 0.3, 0.15, 0.05], [0.5, 0.3, 0.15, 0.05], [0.5, 0.3, 0.05, 0.15], [0.5, 0.3, 0.05, 0.15]])
    )
    assert candidate_words(table, LABELS, count=2) == [[0, 2], [0, 3]]
    assert candidate_words(table, LABELS, count=4) == [[0, 1, 2, 3], [0, 1, 3, 2]]


def test_of_equal_words_the_first_is_taken() -> None:
    assert candidate_words(np.zeros((4, 3)), LABELS, count=3) == [[0, 1, 2], [0, 1, 2]]


@pytest.mark.parametrize("seed", range(5))
def test_the_lowest_combination_is_that_of_all_pairs(seed: int) -> None:
    table = log_softmax(np.random.default_rng(seed).normal(size=(4, 6)) * 2)
    found = combinations(table, LABELS, [list(range(6))] * 2, CrossEntropy())
    all_pairs = {}
    for pair in permutations(range(6), 2):
        of_rows = CrossEntropy().of_rows(log_softmax(table[:, list(pair)])[None], LABELS)
        all_pairs[pair] = of_rows.mean()
    best = next(iter(found))
    assert found[best] == min(found.values())
    for word in range(6):  # no change of one word is better
        for other in ((word, best[1]), (best[0], word)):
            assert other not in all_pairs or all_pairs[other] >= found[best] - 1e-12
    assert all(found[pair] == pytest.approx(all_pairs[pair]) for pair in found)


def test_no_word_stands_for_two_labels() -> None:
    table = np.zeros((6, 3))
    found = combinations(table, np.array([0, 0, 1, 1, 2, 2]), [[0, 1, 2]] * 3, CrossEntropy())
    assert all(len(set(words)) == 3 for words in found)


def test_the_given_words_are_a_start_and_never_lost() -> None:
    table = log_softmax(np.random.default_rng(1).normal(size=(4, 8)))
    given = (7, 6)
    found = combinations(table, LABELS, [[0, 1], [2, 3]], CrossEntropy(), start=given)
    assert given in found
    assert min(found.values()) <= found[given]
