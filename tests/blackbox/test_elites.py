"""Elites: a fast backend whose losses are noisy, and an exact one of the same model."""

import hashlib
import math
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from blackbox import Result, resume, tune
from blackbox.backends import Backend, FakeBackend, Prompt, Query, Scores, TextPrompt, Usage
from blackbox.backends.prompts import vectors_of
from blackbox.config import Config, make_config
from blackbox.elites import ElitesObjective, merged
from blackbox.errors import SettingError
from blackbox.journal import Journal
from blackbox.objective import Objective
from blackbox.optimizers import CMAES
from blackbox.outcome import Outcome, score_prompts
from blackbox.parts import make_parts
from blackbox.registry import BACKENDS
from blackbox.run import make_objective, make_search
from tests.blackbox.small import QUICK, facts, make_task

pytestmark = pytest.mark.usefixtures("without_pictures")

TASK = make_task()
PLAIN = score_prompts(FakeBackend(), TASK, [TextPrompt("")], TASK.train)[0]
NOISE = 0.3  # nats

losses = st.floats(0.0, 10.0) | st.just(math.inf)
outcomes = st.lists(st.tuples(losses, st.integers(0, 2)), min_size=2, max_size=9)


def outcome(loss: float, failed_rows: int = 0) -> Outcome:
    return replace(PLAIN, loss=loss, failed_rows=failed_rows, usage=Usage(requests=1))


class Noisy(FakeBackend):
    """Counts the prompts of its calls; its logits are off by a draw of their own for each prompt."""

    def __init__(self, noise: float = NOISE, *, fails_at: int = 0) -> None:
        super().__init__()
        self.calls: list[int] = []
        self._noise, self._fails_at = noise, fails_at

    def score(self, prompts: Sequence[Prompt], queries: Sequence[Query]) -> Scores:
        self.calls.append(len(prompts))
        if len(self.calls) == self._fails_at:
            raise RuntimeError("the model is gone")
        scores = super().score(prompts, queries)
        drawn = np.stack([self._draw(prompt, scores.log_probabilities.shape[1:]) for prompt in prompts])
        logits = scores.log_probabilities + self._noise * drawn
        return Scores(logits - np.logaddexp.reduce(logits, axis=-1, keepdims=True), scores.usages)

    def _draw(self, prompt: Prompt, shape: tuple[int, ...]) -> np.ndarray:
        content = b"".join(vectors.tobytes() for vectors in vectors_of(prompt).values())
        return np.random.default_rng(list(hashlib.sha256(content).digest())).normal(size=shape)


Register = Callable[[Backend, Backend], None]


@pytest.fixture
def register(monkeypatch: pytest.MonkeyPatch) -> Register:
    """Makes two backends what the name "noisy" stands for, in bfloat16 and in float32."""

    def add(fast: Backend, exact: Backend) -> None:
        def make(config: Config) -> Backend:
            return exact if config.dtype == "float32" else fast

        monkeypatch.setitem(BACKENDS._factories, "noisy", make)

    return add


def run(**changes: Any) -> Result:
    return tune(make_task(), **{**QUICK, "backend": "noisy", "dtype": "bfloat16", "elites": 2, **changes})


def true_loss(prompt: Prompt) -> float:
    return score_prompts(FakeBackend(), TASK, [prompt], TASK.train)[0].loss


class TestMerging:
    def test_elites_have_their_exact_outcome_and_the_usage_of_both(self) -> None:
        exact = replace(outcome(0.7), measured=None, usage=Usage(requests=2))
        first, second = merged([outcome(0.4), outcome(0.9)], {0: exact})
        assert first == replace(exact, usage=Usage(requests=3))
        assert second.usage == Usage(requests=1)

    def test_others_that_stand_behind_keep_their_fast_loss(self) -> None:
        found = merged([outcome(0.4), outcome(0.9), outcome(1.5)], {0: outcome(0.7)})
        assert [one.loss for one in found] == [0.7, 0.9, 1.5]

    def test_others_are_raised_together_so_that_the_lowest_stands_just_behind_the_worst_elite(self) -> None:
        fast = [outcome(0.75), outcome(0.25), outcome(0.5), outcome(0.5), outcome(1.0)]
        found = [one.loss for one in merged(fast, {1: outcome(1.0), 2: outcome(0.5)})]
        assert found == [1.25, 1.0, 0.5, math.nextafter(1.0, 2.0), 1.5]

    def test_a_loss_that_equals_the_worst_elites_stands_behind_it(self) -> None:
        tied = merged([outcome(0.5), outcome(0.5)], {1: outcome(0.5)})
        assert tied[0].loss > tied[1].loss

    def test_an_elite_without_an_answer_bounds_nothing(self) -> None:
        found = merged([outcome(0.4), outcome(0.5), outcome(0.9)], {0: outcome(math.inf, 8), 1: outcome(0.6)})
        assert [one.loss for one in found] == [math.inf, 0.6, 0.9]

    def test_where_no_elite_has_an_answer_nobody_has(self) -> None:
        found = merged([outcome(0.4), outcome(0.9)], {0: outcome(math.inf, 8)})
        assert [one.loss for one in found] == [math.inf, math.inf]

    def test_a_candidate_with_fewer_unanswered_rows_than_every_elite_has_failed(self) -> None:
        """A search whose start answers every row passes over the elites, and would be left with it."""
        found = merged([outcome(0.4), outcome(0.9), outcome(0.9, 1)], {0: outcome(0.5, 1)})
        assert [one.loss for one in found] == [0.5, math.inf, 0.9]

    @given(fast=outcomes, exact=outcomes, allowed=st.integers(0, 2))
    def test_the_best_is_an_exact_outcome_and_the_others_keep_their_order(
        self, *, fast: list[tuple[float, int]], exact: list[tuple[float, int]], allowed: int
    ) -> None:
        again = {number: outcome(*parts) for number, parts in enumerate(exact[: len(fast) - 1])}
        found = merged([outcome(*parts) for parts in fast], again)
        told = [one.loss if one.failed_rows <= allowed else math.inf for one in found]  # as `Search` tells
        if min(told) < math.inf:
            assert int(np.argmin(told)) in again
        others = range(len(again), len(fast))
        for a in others:
            for b in others:
                if fast[a][0] <= fast[b][0] and math.isfinite(found[a].loss):
                    assert found[a].loss <= found[b].loss


class TestObjective:
    def make(self, elites: int = 2) -> tuple[ElitesObjective, Noisy, Noisy]:
        fast, exact = Noisy(), Noisy(noise=0.0)
        space = make_parts(make_config(QUICK), TASK).space
        return ElitesObjective(TASK, fast, space, exact=exact, elites=elites), fast, exact

    def test_the_best_by_the_fast_losses_are_scored_again(self) -> None:
        objective, fast, exact = self.make()
        candidates = np.random.default_rng(1).normal(size=(7, 16))
        quick = Objective(TASK, Noisy(), objective.space)(candidates, TASK.train)
        true = Objective(TASK, FakeBackend(), objective.space)(candidates, TASK.train)
        found = objective(candidates, TASK.train)
        assert (fast.calls, exact.calls) == ([7], [2])
        best = set(np.argsort([one.loss for one in quick])[:2].tolist())
        for number, one in enumerate(found):
            assert one.usage.requests == (16 if number in best else 8)
            assert one.measured == (true if number in best else quick)[number].measured
        assert [found[number].loss for number in sorted(best)] == [true[number].loss for number in sorted(best)]

    def test_prompts_with_unanswered_rows_come_last(self) -> None:
        class Forgetful(Noisy):
            def score(self, prompts: Sequence[Prompt], queries: Sequence[Query]) -> Scores:
                scores = super().score(prompts, queries)
                log_probabilities = scores.log_probabilities.copy()
                log_probabilities[:3, 1:] = np.nan
                log_probabilities[:3, 0] = [0.0, -99.0] if self.right_option(queries[0]) == 0 else [-99.0, 0.0]
                return Scores(log_probabilities, scores.usages)

        objective, _, exact = self.make()
        objective = replace(objective, backend=Forgetful())
        found = objective(np.random.default_rng(1).normal(size=(6, 16)), TASK.train)
        assert [one.usage.requests for one in found[:3]] == [8, 8, 8]
        assert exact.calls == [2]

    @pytest.mark.parametrize("count", [1, 2])
    @pytest.mark.parametrize("split", [TASK.train, TASK.dev, TASK.test], ids=lambda split: str(split.name))
    def test_a_single_look_is_exact_and_costs_no_other(self, count: int, split: Any) -> None:
        objective, fast, exact = self.make()
        found = objective(np.random.default_rng(1).normal(size=(count, 16)), split)
        assert (fast.calls, exact.calls) == ([], [count])
        assert all(one.usage.requests == len(split) for one in found)


class TestParts:
    def test_a_generation_is_ranked_together_and_scored_in_slices(self, register: Register) -> None:
        fast, exact = Noisy(), Noisy(noise=0.0)
        register(fast, exact)
        result = run(slice_size=4, optimizer="cma-es", population=6)
        generations = result.history[-2].generation
        assert fast.calls == [4, 2] * generations
        assert exact.calls.count(2) == generations
        assert set(exact.calls) == {1, 2}

    @pytest.mark.parametrize("changes", [{"elites": 0}, {"dtype": "float32"}])
    def test_a_second_model_is_loaded_only_where_it_says_something_else(
        self, changes: dict[str, object], register: Register
    ) -> None:
        register(FakeBackend(), FakeBackend())
        parts = make_parts(make_config({**QUICK, "backend": "noisy", "dtype": "float16", "elites": 2, **changes}), TASK)
        assert parts.exact is None
        assert type(make_objective(parts)) is Objective
        assert make_search(parts, Journal()).rules.slice_size == QUICK["slice_size"]

    @pytest.mark.parametrize("elites", [4, 5])
    def test_as_many_elites_as_candidates_are_refused(self, elites: int) -> None:
        message = f"elites must be fewer than the 4 candidates of a generation, got {elites}"
        with pytest.raises(SettingError, match=message):
            run(backend="fake", elites=elites)
        with pytest.raises(SettingError, match=message):
            run(backend="fake", elites=elites, population=50, optimizer=CMAES(16, population_size=4, seed=1))

    def test_a_backend_that_is_an_object_is_refused(self) -> None:
        with pytest.raises(SettingError, match="elites need a backend by name, .* got a Noisy object"):
            run(backend=Noisy())

    def test_another_model_in_float32_is_refused(self, register: Register) -> None:
        register(FakeBackend(), FakeBackend(margin=1.0))
        with pytest.raises(SettingError, match="elites need the same weights in bfloat16 and float32, model 'fake'"):
            run()


class TestSearch:
    @pytest.mark.parametrize("optimizer", ["cma-es", "blockwise:cma-es", "random-search"])
    def test_the_loss_of_the_best_is_exact_and_no_luck(self, optimizer: str, register: Register) -> None:
        register(Noisy(), FakeBackend())
        result = run(optimizer=optimizer, population=8, evaluations=200)
        assert result.summary.train_loss == true_loss(result.prompt)
        without = run(optimizer=optimizer, population=8, evaluations=200, elites=0)
        assert without.summary.train_loss is not None
        assert without.summary.train_loss < true_loss(without.prompt)

    def test_the_best_of_every_generation_was_scored_again(self, register: Register) -> None:
        register(Noisy(), FakeBackend())
        history = [found for found in run(population=8, evaluations=200).history if found.split == "train"]
        for generation in range(1, history[-1].generation + 1):
            asked = [found for found in history if found.generation == generation]
            if asked:
                assert min(asked, key=lambda found: found.loss).usage.requests == 2 * 8

    def test_the_journal_adds_up_what_both_backends_cost(self, register: Register) -> None:
        fast, exact = Noisy(), Noisy(noise=0.0)
        register(fast, exact)
        result = run(optimizer="cma-es", population=6, slice_size=6)
        looks = exact.calls.count(1)
        tests = sum(found.split == "test" for found in result.history)
        generations = len(fast.calls)
        expected = 8 * (6 + 2) * generations + 8 * (looks - tests) + 10 * tests
        assert result.summary.requests == expected

    @pytest.mark.parametrize("fails_at", [1, 2, 3, 6, 11])
    @pytest.mark.parametrize("in_the", ["fast", "exact"])
    def test_a_run_that_was_stopped_ends_as_the_unbroken_run(
        self, in_the: str, fails_at: int, register: Register, tmp_path: Path
    ) -> None:
        register(Noisy(), Noisy(noise=0.0))
        whole = run(folder=tmp_path / "whole", population=6, evaluations=90)
        register(
            Noisy(fails_at=fails_at if in_the == "fast" else 0),
            Noisy(noise=0.0, fails_at=fails_at if in_the == "exact" else 0),
        )
        with pytest.raises(RuntimeError, match="the model is gone"):
            run(folder=tmp_path / "run", population=6, evaluations=90)
        register(Noisy(), Noisy(noise=0.0))
        again = resume(tmp_path / "run")
        assert facts(again.history) == facts(whole.history)
        assert [found.usage for found in again.history] == [found.usage for found in whole.history]
        assert again.summary.train_loss == whole.summary.train_loss

    @pytest.mark.parametrize("seed", range(4))
    def test_a_journal_that_lost_its_end_is_filled_again(self, seed: int, register: Register, tmp_path: Path) -> None:
        register(Noisy(), Noisy(noise=0.0))
        whole = run(folder=tmp_path / "run", population=6, evaluations=90)
        journal = tmp_path / "run" / "evaluations.jsonl"
        content = journal.read_bytes()
        journal.write_bytes(content[: int(np.random.default_rng(seed).integers(0, len(content)))])
        assert facts(resume(tmp_path / "run").history) == facts(whole.history)
