import json

import numpy as np
import pytest

from blackbox.errors import UnknownNameError
from blackbox.metrics import Accuracy, MacroF1, Measured, macro_f1, make_metric, wilson_interval


def test_the_wilson_interval_is_the_published_one() -> None:
    # Newcombe 1998, doi:10.1002/(SICI)1097-0258(19980430)17:8<857::AID-SIM777>3.0.CO;2-E, table I, method 3
    for hits, n, low, high in [(81, 263, 0.2553, 0.3662), (15, 148, 0.0624, 0.1605), (0, 20, 0.0, 0.1611)]:
        assert wilson_interval(hits / n, n) == pytest.approx((low, high), abs=5e-5)
    assert wilson_interval(1 / 29, 29) == pytest.approx((0.0061, 0.1718), abs=5e-5)


def test_the_wilson_interval_holds_the_shares_that_a_score_test_does_not_reject() -> None:
    share, n = 0.7, 40
    for bound in wilson_interval(share, n):  # Wilson 1927: |share - p| = z sqrt(p (1 - p) / n)
        assert abs(share - bound) == pytest.approx(1.959963984540054 * (bound * (1 - bound) / n) ** 0.5)


def test_the_wilson_interval_stays_between_no_and_all() -> None:
    for n in range(1, 300):
        assert wilson_interval(0.0, n)[0] == 0.0
        assert wilson_interval(1.0, n)[1] == 1.0
        assert 0.0 < wilson_interval(0.5, n)[0] < 0.5 < wilson_interval(0.5, n)[1] < 1.0


def test_accuracy_is_the_share_of_right_rows() -> None:
    measured = Accuracy()(np.array([0, 1, 1, 0, 2]), np.array([0, 1, 0, 0, 1]), 3)
    assert (measured.metric, measured.value, measured.rows) == ("accuracy", 0.6, 5)
    assert (measured.low, measured.high) == wilson_interval(0.6, 5)


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("n_labels", [2, 5])
def test_macro_f1_is_that_of_scikit_learn(seed: int, n_labels: int) -> None:
    metrics = pytest.importorskip("sklearn.metrics")
    rng = np.random.default_rng(seed)
    predicted, labels = rng.integers(0, n_labels, size=(2, 17))
    expected = metrics.f1_score(labels, predicted, labels=range(n_labels), average="macro", zero_division=0)
    assert macro_f1(predicted, labels, n_labels) == pytest.approx(expected)


def test_macro_f1_by_hand() -> None:
    predicted, labels = np.array([0, 0, 1, 1, 1]), np.array([0, 1, 1, 1, 0])
    # label 0: 1 hit, 1 false, 1 missed -> 1/2; label 1: 2 hits, 1 false, 1 missed -> 2/3
    assert MacroF1()(predicted, labels, 2).value == pytest.approx((1 / 2 + 2 / 3) / 2)


def test_a_label_that_is_neither_predicted_nor_true_counts_as_zero() -> None:
    everything_right = np.array([0, 0, 1])
    assert MacroF1()(everything_right, everything_right, 3).value == pytest.approx(2 / 3)


def test_the_interval_of_macro_f1_is_the_bootstrap_of_scikit_learns() -> None:
    metrics = pytest.importorskip("sklearn.metrics")
    rng = np.random.default_rng(5)
    labels = rng.integers(0, 2, size=60)
    predicted = np.where(rng.random(60) < 0.8, labels, 1 - labels)
    measured = MacroF1()(predicted, labels, 2)
    draws = rng.integers(0, 60, size=(400, 60))
    values = [metrics.f1_score(labels[draw], predicted[draw], average="macro", zero_division=0) for draw in draws]
    assert (measured.low, measured.high) == pytest.approx(np.quantile(values, [0.025, 0.975]), abs=0.03)
    assert measured.low < measured.value < measured.high


def test_the_interval_of_macro_f1_is_the_same_each_time() -> None:
    predicted, labels = np.random.default_rng(1).integers(0, 3, size=(2, 30))
    assert MacroF1()(predicted, labels, 3) == MacroF1()(predicted, labels, 3)


def test_metrics_have_names() -> None:
    assert isinstance(make_metric("accuracy"), Accuracy)
    assert isinstance(make_metric("macro-f1"), MacroF1)
    with pytest.raises(UnknownNameError, match="unknown metric 'macro_f1'; did you mean 'macro-f1'"):
        make_metric("macro_f1")


def test_a_measured_metric_says_its_interval_and_is_json() -> None:
    measured = Measured("accuracy", 0.815, 0.7554, 0.8626, 200)
    assert str(measured) == "81.5% (75.5% to 86.3%, 200 rows)"
    assert Measured(**json.loads(json.dumps(measured.to_dict()))) == measured


def test_an_answer_that_is_no_label_is_wrong_and_no_false_positive() -> None:
    """As scikit-learn counts a prediction outside `labels`."""
    labels, predicted = np.array([0, 0, 1, 1]), np.array([0, -1, 1, -1])
    assert Accuracy()(predicted, labels, 2).value == 0.5
    metrics = pytest.importorskip("sklearn.metrics")
    expected = metrics.f1_score(labels, predicted, labels=[0, 1], average="macro")
    assert MacroF1()(predicted, labels, 2).value == pytest.approx(expected)
    assert macro_f1(np.array([-1, -1]), np.array([1, 1]), 2) == 0.0
