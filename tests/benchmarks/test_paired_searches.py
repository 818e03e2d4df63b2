import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from benchmarks import paired_searches
from benchmarks.ablation import FACTORS
from benchmarks.ideas.table import IDEAS
from benchmarks.paired_searches import (
    REFERENCES,
    TASKS,
    Variant,
    compared,
    figures_of,
    gained,
    reached,
    searched,
    searched_all,
    told,
)
from benchmarks.seeds import seeds_of
from blackbox.config import TaskSettings, make_config
from blackbox.tune import tune
from tests.blackbox.small import make_task

OTHER = Variant("a paper", {"dimension": 25})


def search(task: str, seed: int, test: float, *, curve: list[tuple[int, float]], **figures: float) -> dict[str, Any]:
    return {"task": task, "seed": seed, "test": test, "train_loss": 0.5, "seconds": 10.0, "curve": curve, **figures}


def test_a_gain_is_paired_by_task_and_seed() -> None:
    flat = [(2, 0.5)]
    found = {
        "deep": [search("a", 1, 0.5, curve=flat), search("a", 2, 0.6, curve=flat), search("b", 1, 0.4, curve=flat)],
        "other": [search("b", 1, 0.5, curve=flat, seconds=5.0), search("a", 2, 0.64, curve=flat, train_loss=0.3)],
    }
    row = gained("other", OTHER, found)
    assert row is not None
    assert row["points"] == pytest.approx((10 + 4) / 2)
    assert row["low"] == pytest.approx(7 - 12.706 * 3, rel=1e-3)  # t of one degree of freedom, s / sqrt(2) = 3
    assert row["train_loss"] == pytest.approx(-0.1)
    assert row["time"] == pytest.approx(0.75)
    assert row["pairs"] == 2
    assert told("other", row).startswith("other against deep: +7.0 points (-31.1 to +45.1), train loss -0.100, 0.75")


def test_one_pair_has_no_interval_and_none_no_row() -> None:
    found = {"deep": [search("a", 1, 0.5, curve=[])], "other": [search("a", 1, 0.5, curve=[])], "late": []}
    row = gained("other", OTHER, found)
    assert row is not None
    assert (row["low"], row["evaluations_to_95"], row["evaluations_to_reference"]) == (None, None, None)
    assert gained("late", OTHER, found) is None
    assert list(compared({"other": OTHER, "late": OTHER}, found)) == ["other"]


def test_a_goal_is_reached_by_the_first_score_that_is_as_high() -> None:
    curve = [(2, 0.5), (40, 0.76), (90, 0.8)]
    assert reached(curve, 0.95 * 0.8) == 40
    assert reached(curve, 0.5) == 2
    assert reached(curve, 0.81) is None


def test_evaluations_to_a_score_are_to_the_own_and_to_that_of_the_reference() -> None:
    found = {
        "deep": [search("a", seed, 0.5, curve=[(2, 0.5), (100, 0.8)]) for seed in (1, 2, 3)],
        "other": [
            search("a", 1, 0.5, curve=[(2, 0.5), (50, 0.9)]),
            search("a", 2, 0.5, curve=[(2, 0.5), (70, 0.77)]),
            search("a", 3, 0.5, curve=[(2, 0.5)]),
        ],
    }
    row = gained("other", OTHER, found)
    assert row is not None
    assert row["evaluations_to_95"] == pytest.approx((50 + 70 + 2) / 3)
    assert row["evaluations_to_reference"] == 70  # the third never comes there and counts as slower than any
    rare = gained("other", OTHER, {**found, "other": found["other"][1:]})
    assert rare is not None
    assert rare["evaluations_to_reference"] is None


def test_a_search_tells_what_it_found_and_what_it_cost() -> None:
    settings: dict[str, Any] = {"backend": "fake", "prompt": "ab", "dimension": 4, "evaluations": 40, "population": 5}
    result = tune(make_task(), **settings)
    figures = figures_of(result)
    assert result.summary.test_after
    assert figures["test"] == result.summary.test_after.value
    assert figures["evaluations"] <= 40
    assert figures["row_passes"] == result.summary.requests > 40
    spent, dev = zip(*figures["curve"], strict=True)
    assert list(spent) == sorted(spent)
    assert dev[-1] == figures["dev"]


@pytest.mark.parametrize("name", [*IDEAS, *FACTORS])
def test_every_variant_is_a_setting_of_a_search_and_differs_from_its_reference(name: str) -> None:
    variant = {**IDEAS, **FACTORS}[name]
    reference = make_config(REFERENCES[variant.against])
    changed = make_config({**reference.model_dump(exclude_unset=True), **_given(variant)})
    assert changed != reference or variant.task or variant.templates or variant.bank
    assert set(variant.templates) in (set(), set(TASKS))


def _given(variant: Variant) -> dict[str, Any]:
    return {key: value for key, value in variant.settings.items() if value is not None}


def test_what_a_variant_sets_of_the_task_is_a_term_of_the_task() -> None:
    for variant in [*IDEAS.values(), *FACTORS.values()]:
        assert not variant.settings.keys() & TaskSettings.model_fields.keys()
        assert variant.task.keys() <= TaskSettings.model_fields.keys()


def test_a_variant_is_quick_where_its_benchmark_has_a_quick_look() -> None:
    for variants in (IDEAS, FACTORS):
        assert 2 <= sum(variant.quick for variant in variants.values()) <= 4


def test_what_is_kept_is_not_searched_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[int] = []

    def one(variant: Variant, task: str, seed: int, evaluations: int) -> dict[str, Any]:
        made.append(seed)
        return search(task, seed, 0.5, curve=[])

    monkeypatch.setenv("BLACKBOX_KEPT", str(tmp_path / "kept.jsonl"))
    monkeypatch.setattr(paired_searches, "_searched", one)
    for _ in range(2):
        searched("deep", OTHER, task="sst2", seed=13, evaluations=300)
    assert made == [13]
    monkeypatch.setenv("BLACKBOX_SEEDS", "13,21")
    figures = searched_all({"other": OTHER}, evaluations=300, quick=False)
    assert figures["seeds"] == [13, 21]
    assert list(figures["searches"]) == ["deep", "other"]
    assert len(made) == 2 * 2 * 2  # reference and variant, tasks, seeds; one of these was kept before


def test_seeds_of_a_process_are_named_by_a_variable(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("BLACKBOX_SEEDS", raising=False)
    assert seeds_of([13, 21]) == (13, 21)
    monkeypatch.setenv("BLACKBOX_SEEDS", "42")
    assert seeds_of([13, 21]) == (42,)


_HOLDS_AND_RESETS = """
from benchmarks.peak import peak_mb, reset_peak
held = bytearray(200_000_000)
held[::4096] = b"x" * len(held[::4096])
high = peak_mb()
del held
reset_peak()
print(high, peak_mb())
"""


@pytest.mark.skipif(not Path("/proc/self/clear_refs").exists(), reason="only Linux tells")
def test_the_peak_of_memory_counts_from_where_it_was_reset() -> None:
    """In a process of its own: what others of this one hold and let go has no part in it."""
    program = [sys.executable, "-c", _HOLDS_AND_RESETS]
    told = subprocess.run(program, cwd=Path(__file__).parents[2], capture_output=True, text=True, check=True).stdout
    high, low = map(float, told.split())
    assert low < high - 100
