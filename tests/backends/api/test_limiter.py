import threading
import time
from contextlib import ExitStack

import pytest

from blackbox.backends.api.limiter import FIRST, Limiter
from blackbox.backends.api.waiting import LONGEST
from blackbox.backends.errors import BackendSettingError, QuotaError
from tests.backends.api.calls import SetClock


def go() -> None:
    """Nothing ends the wait."""


def stop() -> None:
    raise QuotaError("used up")


def test_answers_of_a_window_double_it_at_first() -> None:
    limiter = Limiter(64)
    assert limiter.window == FIRST
    for expected in (8, 16, 32, 64, 64):
        for _ in range(limiter.window):
            limiter.succeeded()
        assert limiter.window == expected


def test_after_a_refusal_answers_of_a_window_add_one() -> None:
    limiter = Limiter(64)
    for _ in range(60):
        limiter.succeeded()
    with limiter.slot(go) as burst:
        limiter.limited(burst)
    assert limiter.window == 32
    for _ in range(33):
        limiter.succeeded()
    assert limiter.window == 33


def test_a_burst_of_refusals_halves_the_window_once() -> None:
    limiter = Limiter(64)
    for _ in range(60):
        limiter.succeeded()
    with ExitStack() as stack:
        bursts = [stack.enter_context(limiter.slot(go)) for _ in range(64)]
    for burst in bursts:
        limiter.limited(burst)
    assert limiter.window == 32
    with limiter.slot(go) as burst:
        limiter.limited(burst)
    assert limiter.window == 16


def test_one_call_may_always_go() -> None:
    limiter = Limiter(2)
    for _ in range(10):
        with limiter.slot(go) as burst:
            limiter.limited(burst)
    assert limiter.window == 1


def test_no_more_than_the_window_are_in_flight_and_the_next_goes_when_one_ends() -> None:
    limiter, most, lock = Limiter(3), [], threading.Lock()

    def work() -> None:
        for _ in range(20):
            with limiter.slot(go):
                with lock:
                    most.append(limiter.in_flight)
                time.sleep(0.001)

    workers = [threading.Thread(target=work) for _ in range(8)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join(20)
    assert len(most) == 160
    assert max(most) == 3
    assert limiter.in_flight == 0


def test_a_wait_that_the_endpoint_asks_for_holds_all_calls_back() -> None:
    clock = SetClock()
    limiter = Limiter(8, clock=clock)
    with limiter.slot(go) as burst:
        limiter.limited(burst, 20.0)
    clock.now = 19.9
    with pytest.raises(QuotaError), limiter.slot(stop):
        pass
    clock.now = 20.0
    with limiter.slot(stop):
        pass


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({"x-ratelimit-remaining-requests": "0", "x-ratelimit-reset-requests": "6s"}, 6.0),
        ({"x-ratelimit-remaining-requests": "1", "x-ratelimit-reset-requests": "6s"}, 0.0),
        ({"x-ratelimit-remaining-tokens": "99", "x-ratelimit-reset-tokens": "6m0s"}, LONGEST),
        ({"x-ratelimit-remaining-tokens": "100", "x-ratelimit-reset-tokens": "6m0s"}, 0.0),
        (
            {
                "x-ratelimit-limit-tokens": "1000",
                "x-ratelimit-remaining-tokens": "0",
                "x-ratelimit-reset-tokens": "60s",
            },
            6.0,
        ),
        ({"x-ratelimit-remaining-requests": "0", "x-ratelimit-reset-requests": "soon"}, 0.0),
        ({"x-ratelimit-remaining-requests": "none", "x-ratelimit-reset-requests": "6s"}, 0.0),
        ({}, 0.0),
    ],
)
def test_where_nothing_is_left_calls_wait_until_enough_for_one_is(headers: dict[str, str], seconds: float) -> None:
    clock = SetClock()
    limiter = Limiter(8, clock=clock)
    limiter.told(headers, tokens=100)
    if seconds:
        clock.now = seconds - 0.01
        with pytest.raises(QuotaError), limiter.slot(stop):
            pass
    clock.now = seconds
    with limiter.slot(stop):
        pass


def test_a_limiter_for_no_calls_is_refused() -> None:
    with pytest.raises(BackendSettingError, match="parallel"):
        Limiter(0)


def test_a_limiter_that_is_widened_grows_up_to_the_new_bound_and_is_never_narrowed() -> None:
    limiter = Limiter(2)
    limiter.widen(6)
    limiter.widen(3)
    assert limiter.window == FIRST
    for _ in range(10):
        limiter.succeeded()
    assert limiter.window == 6


def test_widening_does_not_forget_a_refusal() -> None:
    limiter = Limiter(8)
    with limiter.slot(lambda: None) as burst:
        limiter.limited(burst)
    limiter.widen(32)
    limiter.succeeded()
    assert limiter.window == 2  # half of the first four, and a half more
