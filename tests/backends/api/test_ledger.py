import logging
import math
import threading
import time

import pytest

from blackbox.backends.api.ledger import Ledger
from blackbox.backends.api.limits import Limits
from blackbox.backends.api.pricing import Price
from blackbox.backends.base import Usage
from blackbox.backends.errors import BackendSettingError, QuotaError, SpentError
from tests.backends.api.calls import SetClock

CALL = Usage(requests=1, prompt_tokens=100, completion_tokens=10)


@pytest.mark.parametrize("name", ["requests", "prompt_tokens", "completion_tokens", "usd", "seconds"])
@pytest.mark.parametrize("value", [0, -1, math.nan, math.inf])
def test_a_limit_that_is_no_positive_number_is_refused(name: str, value: float) -> None:
    with pytest.raises(BackendSettingError, match=name):
        Limits(**{name: value})  # type: ignore[arg-type]


def test_a_usd_limit_without_a_price_is_refused_with_the_remedy() -> None:
    with pytest.raises(BackendSettingError, match="give the USD per million tokens"):
        Ledger(Limits(usd=1.0))


@pytest.mark.parametrize(
    ("limits", "name"),
    [
        (Limits(requests=2), "requests"),
        (Limits(prompt_tokens=299), "prompt_tokens"),
        (Limits(completion_tokens=29), "completion_tokens"),
        (Limits(usd=0.000359), "usd"),
    ],
)
def test_the_call_that_could_pass_a_limit_is_refused_by_the_limits_name(limits: Limits, name: str) -> None:
    ledger = Ledger(limits, Price.per_million(1.0, 2.0))
    for _ in range(2):
        ledger.reserve(CALL).charge()
    with pytest.raises(SpentError) as refused:
        ledger.reserve(CALL)
    assert refused.value.limit == name


def test_a_limit_can_be_used_up_to_the_last_token() -> None:
    ledger = Ledger(Limits(requests=3, prompt_tokens=300, completion_tokens=30))
    for _ in range(3):
        ledger.reserve(CALL).charge()
    assert ledger.spent == Usage(requests=3, prompt_tokens=300, completion_tokens=30)


def test_a_smaller_call_may_still_fit() -> None:
    ledger = Ledger(Limits(prompt_tokens=150))
    ledger.reserve(CALL).settle(CALL)
    with pytest.raises(SpentError):
        ledger.reserve(CALL)
    ledger.reserve(Usage(requests=1, prompt_tokens=50)).charge()
    assert ledger.spent.prompt_tokens == 150


def test_what_a_call_did_cost_takes_the_place_of_what_it_might_have() -> None:
    ledger = Ledger(Limits(), Price.per_million(1.0, 2.0, 0.5))
    ledger.reserve(CALL).settle(Usage(1, prompt_tokens=80, completion_tokens=3, cached_tokens=40, seconds=2.0))
    assert ledger.spent == Usage(1, 80, 3, 40, 2.0, pytest.approx(66e-6))
    ledger.reserve(CALL).release()
    assert ledger.spent.requests == 1


def test_a_reservation_ends_once() -> None:
    ledger = Ledger(Limits())
    with ledger.reserve(CALL) as reservation:
        reservation.settle(Usage(1, 5, 1))
        reservation.charge()
        reservation.release()
    assert ledger.spent == Usage(1, 5, 1)
    with ledger.reserve(CALL):
        pass  # never sent
    assert ledger.spent == Usage(1, 5, 1)


def test_more_than_was_set_aside_is_written_down_and_logged(caplog: pytest.LogCaptureFixture) -> None:
    ledger = Ledger(Limits(prompt_tokens=100))
    with caplog.at_level(logging.WARNING):
        ledger.reserve(CALL).settle(Usage(1, prompt_tokens=120, completion_tokens=10))
    assert ledger.spent.prompt_tokens == 120
    assert "120 prompt tokens of 100" in caplog.text
    with pytest.raises(SpentError):
        ledger.reserve(Usage(requests=1))


@pytest.mark.parametrize("outcome", ["settled small", "charged"])
def test_where_only_calls_in_flight_stand_in_the_way_the_next_waits_for_them(outcome: str) -> None:
    ledger = Ledger(Limits(prompt_tokens=150))
    first, found = ledger.reserve(CALL), []

    def second() -> None:
        try:
            ledger.reserve(CALL).charge()
            found.append("fits")
        except SpentError:
            found.append("refused")

    waiter = threading.Thread(target=second)
    waiter.start()
    time.sleep(0.05)
    assert not found
    if outcome == "charged":
        first.charge()
    else:
        first.settle(Usage(1, prompt_tokens=20))
    waiter.join(5)
    assert found == ["refused" if outcome == "charged" else "fits"]


def test_a_check_that_raises_ends_the_wait() -> None:
    ledger = Ledger(Limits(requests=1))

    def check() -> None:
        raise QuotaError("used up")

    with ledger.reserve(CALL), pytest.raises(QuotaError):
        ledger.reserve(CALL, check=check)


def test_sums_of_usd_that_do_not_round_to_nothing_block_nobody() -> None:
    ledger = Ledger(Limits(usd=7 * 0.1), Price(0.1, 0.1, 0.1))
    held = [ledger.reserve(Usage(1, prompt_tokens=tokens)) for tokens in (1, 2, 3)]
    for reservation in held:
        reservation.release()
    ledger.reserve(Usage(1, prompt_tokens=7)).charge()
    assert ledger.spent.usd == 7 * 0.1


def test_time_runs_from_the_first_start_and_ends_all() -> None:
    clock = SetClock()
    ledger = Ledger(Limits(seconds=10.0), elapsed=4.0, clock=clock)
    assert (ledger.elapsed, ledger.seconds_left) == (4.0, 6.0)
    ledger.reserve(CALL).release()
    clock.now = 6.0
    with pytest.raises(SpentError, match="10 s") as refused:
        ledger.reserve(CALL)
    assert refused.value.limit == "seconds"
    assert Ledger(Limits()).seconds_left == math.inf


def test_what_earlier_sessions_spent_counts() -> None:
    ledger = Ledger(Limits(requests=5), spent=Usage(requests=5))
    with pytest.raises(SpentError):
        ledger.reserve(CALL)


def test_threads_together_never_pass_a_limit_and_use_it_up() -> None:
    ledger, passed = Ledger(Limits(requests=500, prompt_tokens=40_000)), []

    def work() -> None:
        try:
            while True:
                reservation = ledger.reserve(CALL)
                held = ledger.spent.prompt_tokens
                reservation.settle(Usage(1, prompt_tokens=80 + held % 20, completion_tokens=1))
        except SpentError as error:
            passed.append(error.limit)

    workers = [threading.Thread(target=work) for _ in range(16)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join(20)
    assert len(passed) == 16
    assert ledger.spent.requests <= 500
    assert 40_000 - 100 < ledger.spent.prompt_tokens <= 40_000


def test_models_of_two_prices_share_one_budget_of_usd() -> None:
    cheap = Ledger(Limits(usd=0.0005), Price.per_million(1.0, 0.0))
    dear = cheap.at_price(Price.per_million(3.0, 0.0))
    spent = dear.reserve(CALL).settle(CALL)
    assert spent.usd == pytest.approx(0.0003)
    held = cheap.reserve(CALL)
    assert cheap.spent == dear.spent == spent
    with pytest.raises(SpentError):
        dear.reserve(CALL)  # does not fit beside what is spent, held or not
    assert held.charge().usd == pytest.approx(0.0001)
    assert cheap.reserve(CALL).charge().usd == pytest.approx(0.0001)
    assert dear.spent.usd == pytest.approx(0.0005)


def test_what_is_set_aside_at_one_price_holds_back_calls_at_the_other() -> None:
    ledger = Ledger(Limits(requests=2))
    other = ledger.at_price(None)
    held, done = ledger.reserve(CALL), threading.Event()
    other.reserve(CALL).charge()

    def wait() -> None:
        other.reserve(CALL).charge()
        done.set()

    waiting = threading.Thread(target=wait)
    waiting.start()
    assert not done.wait(0.05)
    held.release()
    assert done.wait(5)
    waiting.join()


def test_a_second_price_is_needed_where_usd_are_limited() -> None:
    with pytest.raises(BackendSettingError, match="give the USD per million tokens"):
        Ledger(Limits(usd=1.0), Price.per_million(1.0, 1.0)).at_price(None)
