"""The losses against PyTorch's own."""

import numpy as np
import pytest

from blackbox.errors import SettingError, UnknownNameError
from blackbox.losses import CrossEntropy, ErrorRate, Hinge, Loss, RankedProbability, completed, make_loss

N_PROMPTS, N_ROWS, N_LABELS = 3, 11, 4


@pytest.fixture
def logits() -> np.ndarray:
    return np.random.default_rng(1).normal(scale=2.0, size=(N_PROMPTS, N_ROWS, N_LABELS))


@pytest.fixture
def labels() -> np.ndarray:
    return np.random.default_rng(2).integers(0, N_LABELS, size=N_ROWS)


def normalised(logits: np.ndarray) -> np.ndarray:
    return np.asarray(logits - np.log(np.exp(logits).sum(axis=-1, keepdims=True)))


def test_cross_entropy_is_that_of_torch(logits: np.ndarray, labels: np.ndarray) -> None:
    torch = pytest.importorskip("torch")
    expected = [
        torch.nn.functional.cross_entropy(torch.tensor(of_prompt), torch.tensor(labels)).item() for of_prompt in logits
    ]
    assert CrossEntropy()(normalised(logits), labels) == pytest.approx(expected, rel=1e-12)


@pytest.mark.parametrize("margin", [0.5, 2.0, 10.0])
def test_hinge_is_the_multi_margin_loss_of_torch(logits: np.ndarray, labels: np.ndarray, margin: float) -> None:
    torch = pytest.importorskip("torch")
    expected = [
        torch.nn.functional.multi_margin_loss(torch.tensor(of_prompt), torch.tensor(labels), margin=margin).item()
        for of_prompt in logits
    ]
    assert Hinge(margin)(normalised(logits), labels) == pytest.approx(expected, rel=1e-12)


def test_hinge_of_two_labels_by_hand() -> None:
    log_probabilities = np.log([[[0.8, 0.2], [0.5, 0.5]]])
    # behind by margin - log 4 and by the whole margin; half of it for two labels; the mean of two rows
    assert Hinge(2.0)(log_probabilities, np.array([0, 1])) == pytest.approx([(2 - np.log(4) + 2) / 2 / 2])


def test_error_rate_is_the_share_of_rows_whose_most_probable_label_is_wrong() -> None:
    log_probabilities = np.log([[[0.8, 0.2], [0.6, 0.4], [0.1, 0.9], [0.3, 0.7]]])
    assert ErrorRate()(log_probabilities, np.array([0, 1, 1, 0])) == pytest.approx([0.5])


def test_the_ranked_probability_score_by_hand() -> None:
    log_probabilities = np.log([[[0.2, 0.5, 0.3], [0.2, 0.5, 0.3]]])
    # cumulated 0.2, 0.7; of label 0 both less 1, of label 2 both less 0; over two steps
    rows = RankedProbability().of_rows(log_probabilities, np.array([0, 2]))
    assert rows[0] == pytest.approx([(0.8**2 + 0.3**2) / 2, (0.2**2 + 0.7**2) / 2])


def test_the_ranked_probability_score_is_the_mean_of_the_brier_scores_of_the_steps(
    logits: np.ndarray, labels: np.ndarray
) -> None:
    metrics = pytest.importorskip("sklearn.metrics")
    below = np.exp(normalised(logits))[0].cumsum(axis=-1)
    steps = [
        metrics.brier_score_loss(labels <= step, np.clip(below[:, step], 0, 1), labels=[False, True])
        for step in range(N_LABELS - 1)
    ]
    assert RankedProbability()(normalised(logits), labels)[0] == pytest.approx(np.mean(steps))


def test_a_neighbour_of_the_label_costs_less_than_what_is_far_off() -> None:
    sure = np.log(np.array([[0.98, 0.01, 0.01], [0.01, 0.98, 0.01], [0.01, 0.01, 0.98]]))[:, None]
    right, near, far = RankedProbability()(sure, np.array([0]))
    assert right < near < far <= 1


def test_what_is_missing_from_one_is_spread_evenly() -> None:
    assert completed(np.log([0.4, 0.2])) == pytest.approx([0.6, 0.4])


@pytest.mark.parametrize("loss", [CrossEntropy(), Hinge(2.0), ErrorRate(), RankedProbability()])
def test_a_row_without_an_answer_is_left_out_of_the_mean(loss: Loss, logits: np.ndarray, labels: np.ndarray) -> None:
    scores = normalised(logits)
    scores[1, [2, 7]] = np.nan
    answered = [row for row in range(N_ROWS) if row not in (2, 7)]
    expected = loss(normalised(logits)[:, answered], labels[answered])[1]
    assert loss(scores, labels)[1] == pytest.approx(expected, rel=1e-12)
    assert loss(scores, labels)[0] == loss(normalised(logits), labels)[0]


@pytest.mark.parametrize("loss", [CrossEntropy(), Hinge(2.0), ErrorRate(), RankedProbability()])
def test_a_prompt_without_any_answer_has_the_loss_inf(loss: Loss, logits: np.ndarray, labels: np.ndarray) -> None:
    scores = normalised(logits)
    scores[2] = np.nan
    assert np.isinf(loss(scores, labels)).tolist() == [False, False, True]


@pytest.mark.parametrize("loss", [CrossEntropy(), Hinge(2.0), ErrorRate(), RankedProbability()])
def test_scores_are_not_changed(loss: Loss, logits: np.ndarray, labels: np.ndarray) -> None:
    scores = normalised(logits)
    before = scores.copy()
    loss(scores, labels)
    assert np.array_equal(scores, before)


@pytest.mark.parametrize("loss", [CrossEntropy(), Hinge(2.0), ErrorRate(), RankedProbability()])
def test_a_loss_does_not_depend_on_the_other_prompts_of_the_call_bit_for_bit(
    loss: Loss,
) -> None:
    rng = np.random.default_rng(1)
    scores, labels = normalised(rng.normal(size=(20, 33, 3))), rng.integers(0, 3, size=33)
    alone = np.concatenate([loss(of_prompt[None], labels) for of_prompt in scores])
    assert loss(scores, labels).tobytes() == alone.tobytes()


def test_losses_have_names() -> None:
    assert isinstance(make_loss("cross-entropy"), CrossEntropy)
    assert make_loss("hinge", margin=3.0) == Hinge(3.0)
    assert isinstance(make_loss("error-rate"), ErrorRate)


def test_unknown_names_and_margins_that_are_not_positive_are_refused() -> None:
    with pytest.raises(UnknownNameError, match="did you mean 'hinge'"):
        make_loss("hings")
    for margin in (0.0, -1.0, float("nan")):
        with pytest.raises(SettingError, match="margin must be positive"):
            make_loss("hinge", margin=margin)


def test_rows_answered_with_none_of_the_labels_are_wrong() -> None:
    none = np.log(np.full((1, 2, 2), 0.05))
    labels = np.array([0, 1])
    assert ErrorRate()(none, labels) == [1.0]
    assert CrossEntropy()(none, labels) == pytest.approx([-np.log(0.05)])


@pytest.mark.parametrize("name", ["cross-entropy", "hinge", "error-rate"])
def test_a_loss_is_the_mean_of_that_of_its_rows(name: str) -> None:
    scores = np.log(np.random.default_rng(1).dirichlet(np.ones(3), size=(2, 5)))
    scores[0, 1] = np.nan
    labels = np.array([0, 1, 2, 0, 1])
    loss = make_loss(name)
    rows = loss.of_rows(scores, labels)
    assert rows.shape == (2, 5)
    assert np.isnan(rows[0, 1])
    assert loss(scores, labels) == pytest.approx(np.nanmean(rows, axis=1))
