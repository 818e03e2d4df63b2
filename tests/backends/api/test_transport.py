import gc
import logging
import signal
import threading
import time
from collections.abc import Mapping
from typing import Any

import pytest

from benchmarks.faulty import OK, FaultyServer, Plan, chat, upstream
from blackbox.backends.api.answer import Answer
from blackbox.backends.api.ledger import Ledger
from blackbox.backends.api.limits import Limits
from blackbox.backends.api.waiting import Backoff
from blackbox.backends.base import Usage
from blackbox.backends.errors import (
    BackendSettingError,
    EndpointDownError,
    EndpointError,
    KeyRefusedError,
    NoAnswerError,
    QuotaError,
    RefusedError,
    SpentError,
    StoppedError,
)
from tests.backends.api.calls import KEY, FastClock, ask, ask_all, call, reader, transport_to

CHARGED = ("reset", "reset in the body", "truncated", "html", "wrong types", "nan", "no choices")
TEXTS = [f"film number {number}" for number in range(40)]


def test_an_answer_comes_with_its_usage_and_the_ledger_has_it() -> None:
    with FaultyServer() as server, transport_to(server.base_url) as transport:
        answer = ask(transport)
        expected = chat({"messages": [{"content": "a good film"}]})
        assert answer.text == expected["choices"][0]["message"]["content"]
        assert (answer.usage.requests, answer.usage.prompt_tokens, answer.usage.completion_tokens) == (1, 3, 1)
        assert answer.usage.seconds > 0
        assert transport.ledger.spent == answer.usage


def test_a_connection_is_kept() -> None:
    with FaultyServer() as server, transport_to(server.base_url) as transport:
        for text in TEXTS[:10]:
            ask(transport, text)
        assert len(server._sockets) == 1


@pytest.mark.parametrize("fault", ["429", "500", "503 with retry-after", "529", "408", "409"])
def test_a_refusal_of_the_moment_costs_a_request_and_no_tokens_and_is_asked_again(fault: str) -> None:
    with FaultyServer(Plan.of(fault, fault), retry_after=0.01) as server:
        with transport_to(server.base_url) as transport:
            assert ask(transport).text in ("positive", "negative")
            spent = transport.ledger.spent
            assert (spent.requests, spent.prompt_tokens, spent.completion_tokens) == (3, 3, 1)


@pytest.mark.parametrize("fault", CHARGED)
def test_what_may_have_been_paid_for_is_charged_at_the_upper_bound_and_asked_again(fault: str) -> None:
    most = call().most
    with FaultyServer(Plan.of(fault)) as server, transport_to(server.base_url) as transport:
        assert ask(transport).text in ("positive", "negative")
        spent = transport.ledger.spent
        assert (spent.requests, spent.prompt_tokens, spent.completion_tokens) == (2, most.prompt_tokens + 3, 5)


def test_a_missing_usage_is_the_upper_bound() -> None:
    most = call().most
    with FaultyServer(Plan.of("no usage")) as server, transport_to(server.base_url) as transport:
        assert ask(transport).usage.prompt_tokens == most.prompt_tokens
        assert transport.ledger.spent.completion_tokens == most.completion_tokens


@pytest.mark.parametrize("usage", [Usage(1, -5, 1), Usage(1, 2.5, 1), Usage(1, True, 1)])  # type: ignore[arg-type]
def test_a_usage_that_is_none_is_garbage(usage: Usage) -> None:
    with FaultyServer() as server, transport_to(server.base_url, attempts=2) as transport:
        with pytest.raises(NoAnswerError, match="whole numbers of tokens"):
            transport.ask(call(), lambda value, headers: Answer("x", "stop", (), usage))
        assert transport.ledger.spent.prompt_tokens == 2 * call().most.prompt_tokens


def test_a_failure_in_the_body_of_a_200_is_charged_at_the_upper_bound_and_asked_again() -> None:
    """As OpenRouter tells what goes wrong while the model writes; other gateways pass on all errors so."""
    bodies = [{"error": {"code": 502, "message": "Provider returned error"}, "user_id": "me"}, {"error": "overloaded"}]

    def answer(body: Mapping[str, object], path: str) -> dict[str, Any]:
        return bodies.pop(0) if bodies else chat(body)

    with FaultyServer(answer=answer) as server, transport_to(server.base_url) as transport:
        assert ask(transport).text in ("positive", "negative")
        assert (transport.ledger.spent.requests, server.counts.requests) == (3, 3)
        assert transport.ledger.spent.completion_tokens == 2 * call().most.completion_tokens + 1


@pytest.mark.parametrize(
    ("body", "error", "said"),
    [
        ({"error": {"code": 402, "message": "add credits"}}, QuotaError, "add credits"),
        ({"error": {"code": 401, "message": f"no user {KEY}"}}, KeyRefusedError, "refuses the key with 401"),
        ({"error": {"code": 400, "message": "bad", "param": "seed"}}, RefusedError, "refuses the call with 400: bad"),
        ({"object": "error", "code": 404, "message": "no such model"}, RefusedError, "with 404: no such model"),
    ],
)
def test_a_lasting_error_in_the_body_of_a_200_is_told_at_once(
    body: dict[str, Any], error: type[EndpointError], said: str
) -> None:
    with FaultyServer(answer=lambda *_: body) as server, transport_to(server.base_url) as transport:
        with pytest.raises(error, match=said) as told:
            ask(transport)
        assert KEY not in str(told.value)
        assert server.counts.requests == 1


def test_a_limit_that_is_told_in_the_body_of_a_200_is_waited_for_and_is_no_failure() -> None:
    bodies: list[dict[str, Any]] = [{"error": {"code": 429, "message": "slow down"}}] * 6

    def answer(body: Mapping[str, object], path: str) -> dict[str, Any]:
        return bodies.pop(0) if bodies else chat(body)

    with FaultyServer(answer=answer) as server, transport_to(server.base_url, attempts=2) as transport:
        assert ask(transport).text in ("positive", "negative")
        assert (server.counts.requests, transport.ledger.spent.completion_tokens) == (7, 1)


def test_an_empty_error_beside_an_answer_is_none() -> None:
    with FaultyServer(answer=lambda body, _: {**chat(body), "error": None}) as server:
        with transport_to(server.base_url) as transport:
            assert ask(transport).text in ("positive", "negative")


@pytest.mark.parametrize("fault", ["500", "408", "html", "truncated"])
def test_after_the_last_attempt_the_call_has_no_answer_and_others_go_on(fault: str) -> None:
    with FaultyServer(Plan.of(*[fault] * 6)) as server, transport_to(server.base_url) as transport:
        with pytest.raises(NoAnswerError, match="no answer after 6 attempts"):
            ask(transport)
        assert server.counts.requests == 6
        assert ask(transport).text in ("positive", "negative")


@pytest.mark.parametrize(
    ("form", "seconds"), [("429 with retry-after", 1.0), ("429 with retry-after-ms", 0.4), ("429 with a date", 2.0)]
)
def test_a_wait_that_the_endpoint_asks_for_is_waited_in_each_form_and_is_no_failure(form: str, seconds: float) -> None:
    with FaultyServer(Plan.of(*[form] * 8), retry_after=seconds) as server:
        with transport_to(server.base_url, clock=FastClock(20.0)) as transport:
            began = time.monotonic()
            assert ask(transport).text in ("positive", "negative")
            assert server.counts.requests == 9
            assert time.monotonic() - began > 8 * (seconds - 1.0 if "date" in form else seconds) / 20.0


def test_a_wait_holds_all_calls_back() -> None:
    with FaultyServer(Plan.of("429 with retry-after-ms"), retry_after=0.5) as server:
        with transport_to(server.base_url, parallel=4) as transport:
            ask_all(transport, TEXTS[:1], threads=1)
            first, second = server.counts.moments
            assert second - first >= 0.5


def test_waits_that_go_on_for_longer_than_allowed_end() -> None:
    plan = Plan.of(then="429 with retry-after")
    with FaultyServer(plan, retry_after=7.0) as server:
        with transport_to(server.base_url, outage_seconds=60.0, clock=FastClock(200.0)) as transport:
            with pytest.raises(EndpointDownError, match="longer than the 60 s allowed"):
                ask(transport)


def test_a_used_up_quota_stops_all_at_once() -> None:
    with FaultyServer(Plan.of(*[OK] * 4, then="insufficient_quota"), seconds=0.01) as server:
        with transport_to(server.base_url, parallel=4) as transport:
            found = ask_all(transport, TEXTS, threads=8)
            assert sum(isinstance(one, Answer) for one in found) == 4
            assert sum(isinstance(one, QuotaError) for one in found) == len(TEXTS) - 4
            assert server.counts.requests <= 8
            with pytest.raises(QuotaError):
                ask(transport)


def test_anthropics_words_for_a_used_up_account_are_known() -> None:
    with FaultyServer(Plan.of("credit")) as server, transport_to(server.base_url) as transport:
        with pytest.raises(QuotaError, match="credit balance"):
            ask(transport)


@pytest.mark.parametrize(
    ("fault", "parameter"), [("unsupported parameter", "max_tokens"), ("unknown field", "logprobs"), ("redirect", None)]
)
def test_a_refused_call_is_told_at_once_with_the_parameter(fault: str, parameter: str | None) -> None:
    with FaultyServer(Plan.of(fault)) as server, transport_to(server.base_url) as transport:
        with pytest.raises(RefusedError) as refused:
            ask(transport)
        assert refused.value.parameter == parameter
        assert server.counts.requests == 1
        assert transport.ledger.spent.prompt_tokens == 0


def test_a_redirect_does_not_take_the_key_to_another_host() -> None:
    with FaultyServer() as other, FaultyServer(Plan.of("redirect")) as server:
        server.headers["Location"] = other.base_url
        with transport_to(server.base_url) as transport, pytest.raises(RefusedError, match="redirect"):
            ask(transport)
        assert other.counts.requests == 0


def test_an_outage_pauses_all_calls_and_they_go_on_without_a_row_missing() -> None:
    told: list[bool] = []
    with FaultyServer(seconds=0.01) as server:
        with transport_to(server.base_url, parallel=8, on_pause=lambda paused, why: told.append(paused)) as transport:
            timers = [threading.Timer(0.05, server.begin_outage), threading.Timer(1.0, server.end_outage)]
            for timer in timers:
                timer.start()
            found = ask_all(transport, TEXTS * 3, threads=16)
            for timer in timers:
                timer.join()
            assert all(isinstance(one, Answer) for one in found)
            assert told == [True, False]
            assert transport.ledger.spent.requests >= server.counts.requests


def test_an_outage_of_errors_costs_few_requests() -> None:
    told: list[bool] = []
    with FaultyServer(Plan.of(*["500"] * 12)) as server:
        with transport_to(server.base_url, parallel=8, on_pause=lambda paused, why: told.append(paused)) as transport:
            found = ask_all(transport, TEXTS, threads=8)
            assert all(isinstance(one, Answer) for one in found)
            assert told == [True, False]
            assert server.counts.requests == len(TEXTS) + 12


def test_an_outage_that_lasts_longer_than_allowed_ends_all_calls() -> None:
    with FaultyServer() as server, transport_to(server.base_url, outage_seconds=0.5) as transport:
        ask(transport)
        server.begin_outage()
        began = time.monotonic()
        found = ask_all(transport, TEXTS, threads=16)
        assert all(isinstance(one, EndpointDownError) for one in found)
        assert time.monotonic() - began < 5
        assert transport.ledger.spent.requests <= 2


def test_an_outage_that_is_there_from_the_start_is_told_with_its_cause() -> None:
    with FaultyServer() as server:
        server.begin_outage()
        with transport_to(server.base_url, outage_seconds=0.3) as transport:
            with pytest.raises(EndpointDownError, match="Connection refused"):
                ask(transport)
            assert transport.ledger.spent == Usage()


@pytest.mark.parametrize("fault", ["trickle", "trickled head", "slow"])
def test_a_call_ends_in_its_time_however_the_bytes_come(fault: str) -> None:
    with FaultyServer(Plan.of(fault), slow_seconds=5.0 if fault == "slow" else 0.2) as server:
        with transport_to(server.base_url, call_seconds=0.5, attempts=1) as transport:
            began = time.monotonic()
            with pytest.raises(NoAnswerError, match=r"no whole answer in 0\.5 s"):
                ask(transport)
            assert time.monotonic() - began < 1.5
            assert transport.ledger.spent.prompt_tokens == call().most.prompt_tokens


@pytest.mark.parametrize("fault", ["slow", "429 with retry-after", "500"])
def test_the_limit_of_seconds_ends_calls_and_waits(fault: str) -> None:
    with FaultyServer(Plan.of(then=fault), slow_seconds=20.0, retry_after=30.0) as server:
        with transport_to(server.base_url, limits=Limits(seconds=0.4)) as transport:
            began = time.monotonic()
            found = ask_all(transport, TEXTS[:4], threads=4)
            assert {error.limit for error in found if isinstance(error, SpentError)} == {"seconds"}
            assert len(found) == 4
            assert time.monotonic() - began < 3


def test_what_stops_one_call_stops_those_that_wait() -> None:
    with FaultyServer(Plan.of(then="429 with retry-after"), retry_after=60.0) as server:
        with transport_to(server.base_url) as transport:
            found: list[StoppedError] = []

            def wait() -> None:
                with pytest.raises(StoppedError) as stopped:
                    ask(transport)
                found.append(stopped.value)

            waiters = [threading.Thread(target=wait) for _ in range(3)]
            for waiter in waiters:
                waiter.start()
            time.sleep(0.2)
            error = QuotaError("the run is over")
            transport.stop(error)
            for waiter in waiters:
                waiter.join(3)
            assert found == [error] * 3


def test_an_error_of_the_parser_itself_is_charged_and_goes_through() -> None:
    def read(value: object, headers: Mapping[str, str]) -> Answer:
        raise KeyboardInterrupt

    with FaultyServer() as server, transport_to(server.base_url) as transport:
        with pytest.raises(KeyboardInterrupt):
            transport.ask(call(), read)
        assert transport.ledger.spent.prompt_tokens == call().most.prompt_tokens
        assert ask(transport).text in ("positive", "negative")


def test_the_number_of_calls_in_flight_is_bounded_and_found() -> None:
    with FaultyServer(seconds=0.01) as server, transport_to(server.base_url, parallel=12) as transport:
        ask_all(transport, TEXTS * 4, threads=24)
        assert 8 <= server.counts.most_at_once <= 12


@pytest.mark.parametrize("fault", ["bad key", "echo", "html", "500", "reset", "outage", OK])
def test_the_key_is_never_shown(fault: str, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.DEBUG), FaultyServer(Plan.of(then=fault)) as server:
        url = server.base_url.replace("http://", "http://user:secret-password@") + f"?key=query-{KEY}"
        if fault == "outage":
            server.begin_outage()
        with transport_to(url, attempts=2, outage_seconds=0.2) as transport:
            shown = [repr(transport), str(transport), repr(transport._endpoint)]
            try:
                ask(transport)
            except EndpointError as error:
                below: BaseException | None = error
                while below is not None:
                    shown.append(f"{below!r} {below}")
                    below = below.__cause__ or below.__context__
            assert isinstance(fault, str) and "secret" not in " ".join(shown) + caplog.text


def interrupt_after(seconds: float) -> threading.Timer:
    """Ctrl-C in the main thread."""
    main = threading.main_thread().ident or 0
    timer = threading.Timer(seconds, signal.pthread_kill, (main, signal.SIGINT))
    timer.start()
    return timer


@pytest.mark.parametrize("fault", ["429 with retry-after", "slow"])
def test_ctrl_c_ends_a_wait_and_a_call_that_is_then_charged(fault: str) -> None:
    with FaultyServer(Plan.of(then=fault), slow_seconds=20.0, retry_after=60.0) as server:
        with transport_to(server.base_url, call_seconds=30.0) as transport:
            timer, began = interrupt_after(0.3), time.monotonic()
            with pytest.raises(KeyboardInterrupt):
                ask(transport)
            timer.join()
            assert time.monotonic() - began < 5
            assert transport.ledger.spent.prompt_tokens == (call().most.prompt_tokens if fault == "slow" else 0)


def test_a_429_that_tells_only_when_there_is_more_is_waited_for() -> None:
    told = {"x-ratelimit-remaining-requests": "0", "x-ratelimit-reset-requests": "300ms"}
    with FaultyServer(Plan.of("429"), headers=told) as server:
        with transport_to(server.base_url) as transport:
            ask(transport)
            first, second = server.counts.moments
            assert second - first >= 0.3


def test_faults_can_stand_in_front_of_another_endpoint() -> None:
    with FaultyServer() as real, FaultyServer(Plan.of("500"), answer=upstream(real.base_url)) as server:
        with transport_to(server.base_url) as transport:
            assert ask(transport).text in ("positive", "negative")
        assert (real.counts.requests, server.counts.requests) == (1, 2)


@pytest.mark.parametrize("name", ["call_seconds", "outage_seconds", "attempts", "parallel"])
def test_a_setting_that_is_not_positive_is_refused(name: str) -> None:
    with pytest.raises(BackendSettingError, match=name):
        transport_to("http://127.0.0.1:1/v1", **{name: 0})


def test_a_refused_key_is_told_at_once() -> None:
    with FaultyServer(Plan.of("bad key")) as server, transport_to(server.base_url) as transport:
        with pytest.raises(KeyRefusedError):
            ask(transport)
        assert server.counts.requests == 1


def test_a_closed_transport_leaves_no_connection() -> None:
    with FaultyServer() as server:
        with transport_to(server.base_url) as transport:
            ask_all(transport, TEXTS, threads=4)
        gc.collect()  # an unclosed socket warns, and warnings are errors


def test_a_backoff_of_the_callers_own_is_taken() -> None:
    with FaultyServer(Plan.of("500", "500")) as server:
        with transport_to(server.base_url, backoff=Backoff(0.0, 0.0), ledger=Ledger(Limits())) as transport:
            assert transport.ask(call(), reader(call().most)).text in ("positive", "negative")
