"""What evolution strategy, zeroth-order Adam and SPSA have in common, and the two-point estimate."""

from collections.abc import Callable

import numpy as np
import pytest

from blackbox.optimizers import SPSA, EvolutionStrategy, MirroredOptimizer, SettingError, StateError, ZerothOrderAdam
from blackbox.optimizers.mirrored import slope

from .contract import OPTIMUM, advance, json_round_trip

KINDS: list[type[EvolutionStrategy | ZerothOrderAdam | SPSA]] = [EvolutionStrategy, ZerothOrderAdam, SPSA]
every_kind = pytest.mark.parametrize("kind", KINDS)


def ellipsoid(candidates: np.ndarray) -> np.ndarray:
    """Condition 100, optimum at 1, shape (n,)."""
    scales = 10.0 ** np.linspace(0, 2, candidates.shape[1])
    losses: np.ndarray = (scales * (candidates - 1) ** 2).sum(axis=1)
    return losses


@every_kind
def test_candidates_come_in_pairs_around_the_mean(kind: type[MirroredOptimizer]) -> None:
    optimizer = kind(6, population_size=8, sigma=0.5, center=np.arange(6.0), seed=1)  # type: ignore[call-arg]
    for _ in range(3):
        mean = optimizer.mean.copy()
        candidates = optimizer.ask()
        assert len(candidates) == 8
        assert (candidates[0::2] + candidates[1::2]) / 2 == pytest.approx(np.tile(mean, (4, 1)))
        optimizer.tell(candidates, ((candidates - 1) ** 2).sum(axis=1))
    assert not np.array_equal(optimizer.mean, mean)


@every_kind
@pytest.mark.parametrize(("loss", "dimension"), [(lambda z: ((z - 1) ** 2).sum(axis=1), 30), (ellipsoid, 10)])
def test_its_mean_converges(
    kind: type[MirroredOptimizer], loss: Callable[[np.ndarray], np.ndarray], dimension: int
) -> None:
    optimizer = kind(dimension, population_size=20, sigma=0.1, learning_rate=0.05, seed=1)  # type: ignore[call-arg]
    advance(optimizer, 300, loss)
    start, end = loss(np.stack([np.zeros(dimension), optimizer.mean]))
    assert end < 0.05 * start


@every_kind
def test_the_mean_comes_closer_than_any_sample_of_a_wide_search(kind: type[MirroredOptimizer]) -> None:
    optimizer = kind(30, population_size=20, sigma=0.5, learning_rate=0.05, seed=1)  # type: ignore[call-arg]
    advance(optimizer, 200, lambda z: ((z - 1) ** 2).sum(axis=1))
    assert optimizer.best is not None
    assert ((optimizer.mean - 1) ** 2).sum() < 0.5 * optimizer.best.loss


@every_kind
def test_the_mean_is_read_only(kind: type[MirroredOptimizer]) -> None:
    with pytest.raises(ValueError, match="read-only"):
        kind(4, seed=1).mean[0] = 1.0  # type: ignore[call-arg]


@every_kind
@pytest.mark.parametrize("losses", [np.inf, 2.0])
def test_a_generation_that_tells_nothing_leaves_the_mean(kind: type[MirroredOptimizer], losses: float) -> None:
    optimizer = kind(4, seed=1)  # type: ignore[call-arg]
    advance(optimizer, 2, lambda z: np.full(len(z), losses))
    assert not optimizer.mean.any()


@every_kind
def test_it_says_when_it_diverges(kind: type[MirroredOptimizer]) -> None:
    optimizer = kind(4, seed=1, learning_rate=1e13)  # type: ignore[call-arg]
    assert optimizer.stop() == {}
    advance(optimizer, 1)
    assert list(optimizer.stop()) == ["diverged"]


@every_kind
def test_an_odd_population_is_refused(kind: type[MirroredOptimizer]) -> None:
    with pytest.raises(SettingError, match=f"population_size must be even for {kind.__name__}, .* got 7"):
        kind(4, population_size=7, seed=1)  # type: ignore[call-arg]


@every_kind
@pytest.mark.parametrize("damage", [{"mean": [0.0]}, {"mean": [np.inf] * 4}, {"told": -1}])
def test_a_damaged_mean_is_refused(kind: type[MirroredOptimizer], damage: dict[str, object]) -> None:
    optimizer, other = kind(4, seed=1), kind(4, seed=2)  # type: ignore[call-arg]
    advance(optimizer, 1)
    state = json_round_trip(optimizer.state_dict())
    state["inner"].update(damage)
    with pytest.raises(StateError):
        other.load_state_dict(state)


def test_the_two_point_estimate_is_the_formula() -> None:
    directions = np.array([[1.0, -1.0, 1.0], [-1.0, -1.0, 1.0]])
    found = slope(directions, np.array([3.0, 1.0]), np.array([1.0, 2.0]), radius=0.5)
    # (3 - 1) / (2 * 0.5) s_0 and (1 - 2) / (2 * 0.5) s_1, averaged
    assert found == pytest.approx((2.0 * directions[0] - 1.0 * directions[1]) / 2)


def test_the_two_point_estimate_of_a_linear_loss_is_its_slope_on_average() -> None:
    true = np.array([1.0, -2.0, 0.5, 0.0])
    directions = np.random.default_rng(0).standard_normal((40_000, 4))
    found = slope(directions, directions @ true, -directions @ true, radius=1.0)
    assert found == pytest.approx(true, abs=5 * np.sqrt(2 * true @ true / 40_000))  # five standard errors, at most


def test_the_two_point_estimate_leaves_even_orders_out() -> None:
    directions = np.random.default_rng(0).standard_normal((5, 4))
    losses = (directions**2).sum(axis=1) + (directions**4).sum(axis=1)
    assert slope(directions, losses, losses, radius=1.0) == pytest.approx(np.zeros(4))


def test_pairs_with_a_candidate_that_failed_are_left_out() -> None:
    directions = np.eye(3)
    found = slope(directions, np.array([1.0, np.inf, 5.0]), np.array([0.0, 0.0, np.inf]), radius=0.5)
    assert found == pytest.approx([1.0, 0.0, 0.0])
    assert slope(directions, np.full(3, np.inf), np.zeros(3), radius=0.5) is None


def test_the_optimum_of_the_contract_is_found() -> None:
    for kind in KINDS:
        optimizer = kind(4, population_size=8, sigma=0.05, learning_rate=0.05, seed=1)
        advance(optimizer, 150)
        assert optimizer.mean == pytest.approx(OPTIMUM, abs=0.1)
