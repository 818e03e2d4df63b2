"""What is refused before any route sees it: over real sockets, since clients do not send such things."""

import json
import socket
import time
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from blackbox.service.http import protocol
from blackbox.service.http.limits import Limits, Rate
from tests.blackbox.service.http.running import FREE, ROWS, Running, running

SMALL = Limits(body=10_000, file=20_000, body_seconds=0.5, rates=FREE.rates)


def raw(service: Running, *parts: bytes, pause: float = 0.0) -> tuple[int, dict[str, object]]:
    """The status and the JSON that the service answers to bytes; 0 where it hangs up without a word."""
    address = urlsplit(service.url)
    with socket.create_connection((address.hostname, address.port), timeout=15) as connection:
        for part in parts:
            connection.sendall(part)
            time.sleep(pause)
        answer = b""
        while more := connection.recv(65536):
            answer += more
            head, _, body = answer.partition(b"\r\n\r\n")
            length = next((int(h[16:]) for h in head.split(b"\r\n") if h.lower().startswith(b"content-length:")), None)
            if length is not None and len(body) >= length:
                break
    head, _, body = answer.partition(b"\r\n\r\n")
    return (int(head.split()[1]), json.loads(body)) if head else (0, {})


def head(method: str, path: str, *lines: str, host: str = "localhost") -> bytes:
    return "\r\n".join([f"{method} {path} HTTP/1.1", f"host: {host}", *lines, "", ""]).encode()


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> object:
    """A service with small limits."""
    with running(tmp_path_factory.mktemp("small"), limits=SMALL) as found:
        yield found


@pytest.mark.parametrize(
    "path",
    [
        "/%2e%2e/etc/passwd",
        "/v1/files/../../x",
        "/v1/files/a%00b",
        "/v1/files/a%0d%0ab",
        "/v1/files/..%5cx",
        "/./healthz",
    ],
)
def test_path_tricks_are_bad_requests(service: Running, path: str) -> None:
    assert raw(service, head("GET", path))[0] == 400


@pytest.mark.parametrize("path", ["/page/%2e%2e%2fapp.py", "/page//etc/passwd", "//healthz", "/v1/files/%252e%252e"])
def test_no_path_reaches_the_disk(service: Running, path: str) -> None:
    assert raw(service, head("GET", path))[0] in {400, 404}


@pytest.mark.parametrize(
    "host", ["evil.example", "127.0.0.1.evil.example", "localhost.evil", "169.254.169.254", "[::2]", "a b"]
)
def test_a_host_that_is_not_this_machine_is_misdirected(service: Running, host: str) -> None:
    assert raw(service, head("GET", "/v1/files", host=host))[0] in {400, 421}


@pytest.mark.parametrize("host", ["localhost", "LOCALHOST:1", "127.0.0.1:99", "[::1]:8000"])
def test_this_machine_has_several_names(service: Running, host: str) -> None:
    assert raw(service, head("GET", "/healthz", host=host))[0] == 200


@pytest.mark.parametrize("line", ["origin: http://evil.example", "origin: null", "sec-fetch-site: cross-site"])
def test_another_sites_page_can_start_and_stop_nothing(service: Running, line: str) -> None:
    job = service.submit()["id"]
    assert raw(service, head("POST", f"/v1/tuning/jobs/{job}/cancel", line, "content-length: 0"))[0] == 403
    assert service.ask("GET", f"/v1/tuning/jobs/{job}").json()["status"] == "queued"


def test_no_other_site_may_read(service: Running) -> None:
    answer = service.ask("OPTIONS", "/v1/files", headers={"origin": "http://evil.example"})
    assert answer.status_code == 405
    assert not [name for name in answer.headers if name.lower().startswith("access-control")]


def test_every_answer_says_how_browsers_shall_treat_it(service: Running) -> None:
    for path in ("/healthz", "/nothing", "/v1/files"):
        answer = service.ask("GET", path)
        assert "frame-ancestors 'none'" in answer.headers["content-security-policy"]
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert "server" not in answer.headers


def test_a_body_that_says_that_it_is_too_large_is_refused_unread(small: Running) -> None:
    status, body = raw(small, head("POST", "/v1/tuning/jobs", "content-length: 99999999999999999999999"))
    assert status in {400, 413}
    status, body = raw(small, head("POST", "/v1/tuning/jobs", "content-length: 10001"))
    assert (status, body["error"]["code"]) == (413, "too_large")  # type: ignore[index]


def test_a_body_without_a_length_is_counted_as_it_comes(small: Running) -> None:
    chunks = [b"%x\r\n%s\r\n" % (1000, b"x" * 1000) for _ in range(12)]
    assert raw(small, head("POST", "/v1/tuning/jobs", "transfer-encoding: chunked"), *chunks)[0] == 413


def test_an_upload_without_a_length_is_counted_as_it_comes(small: Running) -> None:
    form = b'--B\r\ncontent-disposition: form-data; name="file"; filename="a.csv"\r\n\r\n'
    chunks = [b"%x\r\n%s\r\n" % (len(part), part) for part in [form, *[b"y" * 10_000] * 12]]
    lines = ("transfer-encoding: chunked", "content-type: multipart/form-data; boundary=B")
    assert raw(small, head("POST", "/v1/files", *lines), *chunks)[0] == 413


def test_two_lengths_are_no_request(service: Running) -> None:
    lines = ("content-length: 5", "transfer-encoding: chunked")
    assert raw(service, head("POST", "/v1/tuning/jobs", "content-length: 5", "content-length: 6"), b"abcde")[0] == 400
    assert raw(service, head("POST", "/v1/tuning/jobs", *lines), b"0\r\n\r\n")[0] in {400, 422}


@pytest.mark.parametrize("path", ["/v1/tuning/jobs", "/v1/files"])
def test_a_body_that_stops_is_waited_for_no_longer_than_the_limit(small: Running, path: str) -> None:
    lines = ("content-length: 1000", "content-type: multipart/form-data; boundary=B")
    status, body = raw(small, head("POST", path, *lines), b"--B")
    assert (status, body["error"]["code"]) == (408, "request_timeout")  # type: ignore[index]


def test_a_body_that_drips_is_not_waited_for_either(small: Running) -> None:
    began = time.monotonic()
    status, _ = raw(small, head("POST", "/v1/tuning/jobs", "content-length: 1000"), *[b"x"] * 8, pause=0.2)
    assert status == 408
    assert time.monotonic() - began < 10


def test_headers_that_come_too_slowly_lose_the_connection(service: Running, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(protocol, "HEADER_SECONDS", 0.3)
    assert raw(service, b"GET /healthz HTTP/1.1\r\n", b"host: ", pause=0.4) == (0, {})


@pytest.mark.parametrize(
    "lines",
    [["x: " + "y" * 17_000], [f"x-{i}: y" for i in range(100)], ["x: " + "y" * 300_000]],
    ids=["long", "many", "endless"],
)
def test_header_floods_are_refused(service: Running, lines: list[str]) -> None:
    status, body = raw(service, head("GET", "/healthz", *lines))
    assert (status, body["error"]["code"]) == (431, "headers_too_large")  # type: ignore[index]


def test_a_long_address_is_refused(service: Running) -> None:
    assert raw(service, head("GET", "/v1/files?after=" + "x" * 9000))[0] == 414


def test_what_is_no_http_is_a_bad_request(service: Running) -> None:
    assert raw(service, b"\x16\x03\x01\x02\x00\r\n\r\n")[0] == 400


def test_deep_json_is_refused_before_it_is_parsed(service: Running) -> None:
    for body in ("[" * 100_000, '{"a":' * 30 + "1" + "}" * 30):
        answer = service.ask("POST", "/v1/tuning/jobs", data=body, headers={"content-type": "application/json"})
        assert answer.status_code == 400
    brackets = json.dumps({"backend": "[" * 60, "training_file": "f"})
    answer = service.ask("POST", "/v1/tuning/jobs", data=brackets, headers={"content-type": "application/json"})
    assert answer.status_code == 404  # of the file: brackets in a text are no depth


def test_a_compressed_body_is_not_unpacked(service: Running) -> None:
    headers = {"content-type": "application/json", "content-encoding": "gzip"}
    assert service.ask("POST", "/v1/tuning/jobs", data=b"\x1f\x8b", headers=headers).status_code == 415


def test_another_content_type_is_not_guessed_at(service: Running) -> None:
    answer = service.ask("POST", "/v1/tuning/jobs", data="{}", headers={"content-type": "text/plain"})
    assert answer.status_code in {415, 422}


def test_requests_beyond_the_rate_are_asked_to_wait(tmp_path: Path) -> None:
    limits = Limits(rates={**FREE.rates, "read": Rate(0.01, 3)})
    with running(tmp_path, limits=limits, with_token=True) as service:
        answers = [service.ask("GET", "/v1/files") for _ in range(4)]
        assert [answer.status_code for answer in answers] == [200, 200, 200, 429]
        assert int(answers[-1].headers["retry-after"]) > 0
        assert service.ask("GET", "/v1/files", token=service.new_token()).status_code == 200


def test_a_refusal_reaches_a_caller_who_is_still_sending(tmp_path: Path) -> None:
    with running(tmp_path, with_token=True) as service:
        form = {"file": ("rows.jsonl", ROWS * 3000)}
        for _ in range(5):
            assert service.ask("POST", "/v1/files", files=form, token="bb-wrong").status_code == 401


def logged(caplog: pytest.LogCaptureFixture) -> list[str]:
    """What the log has of refusals; it is written when the answer has been sent."""
    until = time.monotonic() + 10
    while True:
        lines = [record.getMessage() for record in caplog.records if record.name == "blackbox.service.access"]
        if lines or time.monotonic() > until:
            return lines
        time.sleep(0.01)


def test_what_is_refused_stands_in_the_log_without_secrets(service: Running, caplog: pytest.LogCaptureFixture) -> None:
    service.ask("GET", "/v1/files/a%0Db", headers={"authorization": "Bearer bb-s3cret"}, params={"q": "private"})
    (line,) = logged(caplog)
    assert line.endswith("127.0.0.1 GET /v1/files/a%0Db 400")
    assert "s3cret" not in caplog.text
    assert "private" not in caplog.text


def test_after_all_of_that_the_service_answers(small: Running) -> None:
    assert small.ask("GET", "/readyz").json() == {"status": "ok"}
    assert small.upload(ROWS)
