"""Calls to servers that fail in every way; each server is a real one."""

import logging
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from blackbox.backends import (
    BackendSettingError,
    EndpointDownError,
    EndpointError,
    KeyRefusedError,
    QueryError,
    RefusedError,
    StoppedError,
)
from blackbox.backends.api.waiting import Backoff
from blackbox.backends.remote.refusals import Refused, body_of
from blackbox.backends.remote.transport import ATTEMPTS, Transport

Reply = tuple[int, bytes, dict[str, str]] | None
"""Status, body and headers; None breaks the connection."""

OK: Reply = (200, b"answer", {})
QUICK = {"backoff": Backoff(0.001, 0.002), "try_seconds": (0.01, 0.02)}


@contextmanager
def answering(replies: Callable[[int], Reply], *, port: int = 0) -> Iterator[tuple[str, list[str]]]:
    """A server whose n-th reply (from 0) is `replies(n)`, and the paths that were asked."""
    asked: list[str] = []

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def answer(self) -> None:
            self.rfile.read(int(self.headers.get("Content-Length", 0)))
            asked.append(self.path)
            reply = replies(len(asked) - 1)
            if reply is None:
                self.close_connection = True
                self.connection.close()
                return
            status, body, headers = reply
            self.send_response(status)
            for name, value in {**headers, "Content-Length": str(len(body))}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(body)

        def do_GET(self) -> None:
            self.answer()

        def do_POST(self) -> None:
            self.answer()

        def log_message(self, *arguments: object) -> None:
            pass

    class Server(ThreadingHTTPServer):
        daemon_threads = True

        def handle_error(self, *arguments: object) -> None:
            """Connections that are broken on purpose are no news."""

    with Server(("127.0.0.1", port), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}", asked
        finally:
            server.shutdown()
            thread.join()


def problem(status: int, code: str, message: str, **headers: str) -> Reply:
    return status, body_of(Refused(status, code, message), instance="/v1/score"), headers


def test_a_call_is_sent_again_until_it_is_answered() -> None:
    replies = [None, (500, b"", {}), (502, b"<html>", {}), None, OK]
    with answering(lambda number: replies[number]) as (url, asked):
        assert Transport(url, **QUICK).ask("/v1/score", b"call") == b"answer"
        assert asked == ["/v1/score"] * 5


@pytest.mark.parametrize("suffix", ["", "/", "/v1", "/v1/"])
def test_the_url_may_end_as_that_of_other_endpoints(suffix: str) -> None:
    with answering(lambda number: OK) as (url, asked):
        transport = Transport(url + suffix)
        assert transport.first("/v1/model") == b"answer"
        transport.close()
        assert asked == ["/v1/model"]


def test_a_busy_server_is_waited_for_as_long_as_it_says() -> None:
    replies = [problem(503, "busy", "full", **{"Retry-After": "0.2"})] * 7 + [OK]
    with answering(lambda number: replies[number]) as (url, asked):
        began = time.monotonic()
        assert Transport(url, **QUICK).ask("/v1/score", b"call") == b"answer"
        assert time.monotonic() - began > 7 * 0.2
        assert len(asked) == 8


def test_a_server_that_is_busy_for_too_long_is_given_up() -> None:
    with answering(lambda number: problem(503, "busy", "full", **{"Retry-After": "0.05"})) as (url, _):
        with pytest.raises(
            EndpointDownError, match=r"has not answered a call in 0.2 s; the last: it answered 503: full"
        ):
            Transport(url, outage_seconds=0.2, **QUICK).ask("/v1/score", b"call")


def test_a_call_that_the_server_fails_at_ends_the_run_after_a_few_attempts() -> None:
    with answering(lambda number: problem(500, "failed", "the model failed")) as (url, asked):
        with pytest.raises(StoppedError, match="fails at a call: it answered 500: the model failed; its log"):
            Transport(url, **QUICK).ask("/v1/score", b"call")
        assert len(asked) == ATTEMPTS


def test_a_server_that_comes_back_is_waited_for_with_one_line_said(caplog: pytest.LogCaptureFixture) -> None:
    with answering(lambda number: (200, b"answer", {"Connection": "close"})) as (url, _):
        transport = Transport(url, **QUICK)
        transport.ask("/v1/score", b"call")
    port, answers = int(url.rpartition(":")[2]), []
    with caplog.at_level(logging.WARNING):
        thread = threading.Thread(target=lambda: answers.append(transport.ask("/v1/score", b"call")))
        thread.start()
        time.sleep(0.3)
        assert not answers
        with answering(lambda number: OK, port=port):
            thread.join(timeout=20)
    assert answers == [b"answer"]
    lines = [record.getMessage() for record in caplog.records]
    assert len(lines) == 2
    assert lines[0].startswith("calls are paused: 5 calls have failed one after the other, the last one: no connection")
    assert lines[1].startswith("calls go on: the endpoint answers again")


def test_a_server_that_stays_away_is_given_up_by_all_calls_at_once() -> None:
    with answering(lambda number: OK) as (url, _):
        pass
    transport, errors = Transport(url, outage_seconds=0.3, **QUICK), []

    def ask() -> None:
        try:
            transport.ask("/v1/score", b"call")
        except EndpointDownError as error:
            errors.append(str(error))

    threads = [threading.Thread(target=ask) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=20)
    assert len(errors) == 3
    assert len(set(errors)) == 1
    with pytest.raises(EndpointDownError):
        transport.ask("/v1/score", b"another")


def test_whether_there_is_a_server_at_all_is_told_soon() -> None:
    with answering(lambda number: OK) as (url, _):
        pass
    with pytest.raises(
        EndpointError, match=r"cannot be asked: no connection: .*; does `blackbox serve-model` run there\?"
    ):
        Transport(url, **QUICK).first("/v1/model")


def test_what_the_model_raises_there_is_raised_here() -> None:
    with answering(lambda number: problem(422, "query", "row 2 is too long")) as (url, asked):
        with pytest.raises(QueryError, match="^row 2 is too long$"):
            Transport(url, **QUICK).ask("/v1/score", b"call")
        assert len(asked) == 1


def test_another_model_stops_the_run_and_all_its_calls() -> None:
    replies = [problem(409, "other_model", "the model server has model 'b'"), OK]
    with answering(lambda number: replies[number]) as (url, asked):
        transport = Transport(url, **QUICK)
        for _ in range(2):
            with pytest.raises(StoppedError, match="the model server has model 'b'"):
                transport.ask("/v1/score", b"call")
        assert len(asked) == 1


def test_a_token_that_is_refused_at_first_is_a_wrong_one_and_later_a_stop() -> None:
    no = problem(401, "authentication", "the server's token is needed")
    with answering(lambda number: [no, OK, no][number]) as (url, _):
        with pytest.raises(KeyRefusedError, match="refuses the key with 401"):
            Transport(url, key="sesame-4711", **QUICK).first("/v1/model")
        transport = Transport(url, key="sesame-4711", **QUICK)
        transport.first("/v1/model")
        with pytest.raises(StoppedError, match="it took the key before") as stopped:
            transport.ask("/v1/score", b"call")
        assert "sesame" not in f"{stopped.value} {transport!r} {transport}"


@pytest.mark.parametrize("status", [301, 400, 404, 405, 413, 415])
def test_other_refusals_are_final(status: int) -> None:
    with answering(lambda number: (status, b"{}", {})) as (url, asked):
        with pytest.raises(RefusedError, match=str(status)):
            Transport(url, **QUICK).ask("/v1/score", b"call")
        assert len(asked) == 1


def test_a_call_that_takes_longer_than_one_attempt_is_asked_for_again() -> None:
    slow = threading.Event()

    def reply(number: int) -> Reply:
        if number < 2:
            slow.wait(5)
        return OK

    with answering(reply) as (url, asked):
        assert Transport(url, call_seconds=0.1, **QUICK).ask("/v1/score", b"call") == b"answer"
        slow.set()
        assert len(asked) == 3


@pytest.mark.parametrize("wrong", [{"call_seconds": 0}, {"outage_seconds": -1}, {"parallel": 0}])
def test_figures_must_be_positive(wrong: dict[str, float]) -> None:
    with pytest.raises(BackendSettingError, match=f"{next(iter(wrong))} must be above 0"):
        Transport("http://localhost:1", **wrong)  # type: ignore[arg-type]
