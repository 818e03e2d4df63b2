"""select = "mean" and rows_per_generation: what a generation is scored on, and what of it becomes the prompt."""

import json
import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from blackbox import tune
from blackbox.backends import FakeBackend, Prompt, Query, Scores
from blackbox.config import make_config
from blackbox.errors import BudgetError, SettingError
from blackbox.evaluation import Evaluation, candidate_digest
from blackbox.journal import Journal
from blackbox.parts import make_parts
from blackbox.report.improvements import find_improvements, selected, spent_after
from blackbox.run import make_search
from blackbox.search import Search
from blackbox.seeds import part_seed
from tests.blackbox.small import QUICK, facts, make_task

CMA = {"optimizer": "cma-es", "space": "soft"}
ES = {"optimizer": "es", "space": "soft", "sigma": 0.2}
BLOCKWISE = {"optimizer": "blockwise:cma-es", "space": "deep"}
WAYS: dict[str, dict[str, Any]] = {
    "mean": {**CMA, "select": "mean"},
    "blockwise mean": {**BLOCKWISE, "select": "mean"},
    "rows": {**CMA, "rows_per_generation": 3},
    "blockwise rows": {**BLOCKWISE, "rows_per_generation": 3},
    "both": {**ES, "rows_per_generation": 3, "select": "mean"},
    "schedule": {**BLOCKWISE, "schedule": "sensitivity", "rows_per_generation": 5},
    "zo-adam": {**CMA, "optimizer": "zo-adam", "sigma": 0.2},
    "spsa": {**CMA, "optimizer": "spsa", "sigma": 0.2},
    "whole prompt": {**ES, "projection": "identity", "direction_rank": 1},
}
every_way = pytest.mark.parametrize("way", WAYS)


def make(journal: Journal, **changes: Any) -> Search:
    return make_search(make_parts(make_config({**QUICK, **changes}), make_task()), journal)


def ran(**changes: Any) -> Search:
    search = make(Journal(), **changes)
    search.run()
    return search


def of_split(search: Search, split: str) -> list[Evaluation]:
    return [evaluation for evaluation in search.history if evaluation.split == split]


class Counting(FakeBackend):
    """Notes the rows of each call, by their texts."""

    def __init__(self) -> None:
        super().__init__()
        self.calls: list[tuple[int, frozenset[str]]] = []

    def score(self, prompts: Sequence[Prompt], queries: Sequence[Query]) -> Scores:
        self.calls.append((len(prompts), frozenset(query.before for query in queries)))
        return super().score(prompts, queries)


@every_way
def test_a_search_that_is_taken_up_at_any_checkpoint_ends_as_the_unbroken_one(way: str) -> None:
    journal, states = Journal(), []
    first = make(journal, **WAYS[way])
    first._save = lambda search: states.append(json.dumps(search.state_dict()))
    reason = first.run()
    for state in states[::2]:
        second = make(journal, **WAYS[way])
        second.load_state_dict(json.loads(state))
        assert second.run() == reason
        assert facts(second.history) == facts(first.history)
        assert second.tally.spent == first.tally.spent


@every_way
def test_a_search_whose_journal_is_cut_off_anywhere_ends_as_the_unbroken_one(way: str) -> None:
    whole = ran(**WAYS[way])
    for kept in range(1, len(whole.history), 7):
        journal = Journal()
        journal.append(whole.history[:kept])
        again = make(journal, **WAYS[way])
        again.run()
        assert facts(again.history) == facts(whole.history)


@every_way
def test_the_budget_is_used_and_not_overspent_and_the_report_counts_as_it_does(way: str) -> None:
    search = ran(**WAYS[way])
    rows = sum(found.rows for found in of_split(search, "sample"))
    others = len(of_split(search, "train")) + len(of_split(search, "dev"))  # as many dev rows as training rows
    assert search.tally.spent == others + math.ceil(rows / 8)
    assert 60 - 6 < search.tally.spent <= 60
    assert spent_after(search.history)[-1] == search.tally.spent


@every_way
def test_the_report_finds_the_prompt_that_was_selected(way: str) -> None:
    search = ran(**WAYS[way])
    found = selected(find_improvements(search.history))
    assert search.selection.chosen is not None
    assert found is not None
    assert found.train.candidate == search.selection.chosen.evaluation.candidate


def test_means_and_the_start_alone_are_selected_from() -> None:
    search, means = make(Journal(), **WAYS["mean"]), []
    search._save = lambda search: means.append(candidate_digest(search.optimizer.mean))  # type: ignore[arg-type]
    search.run()
    assert [found.candidate for found in of_split(search, "train")[1:]] == means
    assert {found.rows for found in of_split(search, "sample")} == {8}
    assert search.selection.chosen is not None
    assert search.selection.chosen.evaluation.candidate in means


def test_a_blockwise_mean_is_of_no_block() -> None:
    search = ran(**WAYS["blockwise mean"])
    assert {found.block for found in of_split(search, "train")} == {None}
    assert {found.block for found in of_split(search, "sample")} == {0, 1, 2, 3}


def test_the_optimizer_is_told_the_same_with_and_without_a_mean() -> None:
    best, mean = ran(**CMA), ran(**WAYS["mean"])
    told = [found.loss for found in of_split(best, "train")[1:]]
    assert [found.loss for found in of_split(mean, "sample")] == told[: len(of_split(mean, "sample"))]


def test_each_generation_meets_its_own_rows_and_its_best_all() -> None:
    backend = Counting()
    config = make_config({**QUICK, **WAYS["rows"]})
    parts = make_parts(config, make_task(dev=0, test=0), backend=backend)
    search = make_search(parts, Journal())
    search.run()
    samples = search._samples
    assert samples is not None
    assert samples.seed == part_seed(config.seed, "rows")
    train = parts.task.train
    expected = [(1, frozenset(query.before for query in train.queries))]
    for generation in range(1, search.tally.generation + 1):
        some = frozenset(train.queries[row].before for row in samples.rows(generation))
        expected += [(3, some), (1, some), expected[0]]  # slices of 3 and 1 candidates
    assert backend.calls == expected


def test_only_losses_on_all_rows_become_the_best() -> None:
    search = ran(**WAYS["rows"])
    assert search.selection.train is not None
    assert search.selection.train.evaluation.loss == min(found.loss for found in of_split(search, "train"))
    assert {found.rows for found in of_split(search, "sample")} == {3}
    for generation in range(1, search.tally.generation + 1):
        sampled = [found for found in of_split(search, "sample") if found.generation == generation]
        [again] = [found for found in of_split(search, "train") if found.generation == generation]
        assert again.candidate == min(sampled, key=lambda found: found.loss).candidate


def test_losses_of_a_sample_are_those_of_its_rows() -> None:
    search = ran(**WAYS["rows"])
    assert search._samples is not None
    task, first = make_task(), of_split(search, "sample")[0]
    parts = make_parts(make_config({**QUICK, **WAYS["rows"]}), task)
    some = task.train.take(search._samples.rows(1))
    scores = parts.backend.score(parts.space.decode(parts.optimizer.ask()[:1]), some.queries).log_probabilities[0]
    assert first.loss == pytest.approx(-scores[np.arange(3), some.labels].mean())


def test_the_number_of_workers_changes_nothing() -> None:
    serial = tune(make_task(), **{**QUICK, **WAYS["both"]})
    threads = tune(make_task(), **{**QUICK, **WAYS["both"]}, executor="threads", workers=3)
    assert facts(serial.history) == facts(threads.history)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"optimizer": "random-search", "select": "mean"}, "select = mean needs an optimizer with a mean"),
        ({"optimizer": "blockwise:random-search", "select": "mean"}, "got blockwise:random-search"),
        ({"optimizer": "cma-es", "rows_per_generation": 8}, "must be fewer than the 8 training rows, got 8"),
        ({"optimizer": "islands:cma-es", "rows_per_generation": 3}, "islands compare their losses"),
        (
            {"optimizer": "cma-es", "rows_per_generation": 3, "racing": "on"},
            "rows_per_generation is for spaces of vect",
        ),
        ({"space": "texts", "prompts": ["a", "b"], "rows_per_generation": 3}, "rows_per_generation is for spaces of v"),
    ],
)
def test_what_cannot_work_is_refused_before_anything_is_spent(settings: dict[str, Any], message: str) -> None:
    backend = Counting()
    with pytest.raises(SettingError, match=message):
        tune(make_task(), **{**QUICK, **settings, "backend": backend})
    assert not backend.calls


def test_a_budget_that_ends_before_a_first_generation_and_its_mean_is_refused() -> None:
    # the start and its look, four candidates, the mean and its look
    with pytest.raises(BudgetError, match="need 8"):
        tune(make_task(), **{**QUICK, **WAYS["mean"], "evaluations": 7})
    tune(make_task(), **{**QUICK, **WAYS["mean"], "evaluations": 8})


def test_a_run_folder_keeps_what_it_has_found(tmp_path: Path) -> None:
    result = tune(make_task(), **{**QUICK, **WAYS["both"]}, folder=tmp_path / "run")
    assert (tmp_path / "run" / "report.html").exists()
    assert result.summary.train_rows == sum(e.rows for e in result.history if e.split in ("train", "sample"))
