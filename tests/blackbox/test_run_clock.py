from collections.abc import Callable

import pytest

from blackbox.run_clock import RunClock
from blackbox.tally import Tally


@pytest.fixture
def at(monkeypatch: pytest.MonkeyPatch) -> Callable[[float], None]:
    """Sets the time."""

    def set_to(seconds: float) -> None:
        monkeypatch.setattr("blackbox.run_clock.time.monotonic", lambda: seconds)

    return set_to


def test_a_run_has_the_time_of_all_its_sessions(at: Callable[[float], None]) -> None:
    at(1000.0)
    clock = RunClock(None, earlier=30.0)
    at(1004.0)
    assert (clock.session, clock.elapsed) == (4.0, 34.0)


def test_it_is_late_where_what_lies_ahead_might_pass_the_limit(at: Callable[[float], None]) -> None:
    at(0.0)
    clock, tally = RunClock(60.0, earlier=20.0), Tally(number=5, slowest=2.0, test_seconds=10.0)
    at(10.0)  # 30 s are left: 10 s for the test rows, 6 s for asking, 2 s for each evaluation
    assert not clock.late(tally, 7, asking=6.0)
    assert clock.late(tally, 8, asking=6.0)


def test_without_a_limit_or_before_anything_was_scored_nothing_is_late(at: Callable[[float], None]) -> None:
    at(0.0)
    tally = Tally(number=5, slowest=2.0)
    assert not RunClock(None, earlier=1e9).late(tally, 10**6, asking=1e9)
    assert not RunClock(1.0, earlier=1e9).late(Tally(), 10**6, asking=1e9)


def test_the_slowest_evaluation_and_scoring_of_the_test_rows_are_known() -> None:
    tally = Tally()
    for split, seconds, count in (
        ("train", 6.0, 3),
        ("train", 3.0, 1),
        ("dev", 90.0, 1),
        ("test", 4.0, 1),
        ("test", 2.0, 1),
    ):
        tally.took(split, seconds, count)
    assert (tally.slowest, tally.test_seconds) == (3.0, 4.0)
