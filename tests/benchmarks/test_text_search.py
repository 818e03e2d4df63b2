import json

import pytest

from benchmarks.text_search import gains


def searched(task: str, start: float, random: float, categorical: float) -> dict[str, object]:
    scores = {"start": start, "random-search": random, "categorical": categorical}
    return {"task": task, "seed": 1, **{name: {"test": score} for name, score in scores.items()}}


def test_gains_are_means_over_searches_where_the_start_leaves_room() -> None:
    found = [searched("a", 0.5, 0.6, 0.7), searched("a", 0.5, 0.6, 0.8), searched("b", 0.95, 0.9, 0.95)]
    against = json.loads(json.dumps(gains(found, "categorical"), allow_nan=False))
    start, random = against["against_start"], against["against_random-search"]
    assert start["tasks"] == {"a": pytest.approx(25)}
    assert start["low"] < start["mean_points"] < start["high"]
    assert random["mean_points"] == pytest.approx((10 + 20 + 5) / 3)
    assert random["tasks"] == {"a": pytest.approx(15), "b": pytest.approx(5)}


def test_one_search_has_no_interval_and_a_good_start_no_gain() -> None:
    against = gains([searched("b", 0.95, 0.9, 0.95)], "categorical")
    assert list(against) == ["against_random-search"]
    assert json.loads(json.dumps(against, allow_nan=False))["against_random-search"]["low"] is None
    assert gains([searched("b", 0.95, 0.9, 0.95)], "random-search") == {}
