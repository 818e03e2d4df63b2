"""What every optimizer keeps: derive a test class from `OptimizerContract` and name your optimizer in `make`."""

import json
import random
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pytest

from blackbox.optimizers import Enumeration, FloatArray, Optimizer, StateError, TellError, TurnError
from blackbox.optimizers.base import are_choices

OPTIMUM = np.array([0.5, -0.3, 0.8, 0.1])


def sphere(candidates: FloatArray) -> FloatArray:
    """Squared distance from `OPTIMUM`, shape (n,), of candidates, shape (n, 4)."""
    losses: FloatArray = ((candidates - OPTIMUM) ** 2).sum(axis=1)
    return losses


def advance(
    optimizer: Optimizer, generations: int, loss: Callable[[FloatArray], FloatArray] = sphere
) -> tuple[FloatArray, FloatArray]:
    """All candidates asked, shape (n, d), and their losses, shape (n,)."""
    asked, told = [], []
    for _ in range(generations):
        asked.append(optimizer.ask())
        told.append(loss(asked[-1]))
        optimizer.tell(asked[-1], told[-1])
    return np.concatenate(asked), np.concatenate(told)


def json_round_trip(state: dict[str, Any]) -> dict[str, Any]:
    restored: dict[str, Any] = json.loads(json.dumps(state))
    return restored


def same(a: tuple[FloatArray, FloatArray], b: tuple[FloatArray, FloatArray]) -> bool:
    return np.array_equal(a[0], b[0]) and np.array_equal(a[1], b[1])


class LightContract:
    """The part of the contract that costs little: for optimizers of which there are hundreds.

    Candidates have four numbers, or four choices.
    """

    generations = 3

    def make(self, seed: int) -> Optimizer:
        """An optimizer over R^4, or over four choices; all calls with the same settings."""
        raise NotImplementedError

    def test_candidates_are_finite_read_only_rows_of_the_right_width(self) -> None:
        optimizer = self.make(1)
        for _ in range(self.generations):
            candidates = optimizer.ask()
            assert candidates.dtype == np.float64
            assert candidates.shape[1:] == (optimizer.dimension,)
            assert 1 <= len(candidates) <= optimizer.population_size
            assert np.isfinite(candidates).all()
            assert optimizer.sizes is None or are_choices(candidates, optimizer.sizes)
            with pytest.raises(ValueError, match="read-only"):
                candidates[0, 0] = 0.0
            optimizer.tell(candidates, sphere(candidates))

    def test_a_run_resumed_from_a_checkpoint_equals_the_unbroken_run(self) -> None:
        whole, first, second = self.make(1), self.make(1), self.make(2)
        advance(first, self.generations)
        second.load_state_dict(json_round_trip(first.state_dict()))
        advance(whole, self.generations)
        assert same(advance(whole, self.generations), advance(second, self.generations))

    def test_the_same_seed_gives_the_same_run(self) -> None:
        assert same(advance(self.make(7), self.generations), advance(self.make(7), self.generations))

    def test_neither_global_random_generator_is_changed(self) -> None:
        np.random.seed(5)
        random.seed(5)
        numbers, plain = np.random.get_state(legacy=False), random.getstate()
        optimizer = self.make(1)
        advance(optimizer, self.generations)
        self.make(2).load_state_dict(optimizer.state_dict())
        np.testing.assert_equal(np.random.get_state(legacy=False), numbers)
        assert random.getstate() == plain

    def test_neither_global_random_generator_is_read(self) -> None:
        runs = []
        for seed in (1, 2):
            np.random.seed(seed)
            random.seed(seed)
            runs.append(advance(self.make(1), self.generations))
        assert same(*runs)

    def test_a_generation_of_failures_only_is_survived(self) -> None:
        optimizer = self.make(1)
        advance(optimizer, self.generations, lambda candidates: np.full(len(candidates), np.inf))
        assert optimizer.best is None
        _, losses = advance(optimizer, self.generations)
        assert optimizer.best is not None
        assert optimizer.best.loss == losses.min()

    def test_best_is_the_lowest_loss_told_and_its_candidate(self) -> None:
        optimizer = self.make(1)
        candidates, losses = advance(optimizer, self.generations)
        assert optimizer.best is not None
        assert optimizer.best.loss == losses.min()
        assert np.array_equal(optimizer.best.candidate, candidates[losses.argmin()])


class OptimizerContract(LightContract):
    """All of the contract, and some progress."""

    progress_generations = 40

    def test_another_seed_gives_another_run(self) -> None:
        assert not same(advance(self.make(7), self.generations), advance(self.make(8), self.generations))

    def test_a_run_resumed_while_a_population_waits_equals_the_unbroken_run(self) -> None:
        whole, second = self.make(1), self.make(2)
        advance(whole, self.generations)
        waiting = whole.ask()
        second.load_state_dict(json_round_trip(whole.state_dict()))
        assert second.asked is not None
        assert np.array_equal(second.asked, waiting)
        for optimizer in (whole, second):
            optimizer.tell(waiting, sphere(waiting))
        assert same(advance(whole, self.generations), advance(second, self.generations))

    def test_a_resumed_run_can_be_resumed_again(self) -> None:
        whole, resumed = self.make(1), self.make(1)
        for _ in range(3):
            advance(whole, 1)
            advance(resumed, 1)
            fresh = self.make(2)
            fresh.load_state_dict(json_round_trip(resumed.state_dict()))
            resumed = fresh
        assert same(advance(whole, self.generations), advance(resumed, self.generations))

    def test_failures_survive_the_checkpoint(self) -> None:
        def every_other_fails(candidates: FloatArray) -> FloatArray:
            return np.where(np.arange(len(candidates)) % 2, np.inf, sphere(candidates))

        whole, second = self.make(1), self.make(2)
        advance(whole, self.generations, every_other_fails)
        second.load_state_dict(json_round_trip(whole.state_dict()))
        assert same(advance(whole, self.generations), advance(second, self.generations))

    def test_a_state_does_not_change_afterwards(self) -> None:
        optimizer = self.make(1)
        advance(optimizer, self.generations)
        state = optimizer.state_dict()
        before = json.dumps(state)
        advance(optimizer, self.generations)
        assert json.dumps(state) == before

    def test_best_survives_the_checkpoint(self) -> None:
        optimizer, second = self.make(1), self.make(2)
        advance(optimizer, self.generations)
        second.load_state_dict(json_round_trip(optimizer.state_dict()))
        assert second.best is not None
        assert optimizer.best is not None
        assert second.best.loss == optimizer.best.loss
        assert np.array_equal(second.best.candidate, optimizer.best.candidate)

    def test_a_mean_is_read_only_and_survives_the_checkpoint(self) -> None:
        optimizer, second = self.make(1), self.make(2)
        advance(optimizer, self.generations)
        second.load_state_dict(json_round_trip(optimizer.state_dict()))
        if optimizer.mean is None:
            assert second.mean is None
            return
        assert second.mean is not None
        assert optimizer.mean.shape == (optimizer.dimension,)
        assert np.array_equal(optimizer.mean, second.mean)
        with pytest.raises(ValueError, match="read-only"):
            optimizer.mean[0] = 0.0

    def test_best_keeps_the_earlier_of_equals_and_is_read_only(self) -> None:
        optimizer = self.make(1)
        first, _ = advance(optimizer, self.generations, lambda candidates: np.full(len(candidates), 2.0))
        assert optimizer.best is not None
        assert np.array_equal(optimizer.best.candidate, first[0])
        with pytest.raises(ValueError, match="read-only"):
            optimizer.best.candidate[0] = 0.0

    def test_there_is_no_best_before_the_first_loss(self) -> None:
        assert self.make(1).best is None

    def test_a_wrong_count_of_losses_is_refused(self) -> None:
        optimizer = self.make(1)
        candidates = optimizer.ask()
        n = len(candidates)
        with pytest.raises(TellError, match=rf"losses must have shape \({n},\), one per candidate, got \({n + 1},\)"):
            optimizer.tell(candidates, np.zeros(n + 1))

    def test_nan_is_refused_by_the_number_of_its_candidate(self) -> None:
        optimizer = self.make(1)
        advance(optimizer, 1)
        candidates = optimizer.ask()
        losses = sphere(candidates)
        losses[-1] = np.nan
        with pytest.raises(TellError, match=f"candidate {len(candidates) - 1} has nan"):
            optimizer.tell(candidates, losses)

    def test_minus_infinity_is_refused(self) -> None:
        optimizer = self.make(1)
        candidates = optimizer.ask()
        with pytest.raises(TellError, match="candidate 0 has -inf"):
            optimizer.tell(candidates, np.full(len(candidates), -np.inf))

    def test_what_is_refused_leaves_the_run_as_it_was(self) -> None:
        plain, troubled = self.make(1), self.make(1)
        candidates = troubled.ask()
        refused: list[Any] = [[], np.full(len(candidates), np.nan), ["x"] * len(candidates), None]
        for wrong in refused:
            with pytest.raises(TellError):
                troubled.tell(candidates, wrong)
        with pytest.raises(TellError):
            troubled.tell(candidates + 1.0, sphere(candidates))
        with pytest.raises(TurnError):
            troubled.ask()
        troubled.tell(candidates, sphere(candidates))
        advance(plain, 1)
        assert same(advance(plain, self.generations), advance(troubled, self.generations))

    def test_tell_before_ask_is_refused(self) -> None:
        with pytest.raises(TellError, match="call ask"):
            self.make(1).tell(np.zeros((1, 4)), [0.0])

    def test_candidates_that_were_not_asked_are_refused_by_number(self) -> None:
        optimizer = self.make(1)
        advance(optimizer, 1)
        candidates = optimizer.ask().copy()
        candidates[-1, 2] += 1e-9
        with pytest.raises(TellError, match=f"candidate {len(candidates) - 1} differs"):
            optimizer.tell(candidates, sphere(candidates))

    def test_a_copy_or_a_list_of_the_candidates_is_accepted(self) -> None:
        optimizer, other = self.make(1), self.make(1)
        for _ in range(self.generations):
            candidates = optimizer.ask()
            optimizer.tell(candidates.tolist(), sphere(candidates).tolist())
        advance(other, self.generations)
        assert same(advance(optimizer, 1), advance(other, 1))

    def test_ask_twice_is_refused(self) -> None:
        optimizer = self.make(1)
        optimizer.ask()
        with pytest.raises(TurnError, match="tell"):
            optimizer.ask()

    def test_losses_and_states_that_are_passed_are_not_changed(self) -> None:
        optimizer = self.make(1)
        candidates = optimizer.ask()
        losses = sphere(candidates)[::-1].copy()
        losses[0] = np.inf
        before = losses.copy()
        optimizer.tell(candidates, losses)
        assert np.array_equal(losses, before)
        taken = json.dumps(optimizer.state_dict())
        losses[:] = 7.0
        assert json.dumps(optimizer.state_dict()) == taken
        state = json_round_trip(optimizer.state_dict())
        text = json.dumps(state)
        second = self.make(2)
        second.load_state_dict(state)
        advance(second, self.generations)
        assert json.dumps(state) == text

    def test_stop_changes_nothing(self) -> None:
        asked, unasked = self.make(1), self.make(1)
        for _ in range(self.generations):
            asked.stop()
            advance(asked, 1)
            asked.stop()
            asked.stop()
        advance(unasked, self.generations)
        assert same(advance(asked, 1), advance(unasked, 1))

    def test_it_comes_closer_to_the_optimum(self) -> None:
        optimizer = self.make(1)
        _, first = advance(optimizer, 2)
        advance(optimizer, self.progress_generations)
        assert optimizer.best is not None
        assert optimizer.best.loss < first.min()

    @pytest.mark.parametrize("key", ["made_by", "best", "asked", "inner"])
    def test_a_state_without_one_of_its_parts_is_refused_and_changes_nothing(self, key: str) -> None:
        optimizer, other = self.make(1), self.make(2)
        advance(optimizer, self.generations)
        advance(other, 1)
        before = json.dumps(other.state_dict())
        state = json_round_trip(optimizer.state_dict())
        del state[key]
        with pytest.raises(StateError, match=key):
            other.load_state_dict(state)
        assert json.dumps(other.state_dict()) == before

    @pytest.mark.parametrize(("key", "value"), [("optimizer", "Stranger"), ("dimension", 5), ("population_size", 99)])
    def test_a_state_from_elsewhere_is_refused_by_what_differs_and_changes_nothing(self, key: str, value: Any) -> None:
        optimizer, other = self.make(1), self.make(2)
        advance(optimizer, self.generations)
        advance(other, 1)
        before = json.dumps(other.state_dict())
        state = json_round_trip(optimizer.state_dict())
        state["made_by"][key] = value
        with pytest.raises(StateError, match=f"{key} is {value!r} in the state"):
            other.load_state_dict(state)
        assert json.dumps(other.state_dict()) == before

    @pytest.mark.parametrize("damage", [{"inner": {}}, {"best": {"candidate": ["x"], "loss": 1.0}}, {"asked": [[1.0]]}])
    def test_a_damaged_state_is_refused_and_changes_nothing(self, damage: dict[str, Any]) -> None:
        optimizer, other = self.make(1), self.make(2)
        advance(optimizer, self.generations)
        advance(other, 1)
        before = json.dumps(other.state_dict())
        with pytest.raises(StateError):
            other.load_state_dict({**optimizer.state_dict(), **damage})
        assert json.dumps(other.state_dict()) == before


class ChoiceContract(OptimizerContract):
    """All of it, of an optimizer over four choices that asks no combination twice."""

    few = (2, 1, 3, 2)

    def make_of(self, sizes: Sequence[int], seed: int) -> Optimizer:
        """An optimizer over these sizes, with at most eight candidates a generation."""
        raise NotImplementedError

    def make(self, seed: int) -> Optimizer:
        return self.make_of((9, 3, 12, 7), seed)

    def test_all_combinations_are_asked_once_before_any_is_asked_again(self) -> None:
        optimizer = self.make_of(self.few, 1)
        for _ in range(2):
            asked: list[list[float]] = []
            while len(asked) < 12:
                asked += advance(optimizer, 1)[0].tolist()
                assert optimizer.stop() or len(asked) < 12
            assert sorted(asked) == Enumeration(self.few).ask().tolist()

    def test_it_stops_when_all_combinations_have_been_told(self) -> None:
        optimizer = self.make_of(self.few, 1)
        asked = 0
        while asked < 12:
            assert optimizer.stop() == {}
            asked += len(advance(optimizer, 1)[0])
        assert optimizer.stop() == {"all combinations": 12}

    def test_a_run_over_few_combinations_is_resumed_at_any_generation(self) -> None:
        whole = self.make_of(self.few, 1)
        for _ in range(6):
            second = self.make_of(self.few, 2)
            second.load_state_dict(json_round_trip(whole.state_dict()))
            assert same(advance(whole, 1), advance(second, 1))

    def test_one_variable_is_enough(self) -> None:
        optimizer = self.make_of((3,), 1)
        assert sorted(optimizer.ask().tolist()) == [[0.0], [1.0], [2.0]]

    def test_a_state_with_candidates_that_are_no_choices_is_refused(self) -> None:
        optimizer, other = self.make(1), self.make(2)
        advance(optimizer, 1)
        state = json_round_trip(optimizer.state_dict())
        state["inner"]["told"][0][1] = 99
        with pytest.raises(StateError, match="must be choices and their losses"):
            other.load_state_dict(state)
