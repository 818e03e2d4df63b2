import pytest

from benchmarks.verbalizers import _against_given, _by_task

PARTS = [
    {"task": "sst2", "seed": 13, "given": 60.0, "ridge": 70.0},
    {"task": "sst2", "seed": 21, "given": 50.0, "ridge": 64.0},
    {"task": "trec", "seed": 13, "given": 30.0, "ridge": 72.0},
]


def test_a_mean_is_of_tasks_and_not_of_their_seeds() -> None:
    assert _by_task(PARTS, "ridge") == {"sst2": 67.0, "trec": 72.0, "mean": 69.5}


def test_points_are_paired_by_task_and_seed() -> None:
    found = _against_given(PARTS, "ridge")
    assert (found["points"], found["pairs"]) == (22.0, 3)
    assert found["low"] == pytest.approx(22.0 - 4.3027 * 17.4356 / 3**0.5, abs=0.01)
    assert _against_given(PARTS[:1], "ridge") == {"points": 10.0, "low": None, "high": None, "pairs": 1}
