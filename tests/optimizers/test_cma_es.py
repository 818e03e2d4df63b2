import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Literal

import numpy as np
import pytest

from blackbox.optimizers import CMAES, FloatArray, Optimizer, SearchError, SettingError, StateError
from blackbox.optimizers.cma_es import finite

from .contract import OptimizerContract, advance, same

Covariance = Literal["full", "diagonal"]
StepSize = Literal["csa", "tpa"]
VARIANTS: list[tuple[Covariance, StepSize]] = [
    ("full", "csa"),
    ("full", "tpa"),
    ("diagonal", "csa"),
    ("diagonal", "tpa"),
]
variants = pytest.mark.parametrize(("covariance", "step_size"), VARIANTS)


class TestFullCSA(OptimizerContract):
    generations = 6  # pycma's self-test of TPA, and its lazy updates, start after the third

    def make(self, seed: int) -> Optimizer:
        return CMAES(4, population_size=8, sigma=0.5, seed=seed)


class TestFullTPA(OptimizerContract):
    generations = 6

    def make(self, seed: int) -> Optimizer:
        return CMAES(4, population_size=8, sigma=0.5, step_size="tpa", seed=seed)


class TestDiagonalCSA(OptimizerContract):
    generations = 6

    def make(self, seed: int) -> Optimizer:
        return CMAES(4, population_size=8, sigma=0.5, covariance="diagonal", seed=seed)


class TestDiagonalTPA(OptimizerContract):
    generations = 6

    def make(self, seed: int) -> Optimizer:
        return CMAES(4, population_size=8, sigma=0.5, covariance="diagonal", step_size="tpa", seed=seed)


def sphere(candidates: FloatArray) -> FloatArray:
    losses: FloatArray = ((candidates - 1.0) ** 2).sum(axis=1)
    return losses


def ellipsoid(candidates: FloatArray) -> FloatArray:
    """Condition number 1,000."""
    scales = 1e3 ** np.linspace(0, 1, candidates.shape[1])
    losses: FloatArray = (scales * (candidates - 1.0) ** 2).sum(axis=1)
    return losses


def generations_to(target: float, optimizer: Optimizer, loss: Callable[[FloatArray], FloatArray]) -> int:
    for generation in range(1, 2000):
        candidates = optimizer.ask()
        losses = loss(candidates)
        optimizer.tell(candidates, losses)
        if losses.min() < target:
            return generation
    raise AssertionError(f"{target} not reached")


@variants
def test_it_converges_on_a_sphere_in_ten_dimensions(covariance: Covariance, step_size: StepSize) -> None:
    optimizer = CMAES(10, covariance=covariance, step_size=step_size, seed=3)
    advance(optimizer, 250, sphere)
    assert optimizer.best is not None
    assert optimizer.best.loss < 1e-8
    assert np.allclose(optimizer.best.candidate, 1.0, atol=1e-4)


@pytest.mark.parametrize("loss", [sphere, ellipsoid])
def test_it_needs_about_as_many_generations_as_hansens_reference_in_pure_python(
    loss: Callable[[FloatArray], FloatArray],
) -> None:
    import random

    from cma import purecma  # type: ignore[import-untyped]

    def reference(seed: int) -> int:
        state = random.getstate()
        random.seed(seed)
        es = purecma.CMAES(5 * [0.0], 1.0, popsize=10, maxfevals=100_000)
        for generation in range(1, 2000):
            candidates = es.ask()
            losses = loss(np.array(candidates))
            es.tell(candidates, losses.tolist())
            if losses.min() < 1e-8:
                random.setstate(state)
                return generation
        raise AssertionError("reference did not converge")

    ours = [generations_to(1e-8, CMAES(5, population_size=10, seed=seed), loss) for seed in range(5)]
    theirs = [reference(seed) for seed in range(5)]
    # The reference learns from the better half only, pycma from the worse half too, which makes it faster, if anything.
    assert 0.5 < np.median(ours) / np.median(theirs) < 1.3


def test_rare_eigendecompositions_cost_no_generations() -> None:
    import cma

    def plain(seed: int) -> int:
        rng = np.random.default_rng(seed)
        options = {"popsize": 20, "verbose": -10, "seed": np.nan, "randn": lambda *shape: rng.standard_normal(shape)}
        es = cma.CMAEvolutionStrategy(np.zeros(20), 1.0, options)
        for generation in range(1, 2000):
            candidates = np.array(es.ask())
            losses = ellipsoid(candidates)
            es.tell(list(candidates), losses.tolist())
            if losses.min() < 1e-6:
                return generation
        raise AssertionError("pycma did not converge")

    ours = [generations_to(1e-6, CMAES(20, seed=seed), ellipsoid) for seed in range(3)]
    assert 0.8 < np.median(ours) / np.median([plain(seed) for seed in range(3)]) < 1.2


@variants
def test_scaling_sigma_and_the_problem_together_changes_no_loss(covariance: Covariance, step_size: StepSize) -> None:
    curves = [
        advance(
            CMAES(6, sigma=scale, covariance=covariance, step_size=step_size, seed=5),
            40,
            lambda candidates, scale=scale: ellipsoid(candidates / scale),  # type: ignore[misc]
        )[1]
        for scale in (1.0, 0.003)
    ]
    assert np.allclose(curves[0], curves[1], rtol=1e-6)


@variants
def test_moving_center_and_problem_together_changes_no_loss(covariance: Covariance, step_size: StepSize) -> None:
    center = np.linspace(-2, 2, 6)
    at_zero = CMAES(6, covariance=covariance, step_size=step_size, seed=5)
    moved = CMAES(6, covariance=covariance, step_size=step_size, center=center, seed=5)
    _, losses = advance(at_zero, 40, ellipsoid)
    _, moved_losses = advance(moved, 40, lambda candidates: ellipsoid(candidates - center))
    assert np.allclose(losses, moved_losses, rtol=1e-6)


@variants
def test_only_the_ranks_of_the_losses_matter(covariance: Covariance, step_size: StepSize) -> None:
    plain = CMAES(6, covariance=covariance, step_size=step_size, seed=5)
    curved = CMAES(6, covariance=covariance, step_size=step_size, seed=5)
    candidates, _ = advance(plain, 30, ellipsoid)
    others, _ = advance(curved, 30, lambda candidates: np.log(ellipsoid(candidates)) - 1e6)
    assert np.array_equal(candidates, others)


@variants
def test_a_failure_ranks_as_the_worst_loss_would(covariance: Covariance, step_size: StepSize) -> None:
    def worst_fails(candidates: FloatArray) -> FloatArray:
        losses = ellipsoid(candidates)
        losses[losses.argmax()] = np.inf
        return losses

    plain = CMAES(6, covariance=covariance, step_size=step_size, seed=5)
    failing = CMAES(6, covariance=covariance, step_size=step_size, seed=5)
    assert np.array_equal(advance(plain, 30, ellipsoid)[0], advance(failing, 30, worst_fails)[0])


@pytest.mark.parametrize(
    "losses", [[1.0, np.inf], [-5.0, np.inf], [0.0, np.inf], [1.7e308, np.inf], [1e-300, np.inf], [-1e308, np.inf]]
)
def test_a_failure_becomes_a_finite_loss_above_all_others(losses: list[float]) -> None:
    replaced = finite(np.array(losses))
    assert replaced[0] == losses[0]
    assert losses[0] < replaced[1] < np.inf


def test_failures_tie_among_themselves() -> None:
    replaced = finite(np.array([np.inf, 3.0, np.inf]))
    assert replaced[0] == replaced[2] > 3.0
    assert np.isfinite(finite(np.full(3, np.inf))).all()


def test_the_first_generation_is_normal_around_the_center() -> None:
    optimizer = CMAES(3, population_size=2000, sigma=0.2, center=[1.0, 2.0, 3.0], seed=1)
    z = (optimizer.ask() - np.array([1.0, 2.0, 3.0])) / 0.2
    assert np.abs(z.mean(axis=0)).max() < 5 / np.sqrt(2000)  # five standard errors
    assert np.abs(np.cov(z.T) - np.eye(3)).max() < 5 * np.sqrt(2 / 2000)


@pytest.mark.parametrize(("covariance", "correlated"), [("full", True), ("diagonal", False)])
def test_only_the_full_covariance_learns_how_coordinates_go_together(covariance: Covariance, correlated: bool) -> None:
    def valley(candidates: FloatArray) -> FloatArray:
        losses: FloatArray = 1e4 * (candidates[:, 0] - candidates[:, 1]) ** 2 + candidates.sum(axis=1) ** 2
        return losses

    optimizer = CMAES(2, population_size=1000, covariance=covariance, center=[1.0, 1.0], seed=1)
    advance(optimizer, 10, valley)
    correlation = abs(float(np.corrcoef(*optimizer.ask().T).min()))
    assert (correlation > 0.9) if correlated else (correlation < 5 / np.sqrt(1000))


def test_the_diagonal_learns_the_scale_of_each_coordinate() -> None:
    optimizer = CMAES(2, population_size=1000, covariance="diagonal", center=[1.0, 1.0], seed=1)
    advance(optimizer, 15, lambda candidates: candidates[:, 0] ** 2 + 1e4 * candidates[:, 1] ** 2)
    spread = optimizer.ask().std(axis=0)
    # On a quadratic the covariance tends to the inverse Hessian: standard deviations in the ratio 100 to 1.
    assert 30 < spread[0] / spread[1] < 300


@variants
def test_it_stops_when_it_has_converged(covariance: Covariance, step_size: StepSize) -> None:
    optimizer = CMAES(4, covariance=covariance, step_size=step_size, seed=1)
    advance(optimizer, 20, sphere)
    assert optimizer.stop() == {}
    for _ in range(400):
        if reasons := optimizer.stop():
            break
        advance(optimizer, 1, sphere)
    assert reasons == {"tolfun": 1e-11}
    assert optimizer.best is not None
    assert optimizer.best.loss < 1e-10


@variants
def test_it_stops_when_it_diverges(covariance: Covariance, step_size: StepSize) -> None:
    optimizer = CMAES(4, covariance=covariance, step_size=step_size, seed=1)
    advance(optimizer, 100, lambda candidates: candidates.sum(axis=1))
    assert "tolfacupx" in optimizer.stop()


@variants
def test_a_plateau_of_the_best_loss_is_no_reason_to_stop(covariance: Covariance, step_size: StepSize) -> None:
    def some_rows_wrong(candidates: FloatArray) -> FloatArray:
        """At least 6 of 32 rows wrong, whatever the candidate; most candidates get the same count."""
        return np.where(np.arange(len(candidates)) < len(candidates) - 2, 6 / 32, 7 / 32)

    optimizer = CMAES(30, covariance=covariance, step_size=step_size, seed=1)
    for _ in range(200):
        advance(optimizer, 1, some_rows_wrong)
        assert optimizer.stop() == {}


def test_losses_that_never_differ_are_a_reason_to_stop_but_not_at_once() -> None:
    optimizer = CMAES(30, seed=1)
    advance(optimizer, 9, lambda candidates: np.full(len(candidates), 0.5))
    assert optimizer.stop() == {}
    advance(optimizer, 1, lambda candidates: np.full(len(candidates), 0.5))
    assert optimizer.stop() == {"tolfun": 1e-11}


def test_a_search_that_goes_on_long_after_its_end_fails_with_its_reasons() -> None:
    optimizer = CMAES(2, population_size=4, step_size="tpa", seed=1)
    with pytest.raises(SearchError, match="tolfun"):
        advance(optimizer, 5000, lambda candidates: ((candidates - 1.0) ** 2).sum(axis=1))


@pytest.mark.parametrize(
    ("setting", "message"),
    [
        ({"dimension": 3001}, "at most 3000, got 3001; use covariance='diagonal'"),
        ({"covariance": "sparse"}, "covariance must be one of 'full', 'diagonal', got 'sparse'"),
        ({"step_size": "msr"}, "step_size must be one of 'csa', 'tpa', got 'msr'"),
        ({"step_size": "tpa", "population_size": 3}, "population_size of at least 4, got 3"),
        ({"population_size": 1}, "population_size must be a whole number of at least 2, got 1"),
        ({"sigma": -1.0}, "sigma must be a finite number above 0, got -1.0"),
        ({"dimension": 1}, "dimension must be a whole number of at least 2, got 1"),
    ],
)
def test_a_setting_that_cannot_work_is_refused_with_the_remedy(setting: dict[str, object], message: str) -> None:
    with pytest.raises(SettingError, match=message):
        CMAES(**{"dimension": 4, "seed": 1, **setting})  # type: ignore[arg-type]


def test_a_diagonal_covariance_takes_any_dimension() -> None:
    advance(CMAES(20_000, population_size=4, covariance="diagonal", seed=1), 3, sphere)


@pytest.mark.parametrize("population_size", [2, 3, 4, 5, 6, 7])
@variants
def test_small_populations_are_asked_whole(covariance: Covariance, step_size: StepSize, population_size: int) -> None:
    if step_size == "tpa" and population_size < 4:
        pytest.skip("refused")
    optimizer = CMAES(5, population_size=population_size, covariance=covariance, step_size=step_size, seed=1)
    candidates, _ = advance(optimizer, 20, sphere)
    assert len(candidates) == 20 * population_size


@pytest.mark.parametrize(("name", "value"), [("sigma", 0.2), ("covariance", "diagonal"), ("step_size", "tpa")])
def test_a_state_made_with_another_setting_is_refused_by_its_name(name: str, value: object) -> None:
    made = CMAES(4, **{"seed": 1, name: value})  # type: ignore[arg-type]
    with pytest.raises(StateError, match=f"{name} is {value!r} in the state"):
        CMAES(4, seed=1).load_state_dict(made.state_dict())


def test_nothing_is_written_shown_or_warned(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for covariance, step_size in VARIANTS:
            advance(CMAES(4, covariance=covariance, step_size=step_size, seed=1), 30, sphere)
    assert list(tmp_path.iterdir()) == []
    assert capfd.readouterr() == ("", "")


def test_a_signals_file_of_pycma_in_the_working_directory_is_ignored(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "cma_signals.in").write_text("{'timeout': 0}")
    optimizer = CMAES(4, seed=1)
    advance(optimizer, 5, sphere)
    assert optimizer.stop() == {}


def test_two_searches_in_turn_do_not_disturb_each_other() -> None:
    alone, one, other = CMAES(4, seed=1), CMAES(4, seed=1), CMAES(4, seed=2)
    for _ in range(5):
        advance(one, 1, sphere)
        advance(other, 1, sphere)
    advance(alone, 5, sphere)
    assert same(advance(alone, 5, sphere), advance(one, 5, sphere))


class TestInjected(OptimizerContract):
    """Shown another candidate before each generation."""

    generations = 6

    def make(self, seed: int) -> Optimizer:
        return Shown(4, population_size=8, sigma=0.5, step_size="tpa", seed=seed)


class Shown(CMAES):
    """Injects, ahead of each generation, where the sphere's candidates of the last one were best."""

    def _tell(self, candidates: FloatArray, losses: FloatArray) -> None:
        super()._tell(candidates, losses)
        self.inject(candidates[losses.argmin()])


@variants
def test_an_injected_candidate_within_reach_of_draws_is_asked_itself(
    covariance: Covariance, step_size: StepSize
) -> None:
    optimizer = CMAES(30, sigma=0.1, covariance=covariance, step_size=step_size, seed=1)
    near = np.full(30, 0.05)  # draws are sqrt(30) standard deviations away
    optimizer.inject(near)
    assert np.allclose(np.abs(optimizer.ask() - near).max(axis=1).min(), 0, atol=1e-12)


@variants
def test_one_from_afar_is_asked_in_its_direction_as_far_away_as_a_draw(
    covariance: Covariance, step_size: StepSize
) -> None:
    optimizer = CMAES(200, sigma=0.1, covariance=covariance, step_size=step_size, center=np.ones(200), seed=1)
    far = np.random.default_rng(0).standard_normal(200)
    optimizer.inject(1.0 + 1e3 * far)
    steps = optimizer.ask() - 1.0
    lengths = np.linalg.norm(steps, axis=1)
    cosines = steps @ far / (lengths * np.linalg.norm(far))
    assert np.isclose(cosines.max(), 1.0)
    assert abs(lengths[cosines.argmax()] / 0.1 - np.sqrt(200)) < 5 * np.sqrt(0.5)  # five standard deviations


@variants
def test_what_is_injected_leads_a_search_that_started_far_away(covariance: Covariance, step_size: StepSize) -> None:
    alone, shown = (
        CMAES(20, sigma=0.01, covariance=covariance, step_size=step_size, center=np.full(20, 5.0), seed=1)
        for _ in range(2)
    )
    for _ in range(40):
        shown.inject(np.ones(20))
        advance(shown, 1, sphere)
    advance(alone, 40, sphere)
    assert alone.best is not None
    assert shown.best is not None
    assert shown.best.loss < 0.5 * alone.best.loss


@pytest.mark.parametrize("population_size", [2, 3, 4, 5, 6])
@variants
def test_small_populations_have_room_for_what_is_injected(
    covariance: Covariance, step_size: StepSize, population_size: int
) -> None:
    if step_size == "tpa" and population_size < 4:
        pytest.skip("refused")
    optimizer = CMAES(5, population_size=population_size, covariance=covariance, step_size=step_size, seed=1)
    for generation in range(30):
        optimizer.inject(np.full(5, 3.0 + generation))
        candidates, _ = advance(optimizer, 1, sphere)
        assert len(candidates) == population_size
        assert np.isclose(candidates.std(axis=1), 0.0, atol=1e-9).any() or generation  # on the diagonal, as from zero


def test_of_several_for_one_generation_the_last_counts() -> None:
    one, several = CMAES(4, seed=1), CMAES(4, seed=1)
    several.inject([9.0, 0.0, 0.0, 0.0])
    for optimizer in (one, several):
        optimizer.inject([0.1, 0.2, 0.3, 0.4])
    assert same(advance(one, 5, sphere), advance(several, 5, sphere))


def test_the_mean_itself_is_left_out() -> None:
    plain, shown = CMAES(4, seed=1), CMAES(4, seed=1)
    shown.inject(np.zeros(4))
    assert same(advance(plain, 5, sphere), advance(shown, 5, sphere))


def test_while_a_population_waits_the_next_one_is_injected_into() -> None:
    plain, shown = CMAES(4, seed=1), CMAES(4, seed=1)
    waiting = shown.ask()
    shown.inject([0.1, 0.2, 0.3, 0.4])
    shown.tell(waiting, sphere(waiting))
    advance(plain, 1, sphere)
    assert not np.array_equal(plain.ask(), shown.ask())
    assert shown.asked is not None
    assert np.isclose(shown.asked, [0.1, 0.2, 0.3, 0.4]).all(axis=1).any()


@pytest.mark.parametrize("wrong", [[1.0], [1.0, 2.0, 3.0, np.nan], ["x"] * 4])
def test_what_cannot_be_injected_is_refused(wrong: list[object]) -> None:
    with pytest.raises(SettingError, match="candidate must"):
        CMAES(4, seed=1).inject(wrong)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "damage",
    [
        {},
        {"generation": -1, "candidate": [0.0] * 4},
        {"generation": 0, "candidate": [0.0] * 3},
        {"generation": 0, "candidate": [0.0, 0.0, 0.0, np.nan]},
        {"generation": 0, "candidate": [0.5] * 4},  # it was never injected: the replay differs
    ],
)
def test_a_state_with_a_damaged_injection_is_refused_and_changes_nothing(damage: dict[str, object]) -> None:
    optimizer = CMAES(4, seed=1)
    advance(optimizer, 3, sphere)
    state, before = optimizer.state_dict(), optimizer.state_dict()
    state["inner"]["injected"] = [damage]
    with pytest.raises(StateError):
        optimizer.load_state_dict(state)
    assert optimizer.state_dict() == before


def test_the_mean_is_the_weighted_recombination_of_the_better_half() -> None:
    """Tutorial (arXiv 1604.00772), equations 41 and 42, with weights of equation 49."""
    optimizer = CMAES(4, population_size=8, sigma=0.3, center=[1.0, 2.0, 3.0, 4.0], seed=1)
    assert optimizer.mean == pytest.approx([1.0, 2.0, 3.0, 4.0])
    candidates, losses = advance(optimizer, 1)
    w = np.log(4.5) - np.log(np.arange(1, 5))
    better = candidates[np.argsort(losses)[:4]]
    assert optimizer.mean == pytest.approx((w / w.sum()) @ better)
