import subprocess
import sys
from typing import Any

import numpy as np
import pytest

from blackbox.optimizers import (
    MissingPackageError,
    NevergradChoices,
    NevergradSearch,
    Optimizer,
    SearchError,
    SettingError,
    StateError,
)
from blackbox.optimizers.cma_es import csa_unless_named

from .contract import LightContract, OptimizerContract, advance, sphere

pytest.importorskip("nevergrad", exc_type=ImportError)


class TestTwoPointsDE(OptimizerContract):
    progress_generations = 60

    def make(self, seed: int) -> Optimizer:
        return NevergradSearch(4, population_size=8, sigma=0.5, seed=seed)


NAMES = [
    "CMA",
    "Cobyla",  # SciPy's, in a thread
    "DiagonalCMA",
    "LognormalDiscreteOnePlusOne",  # draws from numpy's global generator
    "NGOpt",
    "OnePlusOne",
    "PSO",
    "ScrHammersleySearch",
    "TBPSA",
]


@pytest.mark.parametrize("name", NAMES, scope="class")
class TestNames(LightContract):
    @pytest.fixture(autouse=True)
    def choose(self, name: str) -> None:
        self.name = name

    def make(self, seed: int) -> Optimizer:
        return NevergradSearch(4, name=self.name, population_size=6, budget=100, seed=seed)


class TestDiscreteOnePlusOneOverChoices(OptimizerContract):
    def make(self, seed: int) -> Optimizer:
        return NevergradChoices((9, 3, 12, 7), population_size=8, seed=seed)


OVER_CHOICES = ["DiscreteDoerrOnePlusOne", "NGOpt", "PortfolioDiscreteOnePlusOne", "RandomSearch", "TwoPointsDE"]


@pytest.mark.parametrize("name", OVER_CHOICES, scope="class")
class TestNamesOverChoices(LightContract):
    @pytest.fixture(autouse=True)
    def choose(self, name: str) -> None:
        self.name = name

    def make(self, seed: int) -> Optimizer:
        return NevergradChoices((9, 3, 1, 7), name=self.name, population_size=6, budget=100, seed=seed)


def test_over_choices_random_search_draws_every_category_as_often() -> None:
    optimizer = NevergradChoices((2, 5, 32), name="RandomSearch", population_size=400, seed=1)
    asked, _ = advance(optimizer, 8, lambda candidates: candidates[:, 0])
    for i, size in enumerate((2, 5, 32)):
        counts = np.bincount(asked[:, i].astype(int), minlength=size)
        assert np.abs(counts - 3200 / size).max() < 5 * np.sqrt(3200 / size)


def test_over_choices_it_stops_when_all_combinations_have_been_told() -> None:
    optimizer = NevergradChoices((2, 3), name="RandomSearch", population_size=4, seed=1)
    asked = set[tuple[float, ...]]()
    while not optimizer.stop():
        asked |= set(map(tuple, advance(optimizer, 1, lambda candidates: candidates.sum(axis=1))[0].tolist()))
    assert len(asked) == 6
    resumed = NevergradChoices((2, 3), name="RandomSearch", population_size=4, seed=2)
    resumed.load_state_dict(optimizer.state_dict())
    assert resumed.stop() == {"all combinations": 6}


@pytest.mark.parametrize("name", ["CMA", "DiagonalCMA"])
def test_its_cma_works_beyond_three_hundred_dimensions(name: str) -> None:
    """nevergrad#1690: pycma's step-size rule there does not bear Nevergrad's order of asking and telling."""
    optimizer = NevergradSearch(300, name=name, population_size=2, seed=1)
    _, losses = advance(optimizer, 60, lambda candidates: ((candidates - 1.0) ** 2).sum(axis=1))
    assert len(losses) == 120


def test_pycmas_own_choice_of_a_step_size_rule_is_put_back() -> None:
    from cma import evolution_strategy  # type: ignore[import-untyped]

    before = evolution_strategy.TPA_dimension
    with pytest.raises(ZeroDivisionError), csa_unless_named():
        assert evolution_strategy.TPA_dimension == np.inf
        raise ZeroDivisionError
    assert evolution_strategy.TPA_dimension == before


def test_sequential_optimizers_are_asked_for_one_candidate_at_a_time() -> None:
    assert NevergradSearch(4, name="Cobyla", population_size=6, budget=100, seed=1).ask().shape == (1, 4)
    assert NevergradSearch(4, name="OnePlusOne", population_size=6, seed=1).ask().shape == (6, 4)


def test_an_unknown_name_is_refused_with_the_nearest_ones() -> None:
    with pytest.raises(SettingError, match="unknown nevergrad optimizer 'TwoPointDE'; did you mean 'TwoPointsDE'"):
        NevergradSearch(4, name="TwoPointDE", seed=1)


def test_sigma_sets_the_width_of_the_search() -> None:
    narrow = NevergradSearch(4, name="RandomSearch", population_size=400, sigma=0.01, seed=1).ask()
    wide = NevergradSearch(4, name="RandomSearch", population_size=400, sigma=100.0, seed=1).ask()
    assert np.allclose(10_000 * narrow, wide)


@pytest.mark.parametrize(
    ("setting", "message"),
    [
        ({"sigma": 0}, "sigma"),
        ({"budget": 0}, "budget must be a whole number of at least 1"),
        ({"dimension": 1}, "dimension"),
    ],
)
def test_a_setting_that_cannot_work_is_refused_by_name(setting: dict[str, Any], message: str) -> None:
    with pytest.raises(SettingError, match=message):
        NevergradSearch(**{"dimension": 4, "seed": 1, **setting})


def test_a_state_of_another_name_is_refused() -> None:
    state = NevergradSearch(4, name="PSO", seed=1).state_dict()
    with pytest.raises(StateError, match="name is 'PSO' in the state, 'DE' here"):
        NevergradSearch(4, name="DE", seed=1).load_state_dict(state)


IMPORTS = """
import random
import numpy as np
np.random.seed(3), random.seed(3)
before = np.random.get_state()[1].tobytes(), random.getstate()
from blackbox.optimizers import NevergradSearch
NevergradSearch(4, seed=1)
assert before == (np.random.get_state()[1].tobytes(), random.getstate())
"""


def test_the_first_import_leaves_the_global_random_generators_alone() -> None:
    subprocess.run([sys.executable, "-c", IMPORTS], check=True, timeout=60)


ENDS = """
from blackbox.optimizers import NevergradSearch
optimizer = NevergradSearch(4, name="Cobyla", population_size=6, budget=100, seed=1)
optimizer.tell(optimizer.ask(), [1.0])
optimizer.ask()
"""


def test_a_process_ends_while_an_optimizer_of_scipy_waits_for_a_loss() -> None:
    subprocess.run([sys.executable, "-c", ENDS], check=True, timeout=60)


def test_the_default_optimizer_with_its_metamodel_works_with_this_numpy() -> None:
    """nevergrad#1612: Nevergrad's metamodels, and so NGOpt, convert arrays in a way that numpy 2.4 refuses."""
    optimizer = NevergradSearch(4, name="MetaModel", population_size=6, budget=120, seed=1)
    _, losses = advance(optimizer, 15)
    assert losses[-6:].min() < losses[:6].min()


def test_a_failure_inside_nevergrad_names_the_optimizer(monkeypatch: pytest.MonkeyPatch) -> None:
    import nevergrad  # type: ignore[import-untyped]

    optimizer = NevergradSearch(4, seed=1)
    optimizer.ask()

    def broken(*arguments: object) -> None:
        raise TypeError("only 0-dimensional arrays")

    monkeypatch.setattr(nevergrad.optimizers.base.Optimizer, "tell", broken)
    assert optimizer.asked is not None
    with pytest.raises(SearchError, match=r"nevergrad's 'TwoPointsDE' failed: TypeError: only 0-dimensional"):
        optimizer.tell(optimizer.asked, sphere(optimizer.asked))


def test_without_nevergrad_the_error_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "nevergrad", None)
    with pytest.raises(MissingPackageError, match=r"pip install 'blackbox-prompts\[nevergrad\]'"):
        NevergradSearch(4, seed=1)
