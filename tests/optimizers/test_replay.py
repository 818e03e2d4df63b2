import json
import subprocess
import sys
from typing import Any

import numpy as np
import pytest

from blackbox.optimizers import (
    CMAES,
    FloatArray,
    MissingPackageError,
    Optimizer,
    OptimizerError,
    ReplayedOptimizer,
    SearchError,
    SettingError,
    StateError,
)
from blackbox.optimizers.replay import translated

from .contract import OptimizerContract, advance


class HalvingEngine:
    """Draws around the best candidate of the last generation, with half the width each time."""

    def __init__(self, seed: int) -> None:
        self.rng = np.random.default_rng(seed)
        self.center, self.width = np.zeros(4), 1.0

    def ask(self) -> FloatArray:
        return self.center + self.width * self.rng.standard_normal((6, 4))

    def tell(self, candidates: FloatArray, losses: FloatArray) -> None:
        self.center, self.width = candidates[losses.argmin()], 0.9 * self.width


class Halving(ReplayedOptimizer):
    packages = ("numpy",)

    def __init__(self, seed: int) -> None:
        super().__init__(4, 6, seed=seed)
        self._engine = self._start(seed)

    def _start(self, seed: int) -> HalvingEngine:
        return HalvingEngine(seed)


class TestReplayOfAStrangersOptimizer(OptimizerContract):
    def make(self, seed: int) -> Optimizer:
        return Halving(seed)


def damaged(optimizer: Optimizer, **inner: Any) -> dict[str, Any]:
    state = optimizer.state_dict()
    return {**state, "inner": {**state["inner"], **inner}}


@pytest.fixture
def used() -> Halving:
    optimizer = Halving(1)
    advance(optimizer, 3)
    return optimizer


def test_a_replay_that_leads_elsewhere_is_refused_with_both_versions(used: Halving) -> None:
    state = damaged(used, digest="0" * 64, versions={"numpy": "1.0"})
    with pytest.raises(
        StateError, match=rf"another version .* another kind of machine \(numpy 1.0 then, {np.__version__} now\)"
    ):
        Halving(1).load_state_dict(state)


def test_a_replay_that_leads_elsewhere_with_the_same_versions_is_refused(used: Halving) -> None:
    with pytest.raises(StateError, match=r"another kind of machine \(the versions agree\)"):
        Halving(1).load_state_dict(damaged(used, seed=2))


def test_a_replay_that_leads_to_the_same_place_is_accepted_whatever_the_version(used: Halving) -> None:
    Halving(2).load_state_dict(damaged(used, versions={"numpy": "1.0"}))


@pytest.mark.parametrize(
    ("inner", "message"),
    [
        ({"told": [[1.0] * 6, [1.0] * 5, [1.0] * 6]}, "generation 1 in the state has 5 losses for 6 candidates"),
        ({"told": [[float("nan")] * 6]}, "generation 0 in the state: .* candidate 0 has nan"),
        ({"told": [[]]}, r"told\[0\]"),
        ({"told": [["x"]]}, "must hold numbers"),
        ({"told": {}}, "'told' in the state must be a list, got dict"),
        ({"seed": -1}, "'seed' in the state must be at least 0, got -1"),
        ({"seed": "1"}, "'seed' in the state must be a int, got str"),
        ({"waiting": 1}, "'waiting' in the state must be a bool"),
    ],
)
def test_a_damaged_history_is_refused_by_what_is_wrong(used: Halving, inner: dict[str, Any], message: str) -> None:
    with pytest.raises(StateError, match=message):
        Halving(1).load_state_dict(damaged(used, **inner))


def test_the_state_holds_the_losses_and_no_vectors_but_the_best() -> None:
    optimizer = CMAES(300, covariance="diagonal", seed=1)
    advance(optimizer, 5, lambda candidates: (candidates**2).sum(axis=1))
    inner = optimizer.state_dict()["inner"]
    assert [len(losses) for losses in inner["told"]] == [20] * 5
    assert len(json.dumps(inner)) < 5 * 20 * 25 + 500


CONTINUE = """
import json, sys
import numpy as np
from blackbox.optimizers import CMAES
optimizer = CMAES(30, seed=99)
optimizer.load_state_dict(json.load(sys.stdin))
for _ in range(5):
    candidates = optimizer.ask()
    optimizer.tell(candidates, ((candidates - 1) ** 2).sum(axis=1))
print(json.dumps(optimizer.ask().tolist()))
"""


def test_a_run_resumed_in_another_process_equals_the_unbroken_run() -> None:
    def loss(candidates: FloatArray) -> FloatArray:
        losses: FloatArray = ((candidates - 1) ** 2).sum(axis=1)
        return losses

    optimizer = CMAES(30, seed=1)
    advance(optimizer, 20, loss)
    state = json.dumps(optimizer.state_dict())
    answer = subprocess.run([sys.executable, "-c", CONTINUE], input=state, capture_output=True, text=True, check=True)
    advance(optimizer, 5, loss)
    assert np.array_equal(json.loads(answer.stdout), optimizer.ask())


LIBRARYS = [ZeroDivisionError, AssertionError, AttributeError, KeyError, RuntimeError, TypeError, ValueError]


@pytest.mark.parametrize("error", LIBRARYS)
@pytest.mark.parametrize("ours", [SearchError, SettingError, StateError])
def test_errors_of_a_library_become_ours_with_their_cause(error: type[Exception], ours: type[OptimizerError]) -> None:
    message = f"somebody's search failed: {error.__name__}: .*why"
    with pytest.raises(ours, match=message) as caught, translated(ours, "somebody's search"):
        raise error("why")
    assert isinstance(caught.value.__cause__, error)


def test_a_package_that_a_library_misses_is_named_however_it_says_so() -> None:
    message = "somebody's search needs a package that is missing: No module named 'that'"
    missing = ModuleNotFoundError("No module named 'that'")
    with pytest.raises(MissingPackageError, match=message), translated(SearchError, "somebody's search"):
        raise missing
    with pytest.raises(MissingPackageError, match=message), translated(SearchError, "somebody's search"):
        raise RuntimeError("a thread failed") from missing


def test_our_own_errors_and_the_users_interrupt_pass_untouched() -> None:
    with pytest.raises(StateError, match=r"^as it was$"), translated(SearchError, "x"):
        raise StateError("as it was")
    with pytest.raises(KeyboardInterrupt), translated(SearchError, "x"):
        raise KeyboardInterrupt
