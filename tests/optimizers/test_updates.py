import numpy as np
import pytest

from blackbox.optimizers import SettingError, StateError, Update, UpdateRule

UPDATES: list[Update] = ["adam-mini", "adam", "momentum"]


def test_the_first_step_of_adam_is_the_sign_of_the_gradient() -> None:
    step = UpdateRule("adam", 3)(np.array([2.0, -0.1, 0.0]))
    assert step == pytest.approx([-1.0, 1.0, 0.0])  # m_hat / sqrt(v_hat) = g / |g| at t = 1


def test_adam_is_kingma_and_bas_algorithm_1() -> None:
    rule = UpdateRule("adam", 2, beta_1=0.5, beta_2=0.75)
    rule(np.array([1.0, 2.0]))
    step = rule(np.array([3.0, -2.0]))
    # m = 0.5 * 0.5 g1 + 0.5 g2, over 1 - 0.5^2; v = 0.75 * 0.25 g1^2 + 0.25 g2^2, over 1 - 0.75^2
    m_hat = np.array([0.25 + 1.5, 0.5 - 1.0]) / 0.75
    v_hat = np.array([0.1875 + 2.25, 0.75 + 1.0]) / 0.4375
    assert step == pytest.approx(-m_hat / np.sqrt(v_hat))


def test_adam_mini_divides_all_numbers_by_one_root_mean_square() -> None:
    step = UpdateRule("adam-mini", 2)(np.array([3.0, 4.0]))
    assert step == pytest.approx(-np.array([3.0, 4.0]) / np.sqrt(12.5))


def test_momentum_is_a_mean_of_gradients_of_equal_size() -> None:
    rule = UpdateRule("momentum", 2, beta_1=0.5)
    rule(np.array([3.0, 4.0]))
    step = rule(np.array([0.0, -10.0]))
    assert step == pytest.approx(-0.25 * np.array([3.0, 4.0]) / np.sqrt(12.5) - 0.5 * np.array([0.0, -np.sqrt(2)]))


@pytest.mark.parametrize("name", UPDATES)
def test_a_loss_in_other_units_takes_the_same_steps(name: Update) -> None:
    plain, scaled = UpdateRule(name, 4), UpdateRule(name, 4)
    for g in np.random.default_rng(0).standard_normal((5, 4)):
        assert plain(g) == pytest.approx(scaled(1e-6 * g))


@pytest.mark.parametrize("name", UPDATES)
def test_no_gradient_is_no_step(name: Update) -> None:
    assert not UpdateRule(name, 4)(np.zeros(4)).any()


@pytest.mark.parametrize("name", UPDATES)
def test_a_loaded_rule_goes_on_as_the_other_would(name: Update) -> None:
    rule = UpdateRule(name, 3)
    rule(np.array([1.0, 2.0, 3.0]))
    other = UpdateRule(name, 3).loaded(rule.state())
    for g in np.random.default_rng(0).standard_normal((5, 3)):
        assert np.array_equal(rule(g), other(g))


def test_damaged_moments_are_refused() -> None:
    state = UpdateRule("adam", 3).state()
    for damage in ({"v": [-1.0, 0.0, 0.0]}, {"t": -1}, {"m": [0.0]}):
        with pytest.raises(StateError):
            UpdateRule("adam", 3).loaded({**state, **damage})


@pytest.mark.parametrize(
    ("setting", "message"),
    [
        ({"name": "sgd"}, "update must be one of 'adam-mini', 'adam', 'momentum', got 'sgd'"),
        ({"beta_1": 1.0}, "momentum must be a number from 0 to below 1, got 1.0"),
        ({"beta_2": float("nan")}, "beta_2 must be a number from 0 to below 1, got nan"),
    ],
)
def test_a_setting_that_cannot_work_is_refused_by_name(setting: dict[str, object], message: str) -> None:
    with pytest.raises(SettingError, match=message):
        UpdateRule(**{"name": "adam", "dimension": 4, **setting})  # type: ignore[arg-type]
