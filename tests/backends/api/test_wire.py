import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path

import pytest

from benchmarks.faulty import OK, FaultyServer, Plan, chat
from blackbox.backends.api.endpoint import Endpoint
from blackbox.backends.api.wire import MOST_BYTES, Lost, Reply, Wire
from blackbox.backends.base import Usage
from blackbox.backends.errors import EndpointDownError, NoAnswerError
from tests.backends.api.calls import ask, ask_all, transport_to

TEXTS = [f"film number {number}" for number in range(40)]
BODY = b'{"messages": [{"role": "user", "content": "a good film"}]}'


@pytest.mark.parametrize("fault", [OK, "chunked", "gzip"])
@pytest.mark.parametrize("headers", [{}, {"Connection": "close"}])
def test_an_answer_is_whole_however_it_is_packed(fault: str, headers: dict[str, str]) -> None:
    with FaultyServer(Plan.of(then=fault), headers=headers) as server:
        wire = Wire(Endpoint(server.base_url, {}), connections=1)
        for _ in range(3):
            reply = wire.post("/chat/completions", BODY, seconds=5.0)
            assert isinstance(reply, Reply)
            assert (reply.status, reply.body.count(b"finish_reason")) == (200, 1)
            assert reply.headers.get("content-type") == "application/json"
        wire.close()
        assert len(server._sockets) == (3 if headers else 1)


@pytest.mark.parametrize(
    ("fault", "timed_out"), [("trickle", True), ("trickled head", True), ("reset", False), ("reset in the body", False)]
)
def test_an_answer_that_is_not_whole_is_lost_and_was_sent(fault: str, timed_out: bool) -> None:
    with FaultyServer(Plan.of(fault), slow_seconds=0.1) as server:
        wire = Wire(Endpoint(server.base_url, {}), connections=1)
        lost = wire.post("/chat/completions", BODY, seconds=0.3)
        assert isinstance(lost, Lost)
        assert (lost.sent, lost.timed_out, lost.lasting) == (True, timed_out, False)
        assert isinstance(wire.post("/chat/completions", BODY, seconds=5.0), Reply)
        wire.close()


def test_without_a_connection_nothing_was_sent() -> None:
    with FaultyServer() as server:
        server.begin_outage()
        wire = Wire(Endpoint(server.base_url, {}), connections=1)
        lost = wire.post("/chat/completions", BODY, seconds=5.0)
        assert lost == Lost("no connection: Connection refused", sent=False)


def test_an_answer_that_is_too_long_is_none() -> None:
    def answer(body: Mapping[str, object], path: str) -> dict[str, object]:
        return {**chat(body), "padding": "x" * MOST_BYTES}

    with FaultyServer(answer=answer) as server, transport_to(server.base_url, attempts=1) as transport:
        with pytest.raises(NoAnswerError, match=f"more than {MOST_BYTES} bytes"):
            ask(transport)


def test_an_answer_may_have_as_many_bytes_as_its_reader_says() -> None:
    with FaultyServer() as server:
        wire = Wire(Endpoint(server.base_url, {}), connections=1, most_bytes=10)
        assert wire.post("/chat/completions", BODY, seconds=5.0) == Lost("more than 10 bytes came back", sent=True)
        wire.close()


def test_a_proxy_of_the_environment_is_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("NO_PROXY")
    with FaultyServer() as proxy:
        monkeypatch.setenv("HTTP_PROXY", proxy.base_url.removesuffix("/v1"))
        with transport_to("http://model.invalid:8000/v1?key=1") as transport:
            assert ask(transport).text in ("positive", "negative")
        assert proxy.targets == ["http://model.invalid:8000/v1/chat/completions?key=1"]


@pytest.mark.skipif(shutil.which("openssl") is None, reason="makes its certificate with openssl")
def test_a_certificate_counts_only_if_it_is_in_the_bundle(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made = "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 1 -keyout key.pem -out cert.pem"
    names = ["-subj", "/CN=127.0.0.1", "-addext", "subjectAltName=IP:127.0.0.1"]
    subprocess.run([*made.split(), *names], cwd=tmp_path, check=True, capture_output=True)
    with FaultyServer(certificate=(tmp_path / "cert.pem", tmp_path / "key.pem")) as server:
        with transport_to(server.base_url) as transport:
            with pytest.raises(EndpointDownError, match="certificate is not valid"):
                ask(transport)
            assert transport.ledger.spent == Usage()
        monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(tmp_path / "cert.pem"))
        with transport_to(f"{server.base_url}?key=1") as transport:
            assert len(ask_all(transport, TEXTS, threads=4)) == len(TEXTS)
        assert server.counts.answered == len(TEXTS)
        assert set(server.targets) == {"/v1/chat/completions?key=1"}


def test_a_query_of_the_base_url_goes_to_the_endpoint() -> None:
    with FaultyServer() as server, transport_to(f"{server.base_url}?api-version=1") as transport:
        ask(transport)
    assert server.targets == ["/v1/chat/completions?api-version=1"]
