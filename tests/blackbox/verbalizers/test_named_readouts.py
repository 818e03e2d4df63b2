"""What every readout of hidden states keeps to."""

import numpy as np
import pytest

from blackbox.verbalizers.named_readouts import READOUTS
from blackbox.verbalizers.readout import Readout

pytestmark = pytest.mark.parametrize("kind", READOUTS.values(), ids=READOUTS)
RNG = np.random.default_rng(0)
LABELS = np.array([0, 1, 1, 0, 1, 2, 2])
STATES = RNG.normal(size=(7, 5)) + 3.0


def test_labels_that_say_nothing_are_not_learned_from_the_rows_own(kind: type[Readout]) -> None:
    """Of random labels the training rows are told no better than by chance; with themselves they would be."""
    rng = np.random.default_rng(3)
    labels = np.arange(60) % 2
    states = rng.normal(size=(60, 200))
    readout = kind.of(states, labels, 2)
    without = readout.of_training_rows(states, labels, np.arange(60)).argmax(axis=-1) == labels
    with_itself = readout.log_probabilities(states).argmax(axis=-1) == labels
    assert without.mean() < 0.65 < with_itself.mean()


def test_rows_are_told_alike_in_any_company(kind: type[Readout]) -> None:
    readout, rows = kind.of(STATES, LABELS, 3), RNG.normal(size=(9, 5))
    together = readout.log_probabilities(rows)
    assert np.array_equal(np.concatenate([readout.log_probabilities(rows[[row]]) for row in range(9)]), together)


def test_rows_without_states_have_no_answer(kind: type[Readout]) -> None:
    readout = kind.of(STATES, LABELS, 3)
    rows = np.array([[np.nan] * 5, STATES[0]])
    found = readout.log_probabilities(rows)
    assert np.isnan(found[0]).all()
    assert np.isfinite(found[1]).all()
    without = kind.of(np.full_like(STATES, np.nan), LABELS, 3)
    assert np.isnan(without.of_training_rows(STATES, LABELS, np.arange(2))).all()
    assert np.isnan(without.log_probabilities(STATES)).all()
