import threading

import pytest

from blackbox.backends.api.breaker import FEWEST, Breaker
from blackbox.backends.errors import EndpointDownError, QuotaError
from tests.backends.api.calls import FastClock, SetClock


def stop() -> None:
    raise QuotaError("used up")


def opened(clock: SetClock, told: list[tuple[bool, str]], **options: float) -> Breaker:
    breaker = Breaker(clock=clock, on_change=lambda paused, why: told.append((paused, why)), **options)
    for caller in range(FEWEST):
        breaker.failed(caller, "it answered 500")
    return breaker


def test_failures_in_a_row_of_several_calls_pause_all_and_one_answer_lets_them_go_on() -> None:
    clock, told = SetClock(), list[tuple[bool, str]]()
    breaker = opened(clock, told)
    assert breaker.is_open
    with pytest.raises(QuotaError):
        breaker.enter(9, stop)
    clock.now = 12.0
    breaker.succeeded(9)  # sent before the outage
    assert breaker.is_open
    assert breaker.enter(8, stop)
    breaker.succeeded(8)
    assert breaker.enter(9, stop) is False
    assert [paused for paused, _ in told] == [True, False]
    assert "it answered 500" in told[0][1]
    assert "12 s" in told[1][1]


def test_an_answer_between_failures_begins_the_count_anew() -> None:
    breaker = Breaker()
    for caller in range(5 * FEWEST):
        if caller % (FEWEST - 1) == 0:
            breaker.succeeded(caller)
        breaker.failed(caller, "it answered 500")
    assert not breaker.is_open


def test_with_many_calls_in_flight_all_of_them_must_fail() -> None:
    breaker = Breaker()
    for caller in range(63):
        breaker.failed(caller, "it answered 500", in_flight=64)
    assert not breaker.is_open
    breaker.failed(63, "it answered 500", in_flight=64)
    assert breaker.is_open


def test_one_call_alone_is_no_outage_unless_the_endpoint_cannot_be_reached() -> None:
    breaker = Breaker()
    for _ in range(20):
        breaker.failed(1, "it answered 500")
    assert not breaker.is_open
    breaker.failed(1, "no connection", reached=False)
    assert breaker.is_open


def test_one_call_at_a_time_tries_on_a_clock_that_slows_down() -> None:
    clock = SetClock()
    breaker, tries = opened(clock, [], first_seconds=1.0, longest_seconds=4.0), []
    caller = 10
    for tenth in range(300):
        clock.now = tenth / 10
        try:
            breaker.enter(caller, stop)
        except QuotaError:
            continue
        tries.append(clock.now)
        with pytest.raises(QuotaError):
            breaker.enter(99, stop)
        breaker.failed(caller, "it answered 500")
        caller += 1
    assert tries[:5] == pytest.approx([1.0, 3.0, 7.0, 11.0, 15.0])


def test_a_try_that_ends_without_a_word_gives_its_turn_away() -> None:
    clock = SetClock()
    breaker = opened(clock, [])
    clock.now = 2.0
    assert breaker.enter(1, stop)
    breaker.left(1)
    assert breaker.enter(2, stop)


def test_the_call_whose_try_failed_lets_another_go_first() -> None:
    clock = FastClock(50.0)
    breaker = Breaker(clock=clock)
    for caller in range(FEWEST):
        breaker.failed(caller, "it answered 500")
    bad = threading.Thread(target=fail_for_ever, args=(breaker,), daemon=True)
    bad.start()
    assert breaker.enter(8, lambda: None)
    breaker.succeeded(8)
    bad.join(10)
    assert not bad.is_alive()


def fail_for_ever(breaker: Breaker) -> None:
    while breaker.enter(7, lambda: None):
        breaker.failed(7, "it answered 500")


def test_an_outage_that_lasts_too_long_is_given_up() -> None:
    clock = SetClock()
    breaker = opened(clock, [], outage_seconds=60.0)
    clock.now = 2.0
    breaker.enter(1, stop)
    clock.now = 60.5
    with pytest.raises(EndpointDownError, match=r"60 s|61 s"):
        breaker.enter(2, lambda: None)
