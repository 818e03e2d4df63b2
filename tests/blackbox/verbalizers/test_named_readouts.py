"""What every readout keeps to."""

import numpy as np
import pytest

from blackbox.backends import Capability
from blackbox.verbalizers.named_readouts import READOUTS
from blackbox.verbalizers.readout import Readout

every = pytest.mark.parametrize("kind", READOUTS.values(), ids=READOUTS)
of_states = {name: kind for name, kind in READOUTS.items() if kind.reads is Capability.STATES}
RNG = np.random.default_rng(0)
LABELS = np.array([0, 1, 1, 0, 1, 2, 2])


def made(kind: type[Readout], n_rows: int) -> np.ndarray:
    """What it reads of rows with three labels: states, or the log-probabilities of these."""
    if kind.reads is Capability.STATES:
        return RNG.normal(size=(n_rows, 5)) + 3.0
    return np.log(RNG.dirichlet(np.ones(3), size=n_rows))


@pytest.mark.parametrize("kind", of_states.values(), ids=of_states)
def test_labels_that_say_nothing_are_not_learned_from_the_rows_own(kind: type[Readout]) -> None:
    """Of random labels the training rows are told no better than by chance; with themselves they would be."""
    rng = np.random.default_rng(3)
    labels = np.arange(60) % 2
    states = rng.normal(size=(60, 200))
    readout = kind.of(states, labels, 2)
    without = readout.of_training_rows(states, labels, np.arange(60)).argmax(axis=-1) == labels
    with_itself = readout.log_probabilities(states).argmax(axis=-1) == labels
    assert without.mean() < 0.65 < with_itself.mean()


@every
def test_rows_are_told_alike_in_any_company(kind: type[Readout]) -> None:
    readout, rows = kind.of(made(kind, 7), LABELS, 3), made(kind, 9)
    together = readout.log_probabilities(rows)
    assert np.array_equal(np.concatenate([readout.log_probabilities(rows[[row]]) for row in range(9)]), together)


@every
def test_rows_without_states_have_no_answer(kind: type[Readout]) -> None:
    known = made(kind, 7)
    rows = np.array([np.full(known.shape[1], np.nan), known[0]])
    found = kind.of(known, LABELS, 3).log_probabilities(rows)
    assert np.isnan(found[0]).all()
    assert np.isfinite(found[1]).all()
    nothing = np.full_like(known, np.nan)
    without = kind.of(nothing, LABELS, 3)
    assert np.isnan(without.of_training_rows(nothing, LABELS, np.arange(2))).all()
    assert np.isnan(without.log_probabilities(nothing)).all()
