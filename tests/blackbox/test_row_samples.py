import numpy as np
import pytest

from blackbox.row_samples import RowSamples
from blackbox.split import Split
from tests.blackbox.small import make_task


@pytest.fixture(scope="module")
def train() -> Split:
    return make_task(train=10).train


def test_no_row_comes_twice_in_an_epoch_and_every_epoch_is_shuffled_anew(train: Split) -> None:
    samples = RowSamples(train, 5, seed=1)
    epochs = [(samples.rows(2 * epoch + 1), samples.rows(2 * epoch + 2)) for epoch in range(4)]
    assert all(sorted(first + second) == list(range(10)) for first, second in epochs)
    assert len(set(epochs)) == 4


def test_rows_that_are_left_over_differ_from_epoch_to_epoch(train: Split) -> None:
    samples = RowSamples(train, 4, seed=1)
    met = [set(samples.rows(2 * epoch + 1) + samples.rows(2 * epoch + 2)) for epoch in range(8)]
    assert all(len(rows) == 8 for rows in met)
    assert set.union(*met) == set(range(10))
    assert len({frozenset(rows) for rows in met}) > 1


def test_every_row_comes_about_as_often(train: Split) -> None:
    samples = RowSamples(train, 3, seed=1)
    counts = np.bincount([row for generation in range(1, 1001) for row in samples.rows(generation)], minlength=10)
    assert np.abs(counts - 300).max() < 5 * np.sqrt(1000 * 0.3 * 0.7)  # five standard errors, if drawn independently


def test_a_sample_depends_on_its_number_and_the_seed_only(train: Split) -> None:
    samples = RowSamples(train, 5, seed=1)
    later = [samples.rows(generation) for generation in (7, 3, 1)]
    assert later == [RowSamples(train, 5, seed=1).rows(generation) for generation in (7, 3, 1)]
    assert later != [RowSamples(train, 5, seed=2).rows(generation) for generation in (7, 3, 1)]


def test_a_sample_is_of_the_training_rows_and_says_which(train: Split) -> None:
    samples = RowSamples(train, 5, seed=1)
    sample = samples.of(1)
    assert (sample.name, sample.source, sample.numbers) == ("sample", "train", samples.rows(1))
    assert sample.queries == tuple(train.queries[row] for row in samples.rows(1))
    assert (train.source, train.numbers) == ("train", None)
