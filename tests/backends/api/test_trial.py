import pytest

from blackbox.backends.api.gate import Gate
from blackbox.backends.api.patience import Patience
from blackbox.backends.api.trial import Again, Trial
from blackbox.backends.api.waiting import Backoff
from blackbox.backends.errors import EndpointDownError, NoAnswerError
from tests.backends.api.calls import SetClock, call, reader

PATIENCE = Patience(outage_seconds=60.0, attempts=3, backoff=Backoff(0.5, 8.0, seed=1))


def trial() -> Trial:
    one = call()
    return Trial(one, b"", reader(one.most), lambda: None, lambda usage: None, 1)


def wait(one: Trial, again: Again, gate: Gate) -> float:
    return one.seconds_until_next(again, gate, PATIENCE, endpoint="http://host")


def test_a_failure_is_waited_for_by_chance_or_for_as_long_as_it_asks() -> None:
    one, gate = trial(), Gate(1)
    assert 0 <= wait(one, Again("500"), gate) <= 0.5
    assert wait(one, Again("500", seconds=9.0), gate) == 9.0


def test_after_its_last_attempt_a_call_has_no_answer() -> None:
    one, gate = trial(), Gate(1)
    for _ in range(2):
        wait(one, Again("500"), gate)
    with pytest.raises(NoAnswerError, match="no answer after 3 attempts; the last one: it broke"):
        wait(one, Again("it broke"), gate)


def test_what_fails_in_an_outage_is_no_attempt_of_the_call() -> None:
    one, gate = trial(), Gate(1)
    for number in range(5):
        gate.breaker.failed(number, "500")
    assert gate.breaker.is_open
    assert [wait(one, Again("500"), gate) for _ in range(4)] == [0.0] * 4
    assert one.failures == 0


def test_a_call_that_is_told_to_wait_for_too_long_ends_and_whose_fault_it_is_shows_in_the_others() -> None:
    clock = SetClock()
    gate = Gate(1, clock=clock)
    alone, among_others = trial(), trial()
    for one in (alone, among_others):
        assert wait(one, Again("429", limited=True, seconds=50.0), gate) == 0.0  # the limiter holds it back
    clock.now = 50.0
    with pytest.raises(EndpointDownError, match="longer than the 60 s allowed"):
        wait(alone, Again("429", limited=True, seconds=20.0), gate)
    gate.answered = 40.0
    with pytest.raises(NoAnswerError, match="other calls were answered"):
        wait(among_others, Again("429", limited=True, seconds=20.0), gate)
