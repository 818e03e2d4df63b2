"""Labels as directions of hidden states."""

from dataclasses import replace

import numpy as np
import pytest

from blackbox.verbalizers.class_means import ClassMeans

RNG = np.random.default_rng(0)
LABELS = np.array([0, 1, 1, 0, 1, 2, 2])
STATES = RNG.normal(size=(7, 5)) + 3.0


def by_hand(state: np.ndarray, states: np.ndarray, labels: np.ndarray, rho: float) -> np.ndarray:
    """exp(rho cos(v_y, h)) / sum, of states from which the mean of all training rows is taken."""
    centre = STATES.mean(axis=0)
    h = state - centre
    logits = []
    for label in range(3):
        v = states[labels == label].mean(axis=0) - centre
        logits.append(rho * float(v @ h) / float(np.linalg.norm(v) * np.linalg.norm(h)))
    shares = np.exp(logits)
    return shares / shares.sum()


def test_a_row_is_told_by_the_cosine_to_each_labels_mean() -> None:
    means, rows = ClassMeans.of(STATES, LABELS, 3), RNG.normal(size=(4, 5))
    expected = [by_hand(row, STATES, LABELS, means.rho) for row in rows]
    assert np.exp(means.log_probabilities(rows)) == pytest.approx(np.array(expected))


def test_a_training_row_is_told_without_itself() -> None:
    means = ClassMeans.of(STATES, LABELS, 3)
    expected = [
        by_hand(STATES[row], np.delete(STATES, row, axis=0), np.delete(LABELS, row), means.rho)
        for row in range(len(LABELS))
    ]
    found = np.exp(means.of_training_rows(STATES, LABELS, np.arange(7)))
    assert found == pytest.approx(np.array(expected))
    some = np.array([4, 0])
    assert np.array_equal(np.exp(means.of_training_rows(STATES, LABELS, some)), found[some])


def test_rho_is_the_one_under_which_the_training_rows_are_the_likeliest() -> None:
    rng, labels = np.random.default_rng(5), np.arange(40) % 2
    clear = np.where(labels[:, None] == 0, 3.0, -3.0) * np.ones(6) + rng.normal(size=(40, 6))
    nothing = rng.normal(size=(40, 6))
    found = {name: ClassMeans.of(states, labels, 2) for name, states in (("clear", clear), ("nothing", nothing))}
    assert found["nothing"].rho == 1.0 < found["clear"].rho == 20.0
    losses = {rho: replace(found["clear"], rho=rho).training_loss(clear, labels) for rho in (1.0, 5.0, 20.0)}
    assert losses[20.0] == min(losses.values())


def test_a_row_alone_with_its_label_is_told_with_itself() -> None:
    labels = np.array([0, 1, 1, 1, 1, 1, 1])
    means = ClassMeans.of(STATES, labels, 2)
    one = means.of_training_rows(STATES, labels, np.array([0]))
    assert one == pytest.approx(means.log_probabilities(STATES[:1]))
