import pytest

from blackbox.backends.api.patience import Again, Patience, Tries
from blackbox.backends.api.waiting import Backoff
from blackbox.backends.errors import EndpointDownError, NoAnswerError

PATIENCE = Patience(outage_seconds=10.0, attempts=3, backoff=Backoff(0.0, 0.0))


class Clock:
    """Shows what it is set to."""

    now = 100.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def tries(clock: Clock) -> Tries:
    return Tries(PATIENCE, "api.example.com", clock=clock)


def test_a_call_has_so_many_failures_of_its_own(tries: Tries) -> None:
    for _ in range(2):
        assert tries.seconds_until_next(Again("it answered 500"), outage=False, answered=0.0) == 0.0
    with pytest.raises(
        NoAnswerError, match="api.example.com: no answer after 3 attempts; the last one: it answered 500"
    ):
        tries.seconds_until_next(Again("it answered 500"), outage=False, answered=0.0)


def test_failures_in_an_outage_are_not_the_calls_own_nor_are_those_before_it(tries: Tries) -> None:
    for outage in (False, False, True, True, True):
        assert tries.seconds_until_next(Again("no connection"), outage=outage, answered=0.0) == 0.0
    tries.begin_anew()
    for _ in range(2):
        tries.seconds_until_next(Again("no connection"), outage=False, answered=0.0)


def test_an_endpoint_that_says_how_long_to_wait_is_waited_for(tries: Tries) -> None:
    assert tries.seconds_until_next(Again("it answered 503", seconds=4.0), outage=False, answered=0.0) == 4.0


def test_being_told_to_wait_is_no_failure_for_as_long_as_an_outage_may_last(tries: Tries, clock: Clock) -> None:
    told = Again("it answered 429", limited=True, seconds=1.0)
    for _ in range(9):
        assert tries.seconds_until_next(told, outage=False, answered=0.0) == 0.0  # all calls wait, this one too
        clock.now += 1.0
    clock.now += 1.0
    with pytest.raises(EndpointDownError, match="tells to wait for longer than the 10 s allowed: it answered 429"):
        tries.seconds_until_next(told, outage=False, answered=0.0)


def test_one_call_that_waits_while_others_are_answered_has_no_answer(tries: Tries, clock: Clock) -> None:
    told = Again("it answered 429", limited=True)
    tries.seconds_until_next(told, outage=False, answered=99.0)
    clock.now += 11.0
    with pytest.raises(NoAnswerError, match="other calls were answered"):
        tries.seconds_until_next(told, outage=False, answered=105.0)


def test_without_a_word_from_the_endpoint_waits_grow_by_chance(clock: Clock) -> None:
    tries = Tries(Patience(backoff=Backoff(1.0, 4.0, seed=1)), "api.example.com", clock=clock)
    waits = [tries.seconds_until_next(Again("429", limited=True), outage=False, answered=0.0) for _ in range(20)]
    assert 0 < max(waits) <= 4.0
    assert waits[0] <= 1.0
