"""`tune` from end to end on FakeBackend, whose optimum is known."""

import math
import time
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from blackbox import Callback, Evaluation, Progress, Result, Task, tune
from blackbox.backends import DeepPrompt, FakeBackend, PrefixPrompt, Prompt, Query, Scores, SoftPrompt, TextPrompt
from blackbox.checkpoint import load_checkpoint
from blackbox.errors import BudgetError, SettingError, UnknownNameError
from blackbox.optimizers import CMAES, RandomSearch
from blackbox.spaces import DeepSpace
from tests.blackbox.small import QUICK, TEMPLATE, WORDS, facts, make_rows, make_task

pytestmark = pytest.mark.usefixtures("without_pictures")

OPTIMUM = FakeBackend().optimum_loss(2)
KINDS = {"soft": SoftPrompt, "deep": DeepPrompt, "prefix": PrefixPrompt}


def quick(task: Task | None = None, **changes: Any) -> Result:
    return tune(task or make_task(), **{**QUICK, **changes})


def spent(history: Sequence[Evaluation], task: Task) -> int:
    """What a history counts in the budget: the dev rows by their share of the training rows."""
    price = {"train": 1, "dev": math.ceil(len(task.dev) / len(task.train)), "test": 0}
    return sum(price[evaluation.split] for evaluation in history)


class Clock:
    """Time that passes only when a model is asked, for exact tests of a time limit."""

    def __init__(self) -> None:
        self.now = 1000.0

    def monotonic(self) -> float:
        return self.now


class Slow(FakeBackend):
    """A second for each prompt and 24 rows, by a clock."""

    def __init__(self, clock: Clock) -> None:
        super().__init__()
        self._clock = clock

    def score(self, prompts: Sequence[Prompt], queries: Sequence[Query]) -> Scores:
        self._clock.now += len(prompts) * len(queries) / 24
        return super().score(prompts, queries)


class Recorder(Callback):
    """Writes down what it is told."""

    def __init__(self) -> None:
        self.events: list[tuple[str, Progress]] = []
        self.slices: list[tuple[Evaluation, ...]] = []

    def on_start(self, progress: Progress) -> None:
        self.events.append(("start", progress))

    def on_evaluations(self, evaluations: tuple[Evaluation, ...], progress: Progress) -> None:
        self.events.append(("evaluations", progress))
        self.slices.append(evaluations)

    def on_generation(self, progress: Progress) -> None:
        self.events.append(("generation", progress))

    def on_end(self, progress: Progress, stop_reason: str) -> None:
        self.events.append((f"end: {stop_reason}", progress))


class TestWhatItFinds:
    @pytest.mark.parametrize("space", KINDS)
    @pytest.mark.parametrize("optimizer", ["cma-es", "blockwise:cma-es"])
    @pytest.mark.parametrize("projection", ["gaussian", "uniform", "hadamard"])
    def test_it_comes_near_the_known_optimum(self, space: str, optimizer: str, projection: str) -> None:
        result = quick(space=space, optimizer=optimizer, projection=projection, evaluations=800, population=6)
        assert result.summary.train_loss is not None
        assert OPTIMUM <= result.summary.train_loss < OPTIMUM + 0.01
        assert isinstance(result.prompt, KINDS[space])

    @pytest.mark.parametrize("space", KINDS)
    def test_every_space_starts_from_the_text(self, space: str) -> None:
        task = make_task()
        text = FakeBackend().score([TextPrompt("ab")], task.train.queries).log_probabilities
        assert quick(task, space=space).history[0].loss == task.grader.loss(text, task.train.labels)[0]

    def test_random_search_does_better_than_the_start(self) -> None:
        result = quick(optimizer="random-search", evaluations=200)
        assert result.summary.train_loss is not None
        assert OPTIMUM <= result.summary.train_loss < result.history[0].loss

    def test_unseen_rows_are_all_wrong_before_and_all_right_after(self) -> None:
        result = quick(evaluations=200)
        assert result.summary.test_before is not None
        assert result.summary.test_after is not None
        assert (result.summary.test_before.value, result.summary.test_after.value) == (0.0, 1.0)
        predictions = result.predict(make_rows(6, first=500))
        assert [found.label for found in predictions] == ["negative", "positive"] * 3

    def test_the_prompt_is_the_one_whose_loss_is_reported(self) -> None:
        task, result = make_task(), quick()
        scores = FakeBackend().score([result.prompt], task.train.queries)
        assert task.grader.loss(scores.log_probabilities, task.train.labels)[0] == result.summary.train_loss

    def test_the_same_seed_gives_the_same_run_and_another_seed_another_one(self) -> None:
        first, again, other = quick(seed=5), quick(seed=5), quick(seed=6)
        assert facts(first.history) == facts(again.history)
        assert vectors(first.prompt) == vectors(again.prompt)
        assert facts(first.history)[1:] != facts(other.history)[1:]

    def test_the_global_random_generators_are_not_touched(self) -> None:
        np.random.seed(4)
        before = np.random.get_state()[1].tobytes()  # type: ignore[index, union-attr]
        quick()
        assert np.random.get_state()[1].tobytes() == before  # type: ignore[index, union-attr]

    def test_the_slice_size_does_not_change_what_is_found(self) -> None:
        one, many = quick(slice_size=1), quick(slice_size=50)
        assert facts(one.history) == facts(many.history)

    @pytest.mark.parametrize("loss", ["hinge", "error-rate"])
    @pytest.mark.parametrize("metric", ["macro-f1", "accuracy"])
    def test_other_losses_and_metrics_lead_there_too(self, loss: str, metric: str) -> None:
        result = quick(make_task(loss=loss, metric=metric), evaluations=200)
        assert result.summary.test_after is not None
        assert (result.summary.test_after.metric, result.summary.test_after.value) == (metric, 1.0)


def vectors(prompt: Prompt) -> dict[int, bytes]:
    assert isinstance(prompt, DeepPrompt)
    return {layer: array.tobytes() for layer, array in prompt.vectors.items()}


class TestWhatItIsGiven:
    def test_objects_are_taken_as_they_are(self) -> None:
        backend = FakeBackend(n_layers=2)
        space = DeepSpace(backend.encode("abc"), {1: 1.0}, 8, dimension=6, seed=1)
        optimizer = CMAES(6, population_size=5, seed=1)
        result = tune(make_task(), backend=backend, space=space, optimizer=optimizer, evaluations=80)
        assert isinstance(result.prompt, DeepPrompt)
        assert (list(result.prompt.vectors), result.prompt.token_ids) == ([1], backend.encode("abc"))
        assert result.saved.model_hash == backend.model_hash
        assert optimizer.best is not None
        assert optimizer.best.loss == result.summary.train_loss

    def test_names_stand_for_parts(self) -> None:
        result = tune(make_task(), backend="fake", space="soft", optimizer="random-search", prompt="a", evaluations=80)
        assert isinstance(result.prompt, SoftPrompt)

    def test_a_prefix_space_changes_the_layers_that_are_named_only(self) -> None:
        result = quick(space="prefix", layers="1,3", evaluations=200)
        start = FakeBackend().prefix_of(FakeBackend().encode("ab"))
        assert isinstance(result.prompt, PrefixPrompt)
        same = [np.array_equal(result.prompt.keys_values[layer], start.keys_values[layer]) for layer in range(4)]
        assert same == [True, False, True, False]

    def test_an_optimizer_of_another_dimension_than_the_space_is_refused(self) -> None:
        with pytest.raises(SettingError, match="the optimizer has dimension 5, the space 16"):
            quick(optimizer=RandomSearch(5, seed=1))

    def test_a_setting_of_the_task_beside_a_task_is_refused(self) -> None:
        with pytest.raises(SettingError, match="setting 'template' belongs to the task"):
            quick(template="{text} {label}")

    def test_unknown_names_are_refused(self) -> None:
        for part in ("backend", "space", "optimizer"):
            with pytest.raises(UnknownNameError, match=f"unknown {part} 'cma'"):
                quick(**{part: "cma"})

    @pytest.mark.parametrize("wrong", [{"evaluations": 6}, {"optimizer": "cma"}, {"layers": "9"}, {"loss": "hinge"},
                                       {"prompt": ""}, {"dimension": 1}, {"sigma": -1.0}])  # fmt: skip
    def test_wrong_input_writes_nothing(self, wrong: dict[str, object], tmp_path: Path) -> None:
        with pytest.raises(ValueError):
            quick(folder=tmp_path / "run", **wrong)
        assert not (tmp_path / "run").exists()


class TestBudget:
    @given(
        evaluations=st.integers(1, 70),
        population=st.integers(2, 9),
        rows=st.tuples(st.integers(2, 8), st.integers(0, 20)),
        slice_size=st.integers(1, 12),
        optimizer=st.sampled_from(["random-search", "cma-es", "blockwise:random-search"]),
    )
    @settings(max_examples=60, deadline=None)
    def test_a_budget_is_never_overspent_and_too_small_a_one_is_refused(
        self, *, evaluations: int, population: int, rows: tuple[int, int], slice_size: int, optimizer: str
    ) -> None:
        train, dev = rows
        task = make_task(train=train, dev=dev, test=2)
        run = {"evaluations": evaluations, "population": population, "slice_size": slice_size, "optimizer": optimizer}
        look = math.ceil(dev / train)
        if evaluations < 1 + population + 2 * look:  # the start, one generation, and a look at the dev rows for both
            with pytest.raises(BudgetError, match=f"need {1 + population + 2 * look}"):
                quick(task, **run)
            return
        result = quick(task, **run)
        assert result.summary.evaluations == spent(result.history, task) <= evaluations
        assert result.summary.stop_reason == "evaluations"
        assert evaluations - result.summary.evaluations < population + look  # no other generation fits in
        assert [found.number for found in result.history] == list(range(len(result.history)))

    def test_the_journal_has_a_line_for_every_evaluation(self, tmp_path: Path) -> None:
        result = quick(folder=tmp_path / "run")
        assert len((tmp_path / "run" / "evaluations.jsonl").read_text().splitlines()) == len(result.history)

    @pytest.mark.parametrize("seconds", [10, 17.5, 40])
    @pytest.mark.parametrize("dev", [0, 24])
    def test_a_time_limit_is_not_passed(self, monkeypatch: pytest.MonkeyPatch, seconds: float, dev: int) -> None:
        clock = Clock()
        monkeypatch.setattr("blackbox.run_clock.time", clock)
        task = make_task(train=24, dev=dev, test=48)  # a candidate takes 1 s, the test rows 2 s
        result = quick(task, backend=Slow(clock), seconds=seconds, slice_size=1, evaluations=1000)
        assert result.summary.stop_reason == "seconds"
        assert seconds - 4 <= result.summary.seconds <= seconds  # a candidate, a look and the test rows take 4 s
        assert result.summary.seconds == clock.now - 1000.0
        assert result.summary.test_after is not None

    def test_a_time_limit_holds_with_a_model_that_takes_its_time(self) -> None:
        class Sleepy(FakeBackend):
            def score(self, prompts: Sequence[Prompt], queries: Sequence[Query]) -> Scores:
                time.sleep(0.02 * len(prompts))
                return super().score(prompts, queries)

        result = quick(backend=Sleepy(), seconds=0.5, slice_size=2, evaluations=10_000)
        assert result.summary.stop_reason == "seconds"
        assert 5 < result.summary.evaluations <= 25  # 20 ms each
        assert result.summary.seconds < 0.7

    def test_what_was_paid_for_when_time_ran_out_takes_part_in_the_selection(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        clock = Clock()
        monkeypatch.setattr("blackbox.run_clock.time", clock)
        task = make_task(train=24, dev=0, test=0)
        result = quick(task, backend=Slow(clock), seconds=5, slice_size=1, population=50, evaluations=1000)
        assert len(result.history) == 5  # in the middle of the first generation
        assert result.summary.train_loss == min(found.loss for found in result.history)


class TestStops:
    def test_a_target_that_is_reached_on_the_dev_rows_ends_the_search(self) -> None:
        result = quick(target=1.0, evaluations=1000)
        assert result.summary.stop_reason == "target"
        assert result.summary.dev is not None
        assert result.summary.dev.value == 1.0
        assert result.summary.evaluations < 1000

    def test_without_dev_rows_the_target_counts_on_the_training_rows(self) -> None:
        result = quick(make_task(dev=0), target=1.0, evaluations=1000)
        assert result.summary.stop_reason == "target"

    def test_patience_ends_a_search_that_makes_no_progress(self) -> None:
        result = quick(make_task(dev=0, loss="error-rate"), patience=30, evaluations=1000)
        assert result.summary.stop_reason == "patience"
        best = min(result.history, key=lambda found: found.loss).number
        later = [found for found in result.history if found.number > best and found.split == "train"]
        assert 30 - QUICK["population"] <= len(later) <= 30 + QUICK["population"]

    def test_reasons_of_the_optimizer_are_named(self) -> None:
        class Tired(RandomSearch):
            def stop(self) -> dict[str, object]:
                return {"tired": 1.0} if self.best else {}

        result = quick(optimizer=Tired(16, seed=1))
        assert result.summary.stop_reason == "optimizer (tired)"
        assert {found.generation for found in result.history} == {0, 1}


class TestSelection:
    def test_the_start_and_each_lower_training_loss_are_looked_at_once_on_the_dev_rows(self) -> None:
        history = quick(evaluations=200).history
        looked = [found.candidate for found in history if found.split == "dev"]
        assert max(Counter(looked).values()) == 1
        training = [found for found in history if found.split == "train"]
        lowest = math.inf
        for generation in range(training[-1].generation + 1):
            asked = [found for found in training if found.generation == generation]
            best = min(asked, key=lambda found: found.loss, default=None)
            if best is None:
                continue  # a blockwise search asks for the start, which has been scored
            assert (best.candidate in looked) == (best.loss < lowest)
            lowest = min(lowest, best.loss)

    def test_the_best_dev_metric_is_selected_and_ties_go_to_the_lower_dev_loss(self) -> None:
        result = quick(evaluations=200)
        looks = [found for found in result.history if found.split == "dev"]
        best = min(looks, key=lambda found: (-found.measured.value, found.loss))  # type: ignore[union-attr]
        assert len([found for found in looks if found.measured == best.measured]) > 1  # there was a tie
        assert result.history[-1].split == "test"
        assert result.history[-1].candidate == best.candidate

    def test_dev_rows_that_contradict_the_training_rows_decide(self) -> None:
        labels = list(WORDS)
        turned = [{**row, "label": labels[1 - labels.index(str(row["label"]))]} for row in make_rows(8)]
        result = quick(Task(make_rows(8), template=TEMPLATE, label_words=WORDS, dev=turned), evaluations=100)
        assert result.summary.dev is not None
        assert result.summary.dev.value == 1.0  # what is wrong on the training rows is right here
        assert result.summary.train_loss == result.history[0].loss

    def test_without_dev_rows_the_lowest_training_loss_is_selected(self) -> None:
        result = quick(make_task(dev=0))
        assert result.summary.train_loss == min(found.loss for found in result.history if found.split == "train")
        assert result.summary.dev is None

    def test_without_test_rows_nothing_is_tested(self) -> None:
        assert {found.split for found in quick(make_task(test=0)).history} == {"train", "dev"}

    def test_test_rows_are_touched_for_the_start_and_the_outcome_only(self) -> None:
        history = quick(evaluations=200).history
        assert [found.number for found in history if found.split == "test"] == [2, len(history) - 1]

    def test_a_start_that_stays_the_best_is_tested_once(self) -> None:
        result = quick(prompt="classify sentiment carefully answer")
        assert len([found for found in result.history if found.split == "test"]) == 1
        assert result.summary.test_before == result.summary.test_after

    def test_test_rows_change_nothing(self) -> None:
        with_test, without = quick(make_task(test=10)).history, quick(make_task(test=0)).history
        assert [found.candidate for found in with_test if found.split != "test"] == [
            found.candidate for found in without
        ]


class TestCallbacks:
    def test_they_are_called_in_order(self, tmp_path: Path) -> None:
        recorder = Recorder()
        result = quick(callbacks=[recorder], folder=tmp_path / "run")
        names = [name for name, _ in recorder.events]
        assert names[0] == "start"
        assert names[-1] == "end: evaluations"
        assert set(names[1:-1]) == {"evaluations", "generation"}
        assert names[-2] == "evaluations"  # of the test rows
        assert tuple(found for part in recorder.slices for found in part) == result.history
        assert max(len(part) for part in recorder.slices) == QUICK["slice_size"]

    def test_progress_only_grows(self) -> None:
        recorder = Recorder()
        result = quick(callbacks=[recorder])
        evaluations = [progress.evaluations for _, progress in recorder.events]
        losses = [progress.train_loss for _, progress in recorder.events if progress.train_loss is not None]
        assert evaluations == sorted(evaluations)
        assert evaluations[0] == 0
        assert evaluations[-1] == result.summary.evaluations
        assert losses == sorted(losses, reverse=True)
        generations = [progress.generation for name, progress in recorder.events if name == "generation"]
        assert generations == list(range(1, len(generations) + 1))

    def test_slices_stand_in_the_journal_before_callbacks_see_them(self, tmp_path: Path) -> None:
        journal = tmp_path / "run" / "evaluations.jsonl"

        class Reader(Recorder):
            def on_evaluations(self, evaluations: tuple[Evaluation, ...], progress: Progress) -> None:
                lines = journal.read_text().splitlines()
                assert len(lines) == evaluations[-1].number + 1

        quick(callbacks=[Reader()], folder=tmp_path / "run")

    def test_a_generation_is_announced_when_its_checkpoint_is_written(self, tmp_path: Path) -> None:
        class Reader(Callback):
            def on_generation(self, progress: Progress) -> None:
                state: Any = load_checkpoint(tmp_path / "run" / "checkpoint.json")
                assert state["tally"]["generation"] == progress.generation
                assert state["tally"]["spent"] == progress.evaluations

        quick(callbacks=[Reader()], folder=tmp_path / "run")

    def test_a_blockwise_search_names_the_block_of_each_evaluation(self) -> None:
        history = quick(evaluations=100, layers="1,3").history
        training = [found for found in history if found.split == "train" and found.generation > 1]
        assert {found.block for found in training} == {0, 1}
        assert {found.block for found in quick(optimizer="cma-es").history} == {None}
