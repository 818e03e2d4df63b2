"""What the server answers to whoever speaks HTTP; a real server, and requests of the plainest kind."""

import http.client
import json
import re
import socket
import threading
import time
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

import numpy as np
import pytest

from blackbox.backends import FakeBackend, Query, RemoteBackend, TextPrompt
from blackbox.backends.remote.container import packed, unpacked
from blackbox.backends.remote.description import Limits
from tests.backends.remote.serving import serving
from tests.blackbox.model_server.gated import GatedBackend

HASH = FakeBackend().model_hash
QUERIES = [{"before": "A great day. It was ", "options": ["bad", "great"], "after": ""}]
CALL = {"version": 1, "model": HASH, "prompts": [{"kind": "text", "text": "Say it."}], "queries": QUERIES}
BINARY = {"Content-Type": "application/x-safetensors"}


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    with serving(FakeBackend(), limits=Limits(body_bytes=50_000, rows=4, prompts=5, prompt_tokens=6)) as url:
        yield url


class Answer:
    """Status, headers and body."""

    def __init__(self, response: http.client.HTTPResponse) -> None:
        self.status, self.headers, self.body = response.status, response.headers, response.read()

    @property
    def code(self) -> str:
        """Of the error that the body is; all errors have the same members."""
        problem = json.loads(self.body)
        assert self.headers["Content-Type"] == "application/problem+json"
        assert problem.keys() == {"type", "title", "status", "detail", "instance", "error"}
        assert problem["error"].keys() == {"message", "type", "param", "code"}
        assert problem["status"] == self.status
        assert problem["detail"] == problem["error"]["message"]
        return str(problem["error"]["code"])

    @property
    def detail(self) -> str:
        return str(json.loads(self.body)["detail"])


def ask(url: str, method: str, path: str, body: Any = None, **headers: str) -> Answer:
    connection = http.client.HTTPConnection(urlsplit(url).netloc, timeout=20)
    try:
        connection.request(method, path, body, {name.replace("_", "-"): value for name, value in headers.items()})
        return Answer(connection.getresponse())
    finally:
        connection.close()


def post(url: str, path: str, values: object, tensors: Any = None, **headers: str) -> Answer:
    return ask(url, "POST", path, packed(values, tensors or {}), **{**BINARY, **headers})  # type: ignore[arg-type]


def test_health_is_told_to_everybody(url: str) -> None:
    assert json.loads(ask(url, "GET", "/healthz").body) == {"status": "ok"}
    with serving(FakeBackend(), token="sesame-4711") as guarded:
        assert ask(guarded, "GET", "/healthz").status == 200


def test_the_model_is_described_with_the_tokens_of_words(url: str) -> None:
    described = json.loads(ask(url, "GET", "/v1/model?word=great&word=b%C3%A4d").body)
    assert described["name"] == described["family"] == "fake"
    assert described["model_hash"] == HASH
    assert described["shape"] == {"n_layers": 4, "hidden_size": 8, "vocabulary_size": 256, "key_value_width": 6}
    assert set(described["capabilities"]) >= {"TEXT", "SOFT", "DEEP", "PREFIX", "LABEL_SCORES"}
    assert described["limits"]["body_bytes"] == 50_000
    assert described["words"] == {"great": list(b"great"), "bäd": list("bäd".encode())}


@pytest.mark.parametrize(
    "media", ["application/x-safetensors", "application/octet-stream", "Application/Octet-Stream; x=1"]
)
def test_scores_are_a_tensor_with_the_very_bits(url: str, media: str) -> None:
    answer = post(url, "/v1/score", CALL, **{"Content-Type": media})
    assert answer.status == 200
    assert answer.headers["Content-Type"] == "application/x-safetensors"
    values, tensors = unpacked(answer.body)
    query = Query("A great day. It was ", ("bad", "great"))
    expected = FakeBackend().score([TextPrompt("Say it.")], [query])
    assert tensors["log_probabilities"].tobytes() == expected.log_probabilities.tobytes()
    assert tensors["counts"].tolist() == [[1, expected.usages[0].prompt_tokens, 0, 0]]
    assert values == {"failures": []}


VECTORS = np.zeros((2, 8), np.float32)
DEEP = {"kind": "deep", "tokens": [1, 2], "vectors": {"0": "0"}}


@pytest.mark.parametrize(
    ("change", "tensors", "status", "code", "said"),
    [
        ({"version": 2}, {}, 400, "message", "version 1 of the protocol, got 2"),
        ({"version": "1"}, {}, 400, "message", "version 1 of the protocol, got '1'"),
        ({"more": 1}, {}, 400, "message", "more: extra inputs are not permitted"),
        ({"queries": [{"before": "a", "options": ["b"], "x": 1}]}, {}, 400, "message", "queries.0.x"),
        ({"queries": [{"before": "a", "options": "bc"}]}, {}, 400, "message", "queries.0.options: .*valid list"),
        ({"prompts": []}, {"0": VECTORS}, 400, "message", "no prompt names tensor '0'"),
        ({"prompts": [DEEP]}, {}, 400, "message", "names tensor '0', which is not in the file"),
        ({"prompts": [DEEP]}, {"0": VECTORS * np.nan}, 400, "message", "finite"),
        ({"prompts": [DEEP]}, {"0": VECTORS.astype(np.float64)}, 400, "message", "must be of F32"),
        ({"prompts": [DEEP]}, {"0": VECTORS[:1]}, 400, "message", "prompt 0: prompt vectors must have shape"),
        ({"prompts": [DEEP]}, {"0": VECTORS[:, :7]}, 422, "unsupported_prompt", "size 7"),
        ({"prompts": [{**DEEP, "vectors": {"4": "0"}}]}, {"0": VECTORS}, 422, "unsupported_prompt", "layer 4"),
        ({"prompts": [{**DEEP, "tokens": [1, 256]}]}, {"0": VECTORS}, 422, "setting", "tokens 0 to 255, got 256"),
        (
            {"prompts": [{**DEEP, "tokens": [1] * 7}]},
            {"0": np.zeros((7, 8), np.float32)},
            *(422, "setting", "6 tokens of a prompt here, got 7"),
        ),
        ({"prompts": CALL["prompts"] * 6}, {}, 422, "setting", "5 prompts here, got 6"),  # type: ignore[operator]
        ({"queries": QUERIES * 5}, {}, 422, "setting", "4 rows here, got 5"),
        ({"queries": [{"before": "a", "options": []}]}, {}, 422, "query", "same number of options"),
        ({"model": "0" * 64}, {}, 409, "other_model", "has model 'fake' with hash"),
    ],
)
def test_a_call_that_is_not_as_it_must_be_is_refused_by_its_place(  # noqa: PLR0917 - one case in a line
    url: str, change: dict[str, object], tensors: dict[str, np.ndarray], status: int, code: str, said: str
) -> None:
    answer = post(url, "/v1/score", {**CALL, **change}, tensors)
    assert (answer.status, answer.code) == (status, code)
    assert re.search(said, answer.detail), answer.detail


@pytest.mark.parametrize(
    ("path", "values"),
    [
        ("/v1/tokens", {"text": "a"}),
        ("/v1/text", {"tokens": [65]}),
        ("/v1/spreads", {"tokens": [65], "queries": QUERIES}),
        ("/v1/states", {"tokens": [65], "queries": QUERIES, "layer": 1}),
        ("/v1/prefix", {"tokens": [65]}),
    ],
)
def test_the_other_addresses_take_their_values_and_nothing_else(url: str, path: str, values: dict[str, object]) -> None:
    whole = {"version": 1, "model": HASH, **values}
    assert post(url, path, whole).status == 200
    assert post(url, path, {**whole, "model": "other"}).code == "other_model"
    assert post(url, path, {**whole, "more": 1}).code == "message"
    assert post(url, path, whole, {"0": VECTORS}).code == "message"
    missing = {key: value for key, value in whole.items() if key not in values}
    assert post(url, path, missing).code == "message"
    assert post(url, path, {**whole, "tokens": [256]}).status in (400, 422)


def test_no_prefix_of_no_token_and_no_spreads_of_no_row(url: str) -> None:
    whole = {"version": 1, "model": HASH, "tokens": []}
    assert post(url, "/v1/prefix", whole).code == "setting"
    assert post(url, "/v1/spreads", {**whole, "queries": []}).code == "query"
    assert post(url, "/v1/states", {**whole, "queries": [], "layer": 0}).code == "query"


def test_no_states_of_a_layer_that_the_model_has_not(url: str) -> None:
    answer = post(url, "/v1/states", {"version": 1, "model": HASH, "tokens": [65], "queries": QUERIES, "layer": 4})
    assert (answer.status, answer.code) == (422, "unsupported_prompt")


def test_more_is_written_than_may_be(url: str) -> None:
    writing = {"max_tokens": 5000, "temperature": 0.0, "seed": 0, "stop": []}
    assert "4096 tokens written here, got 5000" in post(url, "/v1/generate", {**CALL, "writing": writing}).detail
    answer = post(url, "/v1/generate", {**CALL, "writing": {**writing, "max_tokens": 0}})
    assert (answer.status, answer.code) == (400, "message")


def test_other_addresses_methods_and_media_have_the_same_body(url: str) -> None:
    assert (ask(url, "GET", "/v1/nothing").status, ask(url, "GET", "/v1/nothing").code) == (404, "not_found")
    assert (ask(url, "GET", "/v1/score").status, ask(url, "GET", "/v1/score").code) == (405, "method")
    assert (ask(url, "POST", "/v1/model", b"").status, ask(url, "POST", "/v1/model", b"").code) == (405, "method")
    answer = ask(url, "POST", "/v1/score", b"{}", Content_Type="application/json")
    assert (answer.status, answer.code) == (415, "media_type")
    assert ask(url, "POST", "/v1/score", b"{}", **BINARY).code == "message"
    for path in ("/docs", "/openapi.json", "/redoc"):
        assert ask(url, "GET", path).status == 404


def test_a_body_that_is_too_large_is_refused_by_its_length_before_it_is_sent(url: str) -> None:
    with socket.create_connection((urlsplit(url).hostname, urlsplit(url).port), timeout=20) as raw:
        head = "POST /v1/score HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/octet-stream\r\n"
        raw.sendall(f"{head}Content-Length: 50001\r\n\r\n".encode())
        assert b" 413 " in raw.makefile("rb").readline()


def test_a_body_that_is_too_large_is_refused_while_it_streams(url: str) -> None:
    """In chunks, without any length; it ends long before all of it was sent."""
    with socket.create_connection((urlsplit(url).hostname, urlsplit(url).port), timeout=20) as raw:
        head = "POST /v1/score HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/octet-stream\r\n"
        raw.sendall(f"{head}Transfer-Encoding: chunked\r\n\r\n".encode())
        for _ in range(6):
            raw.sendall(b"2710\r\n" + b"x" * 10_000 + b"\r\n")
        assert b" 413 " in raw.makefile("rb").readline()


def test_a_body_that_comes_too_slowly_is_refused() -> None:
    with serving(FakeBackend(), limits=Limits(body_seconds=0.2)) as url:
        with socket.create_connection((urlsplit(url).hostname, urlsplit(url).port), timeout=20) as raw:
            head = "POST /v1/score HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/octet-stream\r\n"
            raw.sendall(f"{head}Content-Length: 100\r\n\r\nfew".encode())
            assert b" 408 " in raw.makefile("rb").readline()


def test_without_the_token_nothing_is_told() -> None:
    with serving(FakeBackend(), token="sesame-4711") as url:
        for headers in ({}, {"Authorization": "Bearer wrong"}, {"Authorization": "sesame-4711"}):
            for method, path in (("GET", "/v1/model"), ("POST", "/v1/score"), ("GET", "/v1/nothing")):
                answer = ask(url, method, path, **headers)
                assert (answer.status, answer.code) == (401, "authentication")
                assert answer.headers["WWW-Authenticate"] == "Bearer"
                assert b"sesame" not in answer.body
                assert b"fake" not in answer.body
        assert ask(url, "GET", "/v1/model", Authorization="Bearer sesame-4711").status == 200
        assert ask(url, "GET", "/v1/model", Authorization="Bearer sesame-4711", Host="models.example").status == 200


def test_without_a_token_a_name_that_points_to_the_loopback_is_refused(url: str) -> None:
    answer = ask(url, "GET", "/v1/model", Host="evil.example:8100")
    assert (answer.status, answer.code) == (421, "host")
    for host in ("localhost", "localhost:1", "127.0.0.1", "127.0.0.1:99", "[::1]:8100", "[::1]"):
        assert ask(url, "GET", "/v1/model", Host=host).status == 200, host


def test_a_page_of_a_browser_is_allowed_nothing(url: str) -> None:
    answer = ask(url, "OPTIONS", "/v1/score", Origin="http://evil.example", Access_Control_Request_Method="POST")
    assert answer.status == 405
    assert not [name for name in answer.headers if name.lower().startswith("access-control")]


def test_more_calls_than_may_wait_are_told_to_come_again_and_do() -> None:
    backend = GatedBackend()
    with serving(backend, limits=Limits(calls=2)) as url:
        remotes = [RemoteBackend(url) for _ in range(4)]
        found: list[object] = []

        def score(number: int) -> None:
            found.append(remotes[number].score([TextPrompt(f"{number}")], [Query("b", ("c", "d"))]))

        threads = [threading.Thread(target=score, args=(number,)) for number in range(4)]
        for thread in threads:
            thread.start()
        assert backend.begun.wait(20)
        deadline = time.monotonic() + 20
        while (answer := post(url, "/v1/score", CALL)).status != 503:
            assert time.monotonic() < deadline
        assert answer.code == "busy"
        assert answer.headers["Retry-After"] == "1"
        backend.gate.set()
        for thread in threads:
            thread.join(timeout=20)
        assert len(found) == 4


def test_a_model_that_fails_is_told_of_without_its_words_and_goes_on(caplog: pytest.LogCaptureFixture) -> None:
    class Failing(FakeBackend):
        def encode(self, text: str) -> tuple[int, ...]:
            if text == "fail":
                raise RuntimeError("secret words")
            return super().encode(text)

    with serving(Failing()) as url:
        answer = post(url, "/v1/tokens", {"version": 1, "model": HASH, "text": "fail"})
        assert (answer.status, answer.code) == (500, "failed")
        assert b"secret" not in answer.body
        assert post(url, "/v1/tokens", {"version": 1, "model": HASH, "text": "a"}).status == 200
    assert "secret words" in caplog.text
