"""A run's account within that of a sweep: both are charged or neither, whatever the threads do."""

import random
import threading
from dataclasses import replace

import pytest

from blackbox.backends.api.account import Account
from blackbox.backends.api.ledger import Ledger
from blackbox.backends.api.limits import COUNTED, Limits
from blackbox.backends.api.pricing import Price
from blackbox.backends.base import Usage
from blackbox.backends.errors import BackendSettingError, SpentError
from tests.backends.api.calls import SetClock

CALL = Usage(requests=1, prompt_tokens=100, completion_tokens=10)


def wide(limits: Limits, **options: object) -> Account:
    return Account(limits, whose="the sweep", **options)  # type: ignore[arg-type]


def test_what_a_run_spends_counts_for_both() -> None:
    sweep = wide(Limits())
    one, other = (Ledger(Limits(), within=sweep) for _ in range(2))
    one.reserve(CALL).settle(Usage(1, 80, 3))
    other.reserve(CALL).charge()
    assert (one.spent.prompt_tokens, other.spent.prompt_tokens, sweep.spent.prompt_tokens) == (80, 100, 180)


def test_what_a_run_had_spent_before_is_not_counted_again() -> None:
    sweep = wide(Limits(), spent=Usage(requests=7))
    ledger = Ledger(Limits(), spent=Usage(requests=7), within=sweep)
    ledger.reserve(CALL).charge()
    assert (ledger.spent.requests, sweep.spent.requests) == (8, 8)


@pytest.mark.parametrize(
    ("limits", "name"),
    [
        (Limits(requests=1), "requests"),
        (Limits(prompt_tokens=199), "prompt_tokens"),
        (Limits(completion_tokens=19), "completion_tokens"),
        (Limits(usd=0.00019), "usd"),
    ],
)
def test_a_refusal_of_the_wider_account_names_it_and_charges_neither(limits: Limits, name: str) -> None:
    sweep = wide(limits)
    one, other = (Ledger(Limits(), Price.per_million(1.0, 0.0), within=sweep) for _ in range(2))
    one.reserve(CALL).charge()
    with pytest.raises(SpentError, match="of the sweep would be passed") as refused:
        other.reserve(CALL)
    assert refused.value.limit == f"{name} of the sweep"
    assert sweep.refused is refused.value
    assert (other.spent, sweep.spent) == (Usage(), one.spent)


def test_a_runs_own_refusal_sets_nothing_aside_in_the_wider_account() -> None:
    sweep = wide(Limits(requests=1))
    with pytest.raises(SpentError) as refused:
        Ledger(Limits(prompt_tokens=50), within=sweep).reserve(CALL)
    assert refused.value.limit == "prompt_tokens"
    assert sweep.refused is None
    Ledger(Limits(), within=sweep).reserve(CALL).charge()  # it would wait for ever, were something held


def test_the_seconds_of_the_wider_account_end_a_run() -> None:
    clock = SetClock()
    sweep = wide(Limits(seconds=10.0), elapsed=4.0, clock=clock)
    ledger = Ledger(Limits(seconds=100.0), within=sweep, clock=clock)
    assert ledger.seconds_left == 6.0
    clock.now = 6.0
    with pytest.raises(SpentError, match="the limit of 10 s of the sweep is reached") as refused:
        ledger.reserve(CALL)
    assert refused.value.limit == "seconds of the sweep"
    assert sweep.refused is not None


def test_a_call_of_one_run_waits_for_what_another_has_in_flight() -> None:
    sweep, done = wide(Limits(prompt_tokens=150)), threading.Event()
    held = Ledger(Limits(), within=sweep).reserve(CALL)

    def wait() -> None:
        Ledger(Limits(), within=sweep).reserve(CALL).charge()
        done.set()

    waiter = threading.Thread(target=wait)
    waiter.start()
    assert not done.wait(0.05)
    held.settle(Usage(1, prompt_tokens=20))
    assert done.wait(5)
    waiter.join()
    assert sweep.spent.prompt_tokens == 120


def test_usd_of_the_wider_account_need_a_price() -> None:
    with pytest.raises(BackendSettingError, match="give the USD per million tokens"):
        Ledger(Limits(), within=wide(Limits(usd=1.0)))
    with pytest.raises(BackendSettingError, match="give the USD per million tokens"):
        Ledger(Limits(), Price.per_million(1.0, 1.0), within=wide(Limits(usd=1.0))).at_price(None)


@pytest.mark.parametrize("seed", range(6))
def test_64_threads_of_8_runs_never_pass_a_limit_of_theirs_or_of_the_sweep_and_use_one_up(seed: int) -> None:
    """Seen from outside as well: what is spent and what is in flight, at its bound, never pass the limit together."""
    rng, price = random.Random(seed), Price.per_million(1.0, 3.0)
    tight = COUNTED[seed % 4]
    limits = Limits(**{tight: {"requests": 1_000, "prompt_tokens": 90_000, "usd": 0.1}.get(tight, 9_000)})  # type: ignore[arg-type]
    sweep = wide(limits)
    runs = [Ledger(Limits(requests=rng.choice([40, 300, None])), price, within=sweep) for _ in range(8)]
    outside, most_outside, ended = Outside(tight), [0.0], list[str]()

    def work(ledger: Ledger, seed: int) -> None:
        mine = random.Random(seed)
        try:
            while True:
                most = Usage(1, mine.randrange(50, 150), mine.randrange(1, 20))
                paid = Usage(1, mine.randrange(most.prompt_tokens + 1), 1)
                with ledger.reserve(most) as reservation:
                    most_outside.append(outside.begin(priced(most, price)))
                    how = mine.choice(["settle", "charge", "release"])
                    cost = {"settle": priced(paid, price), "charge": priced(most, price), "release": Usage()}[how]
                    outside.end(priced(most, price), cost)
                    if how == "settle":
                        reservation.settle(paid)
                    elif how == "charge":
                        reservation.charge()
        except SpentError as error:
            ended.append(error.limit)

    threads = [
        threading.Thread(target=work, args=(run, 100 * seed + number), daemon=True)
        for number, run in enumerate(runs * 8)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert len(ended) == 64, "a thread waits for ever"
    limit, spent = getattr(limits, tight), getattr(sweep.spent, tight)
    assert max(most_outside) <= limit + 1e-9
    assert 0.95 * limit < spent <= limit + 1e-12
    assert f"{tight} of the sweep" in ended
    assert all(run.limits.requests is None or run.spent.requests <= run.limits.requests for run in runs)
    assert sum(run.spent.requests for run in runs) == sweep.spent.requests
    assert sum(run.spent.usd for run in runs) == pytest.approx(sweep.spent.usd)


class Outside:
    """Counts by itself what may have been paid for at any moment, never more than there is."""

    def __init__(self, name: str) -> None:
        self._name, self._sum, self._lock = name, 0.0, threading.Lock()

    def begin(self, most: Usage) -> float:
        with self._lock:
            self._sum += getattr(most, self._name)
            return self._sum

    def end(self, most: Usage, cost: Usage) -> None:
        """To be called before the ledger knows, or the next call would come too early for this count."""
        with self._lock:
            self._sum += getattr(cost, self._name) - getattr(most, self._name)


def priced(usage: Usage, price: Price) -> Usage:
    return replace(usage, usd=price.usd(usage))
