import numpy as np
import pytest

from blackbox.optimizers.random_effects import RandomEffects, overlaps, standardized


def test_losses_are_counted_from_their_median_in_robust_deviations_and_cut() -> None:
    losses = np.array([1.0, 2.0, 3.0, 4.0, 5.0, 100.0, np.inf])
    # of the finite ones the median is 3.5, the median deviation 1.5
    assert standardized(losses)[:5] == pytest.approx((losses[:5] - 3.5) / (1.4826 * 1.5))
    assert standardized(losses)[5:].tolist() == [2.0, 2.0]


def test_equal_losses_are_all_zero() -> None:
    assert standardized(np.array([2.0, 2.0])).tolist() == [0.0, 0.0]


def test_an_overlap_is_the_share_of_common_categories_of_a_block_wherever_they_stand() -> None:
    a, b = np.array([[0, 3, 4]]), np.array([[0, 4, 5], [1, 4, 4]])
    main, slots, interaction = overlaps(a, b, (1, 2), (2, 6, 6))[:, 0]
    assert main.tolist() == [1.0, 0.0]
    assert slots.tolist() == [0.5, 0.5]
    assert interaction == pytest.approx(np.exp([-1.4, -1.4]))


def test_the_posterior_is_that_of_a_normal_with_the_fitted_variances() -> None:
    """Conditioning the joint normal of (2) on y, written out by block matrices."""
    rng = np.random.default_rng(0)
    x, new = rng.integers(4, size=(12, 3)), rng.integers(4, size=(5, 3))
    model = RandomEffects.fitted(x, rng.normal(size=12), blocks=(1, 2), sizes=(4, 4, 4))
    together = np.concatenate([new, x])
    joint = np.einsum("k,kij->ij", model.variances[:-1], overlaps(together, together, (1, 2), (4, 4, 4)))
    joint[5:, 5:] += model.variances[-1] * np.eye(12)
    precision = np.linalg.inv(joint)  # of a normal; that of the new ones given the rest is its upper left part
    covariance = np.linalg.inv(precision[:5, :5])
    mean, found = model.predict(new)
    assert found == pytest.approx(covariance, abs=1e-8)
    assert mean == pytest.approx(-covariance @ precision[:5, 5:] @ model.y, abs=1e-8)


def test_the_variances_tell_which_variable_matters_and_where_there_is_noise_only() -> None:
    rng = np.random.default_rng(1)
    x = rng.integers(6, size=(150, 3))
    effects = rng.normal(size=6)
    noise = rng.normal(size=150)
    told = RandomEffects.fitted(x, effects[x[:, 1]] + 0.3 * noise, blocks=(1, 1, 1), sizes=(6, 6, 6)).variances
    assert told[1] > 3 * max(told[0], told[2])
    blind = RandomEffects.fitted(x, noise, blocks=(1, 1, 1), sizes=(6, 6, 6)).variances
    assert blind[:3].max() < 0.2 < blind[3:].sum()
