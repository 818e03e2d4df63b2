"""Against numbers worked out by hand; t quantiles from a table: t(0.975, 1) = 12.7062, t(0.975, 2) = 4.3027."""

import math
from pathlib import Path

import pytest

from blackbox.figures import MeanLoss
from blackbox.metrics import Measured
from blackbox.summary import Summary
from blackbox.sweeps.plan import PlannedRun
from blackbox.sweeps.records import RunRecord
from blackbox.sweeps.standings import Standing, standings


def record(task: str, method: str, seed: int, found: float, *, status: str = "succeeded") -> RunRecord:
    run = PlannedRun(task, method, seed, Path("/"), {})
    after, before = (Measured("accuracy", value, 0.0, 1.0, 100) for value in (found, 0.5))
    cost = {"evaluations": 100 * seed, "requests": 10, "prompt_tokens": 7, "completion_tokens": 3, "usd": 0.5}
    summary = Summary(status, None, **cost, seconds=2.0 * seed, test_before=before, test_after=after)  # type: ignore[arg-type]
    return RunRecord(run, summary)


def lossy(method: str, seed: int, loss: float) -> RunRecord:
    run = PlannedRun("t", method, seed, Path("/"), {})
    return RunRecord(run, Summary("succeeded", test_loss_before=2.0, test_loss_after=loss))


def by_name(records: list[RunRecord], baseline: str | None = "base") -> dict[tuple[str | None, str], Standing]:
    return {(one.task, one.method): one for one in standings(records, baseline=baseline)}


BASE = [record("t", "base", seed, found) for seed, found in ((1, 0.60), (2, 0.62), (3, 0.64))]
NEW = [record("t", "new", seed, found) for seed, found in ((1, 0.70), (2, 0.74), (3, 0.72))]


def test_a_mean_has_students_interval_over_seeds() -> None:
    found = by_name([*BASE, *NEW])["t", "new"].found
    assert found is not None
    half = 4.3027 * 0.02 / math.sqrt(3)  # the standard deviation of 0.70, 0.74, 0.72 is 0.02
    assert (found.value, found.count) == (pytest.approx(0.72), 3)
    assert (found.low, found.high) == (pytest.approx(0.72 - half, abs=1e-5), pytest.approx(0.72 + half, abs=1e-5))


def test_a_method_is_compared_with_the_baseline_seed_by_seed() -> None:
    lines = by_name([*BASE, *NEW])
    difference = lines["t", "new"].difference
    assert lines["t", "base"].difference is None
    assert difference is not None
    half = 4.3027 * 0.02 / math.sqrt(3)  # that of 0.10, 0.12, 0.08 too
    assert (difference.difference, difference.rows) == (pytest.approx(0.10), 3)
    assert difference.low == pytest.approx(0.10 - half, abs=1e-5)
    assert difference.high == pytest.approx(0.10 + half, abs=1e-5)
    t = 0.10 / (0.02 / math.sqrt(3))
    assert difference.p_value == pytest.approx(1 - t / math.sqrt(t**2 + 2))  # two degrees of freedom: closed form


def test_shares_that_are_all_one_or_zero_are_runs_and_no_rows() -> None:
    base = [record("t", "base", seed, 0.0) for seed in (1, 2)]
    new = [record("t", "new", seed, 1.0) for seed in (1, 2)]
    difference = by_name([*base, *new])["t", "new"].difference
    assert difference is not None
    assert (difference.difference, difference.low, difference.high, difference.rows) == (1.0, 1.0, 1.0, 2)


def test_pairs_are_of_runs_that_have_both_succeeded() -> None:
    failed = record("t", "new", 3, 0.99, status="failed")
    line = by_name([*BASE, *NEW[:2], failed])["t", "new"]
    assert (line.runs, line.planned) == (2, 3)
    assert line.difference is not None
    assert (line.difference.difference, line.difference.rows) == (pytest.approx(0.11), 2)
    assert line.found is not None
    assert line.found.value == pytest.approx(0.72)


def test_the_interval_of_shares_stays_within_shares() -> None:
    found = by_name([record("t", "base", 1, 0.1), record("t", "base", 2, 0.9)])["t", "base"].found
    assert found is not None
    assert (found.value, found.low, found.high) == (0.5, 0.0, 1.0)


def test_one_run_shows_no_spread() -> None:
    found = by_name([record("t", "base", 1, 0.1)])["t", "base"].found
    assert found is not None
    assert (found.value, found.low, found.high, found.count) == (0.1, -math.inf, math.inf, 1)


def test_costs_are_means_over_runs() -> None:
    cost = by_name(BASE)["t", "base"].cost
    assert cost is not None
    assert (cost.evaluations, cost.requests, cost.tokens, cost.usd, cost.seconds) == (200, 10, 10, 0.5, 4)


def test_over_all_tasks_a_mean_is_over_seeds_of_means_over_tasks_and_pairs_are_of_task_and_seed() -> None:
    base = [record(task, "base", seed, 0.5) for task in "tu" for seed in (1, 2)]
    places = ((("t", 1), 0.6), (("t", 2), 0.7), (("u", 1), 0.8), (("u", 2), 0.9))
    new = [record(task, "new", seed, found) for (task, seed), found in places]
    line = by_name([*base, *new])[None, "new"]
    assert line.found is not None
    assert (line.found.value, line.found.count) == (pytest.approx(0.75), 2)  # of 0.7 and 0.8
    assert line.found.low == pytest.approx(0.75 - 12.7062 * 0.05, abs=1e-5)  # their standard error is 0.05
    assert line.difference is not None
    assert (line.difference.difference, line.difference.rows) == (pytest.approx(0.25), 4)


def test_a_seed_that_a_task_lacks_is_left_out_of_the_mean_over_all_tasks() -> None:
    records = [record("t", "base", 1, 0.5), record("u", "base", 1, 0.7), record("t", "base", 2, 0.9)]
    found = by_name([*records, record("u", "base", 2, 0.9, status="interrupted")])[None, "base"].found
    assert found is not None
    assert (found.value, found.count) == (pytest.approx(0.6), 1)


def test_losses_have_no_place_in_a_mean_with_accuracies_but_costs_do() -> None:
    records = [record("u", "base", 1, 0.5), record("u", "new", 1, 0.5), lossy("base", 1, 1.0), lossy("new", 1, 0.75)]
    lines = by_name(records)
    assert lines[None, "new"].found is lines[None, "new"].difference is None
    assert lines[None, "new"].cost is not None
    assert isinstance(lines["t", "new"].kind, MeanLoss)
    assert lines["t", "new"].difference is not None
    assert lines["t", "new"].difference.difference == -0.25


def test_a_single_task_stands_for_all() -> None:
    assert {task for task, _ in by_name(BASE)} == {"t"}


def test_without_a_baseline_nothing_is_compared() -> None:
    assert all(line.difference is None for line in by_name([*BASE, *NEW], None).values())


def test_what_has_not_run_yet_has_no_figures() -> None:
    line = by_name([RunRecord(PlannedRun("t", "base", 1, Path("/"), {}))])["t", "base"]
    assert (line.runs, line.planned, line.found, line.cost) == (0, 1, None, None)
