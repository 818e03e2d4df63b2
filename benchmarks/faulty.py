"""An endpoint that fails as real ones do, by a seeded plan, and counts what it truly gave out.

It answers by itself, or stands in front of another endpoint on the same machine.
"""

import gzip
import json
import random
import socket
import ssl
import struct
import threading
import time
import urllib.request
import zlib
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from email.utils import formatdate
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import TracebackType
from typing import Any
from urllib.parse import urlsplit

Body = dict[str, Any]

OK = "ok"
FAULTS = (
    "429",
    "429 with retry-after",
    "429 with retry-after-ms",
    "429 with a date",
    "500",
    "503 with retry-after",
    "529",
    "408",
    "slow",
    "trickle",
    "trickled head",
    "reset",
    "reset in the body",
    "truncated",
    "html",
    "wrong types",
    "nan",
    "no usage",
    "no choices",
)
"""Faults of the moment. Others are lasting ("insufficient_quota", "unsupported parameter", "bad key"), or
none ("chunked", "gzip"); an outage is a time."""


def chat(body: Mapping[str, Any]) -> Body:
    """A chat answer that depends on the text alone: one of two words, tokens counted as four characters each."""
    text = "".join(str(message["content"]) for message in body["messages"])
    word = ("negative", "positive")[zlib.crc32(text.encode()) % 2]
    return {
        "id": "chatcmpl-1",
        "object": "chat.completion",
        "model": body.get("model", "fake"),
        "system_fingerprint": "fp_1",
        "choices": [{"index": 0, "message": {"role": "assistant", "content": word}, "finish_reason": "stop"}],
        "usage": {"prompt_tokens": len(text) // 4 + 1, "completion_tokens": 1, "total_tokens": len(text) // 4 + 2},
    }


def upstream(base_url: str) -> Callable[[Mapping[str, Any], str], Body]:
    """Answers of a real endpoint; a path behind ours is put behind its base URL."""

    def answer(body: Mapping[str, Any], path: str) -> Body:
        request = urllib.request.Request(
            base_url.rstrip("/") + path, json.dumps(body).encode(), {"Content-Type": "application/json"}
        )
        with urllib.request.urlopen(request, timeout=60) as reply:
            value: Body = json.load(reply)
            return value

    return answer


class RefusalError(Exception):
    """What an `answer` raises to refuse a call: the status and the body of the reply."""

    def __init__(self, status: int, body: Body) -> None:
        super().__init__(status)
        self.status, self.body = status, body


class Plan:
    """Which fault each request meets: by chance, each of `faults` equally often, or exactly as listed."""

    def __init__(self, *, share: float = 0.0, faults: tuple[str, ...] = FAULTS, seed: int = 0) -> None:
        self._share, self._faults, self._random = share, faults, random.Random(seed)
        self._listed: list[str] = []

    @classmethod
    def of(cls, *listed: str, then: str = OK) -> "Plan":
        """These faults one after the other, `OK` among them, and `then` for all that come later."""
        plan = cls(share=1.0, faults=(then,))
        plan._listed = list(listed)
        return plan

    def next(self) -> str:
        """The fault of the next request."""
        if self._listed:
            return self._listed.pop(0)
        return self._random.choice(self._faults) if self._random.random() < self._share else OK


@dataclass
class Counts:
    """What passed. Tokens are those that were worked out, whether their answer arrived or not.

    `asked` counts the answers that were sent whole, by the body of their question.
    """

    requests: int = 0
    answered: int = 0
    prompt_tokens: int = 0
    completion_tokens: int = 0
    most_at_once: int = 0
    faults: Counter[str] = field(default_factory=Counter)
    asked: Counter[str] = field(default_factory=Counter)
    moments: list[float] = field(default_factory=list)


class FaultyServer:
    """The server. As a context manager it runs in threads of its own, on a free port of the loopback.

    Args:
        plan: the faults.
        answer: makes the answer of a body and a path, or raises `RefusalError`; `chat` by default.
        seconds: that an answer takes.
        slow_seconds: that the fault "slow" takes, and between two bytes of "trickle".
        retry_after: what the faults with a wait ask for, s.
        headers: that each answer has as well.
        allowed: requests at once; one more is refused with a 429. None: as many as come.
        certificate: and its key, for TLS.
    """

    def __init__(
        self,
        plan: Plan | None = None,
        *,
        answer: Callable[[Mapping[str, Any], str], Body] | None = None,
        seconds: float = 0.0,
        slow_seconds: float = 0.05,
        retry_after: float = 1.0,
        headers: Mapping[str, str] | None = None,
        allowed: int | None = None,
        certificate: tuple[Path, Path] | None = None,
    ) -> None:
        self.plan, self.answer = plan or Plan(), answer or (lambda body, path: chat(body))
        self.seconds, self.slow_seconds, self.retry_after = seconds, slow_seconds, retry_after
        self.headers, self._certificate, self.allowed = dict(headers or {}), certificate, allowed
        self.targets: list[str] = []
        self.heads: list[dict[str, str]] = []
        self.counts, self.lock, self.closing = Counts(), threading.Lock(), threading.Event()
        self.at_once = 0
        self._server: ThreadingHTTPServer | None = None
        self._sockets: set[socket.socket] = set()
        self._start(0)

    @property
    def base_url(self) -> str:
        return f"{'https' if self._certificate else 'http'}://127.0.0.1:{self.port}/v1"

    def begin_outage(self) -> None:
        """Refuse connections, and break those that are open."""
        self._stop()

    def end_outage(self) -> None:
        """Listen again, on the same port."""
        self._start(self.port)

    def __enter__(self) -> "FaultyServer":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.closing.set()
        self._stop()

    def connected(self, sock: socket.socket) -> None:
        with self.lock:
            self._sockets.add(sock)

    def _start(self, port: int) -> None:
        handler = type("Handler", (_Handler,), {"faulty": self})
        self._server = _Server(("127.0.0.1", port), handler)
        self.port = self._server.server_address[1]
        if self._certificate:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(*self._certificate)
            self._server.socket = context.wrap_socket(
                self._server.socket, server_side=True, do_handshake_on_connect=False
            )
        threading.Thread(target=self._server.serve_forever, args=(0.01,), daemon=True).start()

    def _stop(self) -> None:
        if self._server is None:
            return
        self._server.shutdown()
        self._server.server_close()
        self._server = None
        with self.lock:
            for sock in self._sockets:
                with suppress(OSError):  # it is gone already
                    sock.shutdown(socket.SHUT_RDWR)
            self._sockets.clear()


class _Server(ThreadingHTTPServer):
    daemon_threads, block_on_close, request_queue_size = True, False, 128

    def handle_error(self, request: object, client_address: object) -> None:
        """A client that is gone is no news."""


class _Handler(BaseHTTPRequestHandler):
    faulty: FaultyServer
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    timeout = 30

    def setup(self) -> None:
        super().setup()
        self.faulty.connected(self.connection)

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        faulty = self.faulty
        with faulty.lock:
            too_many = faulty.allowed is not None and faulty.at_once >= faulty.allowed
            fault = "429" if too_many else faulty.plan.next()
            faulty.targets.append(self.path)
            faulty.heads.append({name.lower(): value for name, value in self.headers.items()})
            faulty.counts.requests += 1
            faulty.counts.faults[fault] += 1
            faulty.counts.moments.append(time.monotonic())
            faulty.at_once += 1
            faulty.counts.most_at_once = max(faulty.counts.most_at_once, faulty.at_once)
        try:
            if not too_many:
                faulty.closing.wait(faulty.seconds)
        finally:
            with faulty.lock:
                faulty.at_once -= 1  # before the answer: who has it may send the next call
        self._answer(fault, body)

    def _answer(self, fault: str, body: Body) -> None:
        if fault in _REFUSALS:
            status, error = _REFUSALS[fault]
            return self._send(status, json.dumps(error).encode(), {**self.faulty.headers, **self._wait(fault)})
        if fault == "reset":
            return _break(self.connection)
        if fault == "redirect":
            return self._send(307, b"", {"Location": self.headers["X-Elsewhere"] or "http://127.0.0.1:1/"})
        try:
            return self._give(fault, body)
        except RefusalError as refused:
            return self._send(refused.status, json.dumps(refused.body).encode(), self.faulty.headers)

    def _wait(self, fault: str) -> dict[str, str]:
        """The header that a fault comes with."""
        seconds = self.faulty.retry_after
        if "date" in fault:
            return {"retry-after": formatdate(time.time() + seconds, usegmt=True)}
        if fault.endswith("-ms"):
            return {"retry-after-ms": f"{1e3 * seconds:.0f}"}
        return {"retry-after": f"{seconds:g}"} if "retry-after" in fault else {}

    def _give(self, fault: str, body: Body) -> None:
        """An answer that is worked out, and what becomes of it on its way."""
        faulty, value = self.faulty, self.faulty.answer(body, urlsplit(self.path).path.removeprefix("/v1"))
        with faulty.lock:
            for name, tokens in _tokens(value):
                setattr(faulty.counts, name, getattr(faulty.counts, name) + tokens)
            if fault in (OK, "slow", "no usage", "chunked", "gzip"):
                faulty.counts.answered += 1
                faulty.counts.asked[json.dumps(body, sort_keys=True)] += 1
        if fault == "slow":
            faulty.closing.wait(faulty.slow_seconds)
        content = _spoiled(fault, json.dumps(value).encode(), value)
        if fault == "chunked":
            self._chunked(content)
        elif fault == "trickle":
            self._trickle(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(content), content)
        elif fault == "trickled head":
            self._trickle(b"", b"HTTP/1.1 200 OK\r\nX-Slow: " + 1000 * b"y")
        elif fault == "reset in the body":
            self.wfile.write(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(content) + content[:20])
            _break(self.connection)
        else:
            packed = {"Content-Encoding": "gzip"} if fault == "gzip" else {}
            self._send(200, gzip.compress(content) if packed else content, {**packed, **faulty.headers})

    def _trickle(self, at_once: bytes, content: bytes) -> None:
        self.wfile.write(at_once)
        for place in range(len(content)):
            self.wfile.write(content[place : place + 1])
            if self.faulty.closing.wait(self.faulty.slow_seconds):
                return

    def _chunked(self, content: bytes) -> None:
        self.send_response(200)
        for name, value in {"Content-Type": "application/json", **self.faulty.headers}.items():
            self.send_header(name, value)
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        for place in range(0, len(content), 50):
            part = content[place : place + 50]
            self.wfile.write(b"%x\r\n%s\r\n" % (len(part), part))
        self.wfile.write(b"0\r\n\r\n")

    def _send(self, status: int, content: bytes, headers: Mapping[str, str]) -> None:
        self.send_response(status)
        for name, value in {"Content-Type": "application/json", **headers}.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, format: str, *arguments: object) -> None:
        """Nothing."""


def _tokens(value: Body) -> Iterator[tuple[str, int]]:
    """What a usage counts, in OpenAI's words or in Anthropic's; nothing where there is none."""
    usage = value.get("usage") or {}
    for count, names in _COUNTS.items():
        yield count, next((usage[name] for name in names if name in usage), 0)


_COUNTS = {
    "prompt_tokens": ("prompt_tokens", "input_tokens"),
    "completion_tokens": ("completion_tokens", "output_tokens"),
}


def _spoiled(fault: str, content: bytes, value: Body) -> bytes:
    """The body of an answer, or what the fault makes of it."""
    changes: dict[str, Body] = {
        "nan": {"logprob": float("nan")},
        "no choices": {"choices": []},
        "wrong types": {"choices": "none", "usage": ["many"]},
    }
    if fault == "html":
        return b"<html><body>Bad gateway</body></html>"
    if fault == "truncated":
        return content[: len(content) // 2]
    if fault == "no usage":
        return json.dumps({name: part for name, part in value.items() if name != "usage"}).encode()
    return json.dumps({**value, **changes[fault]}).encode() if fault in changes else content


def _break(sock: socket.socket) -> None:
    """Close with a reset instead of an orderly end, whoever else holds the socket."""
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    socket.close(sock.detach())


def _error(message: str, **more: str | None) -> Body:
    return {"error": {"message": message, "type": "error", "param": None, "code": None, **more}}


_LIMIT = _error("Rate limit reached", type="requests", code="rate_limit_exceeded")
_REFUSALS: dict[str, tuple[int, Body]] = {
    "429": (429, _LIMIT),
    "429 with retry-after": (429, _LIMIT),
    "429 with retry-after-ms": (429, _LIMIT),
    "429 with a date": (429, _LIMIT),
    "408": (408, _error("timeout")),
    "409": (409, _error("conflict")),
    "500": (500, _error("The server had an error")),
    "503 with retry-after": (503, _error("overloaded")),
    "529": (529, {"type": "error", "error": {"type": "overloaded_error", "message": "Overloaded"}}),
    "insufficient_quota": (429, _error("You exceeded your current quota", code="insufficient_quota")),
    "credit": (
        400,
        {"type": "error", "error": {"type": "invalid_request_error", "message": "Your credit balance is too low"}},
    ),
    "unsupported parameter": (
        400,
        _error("Unsupported parameter: 'max_tokens' is not supported with this model.", param="max_tokens"),
    ),
    "unknown field": (400, _error('json: unknown field "logprobs"')),
    "bad key": (401, _error("Incorrect API key provided: sk-very-secret-1234.", code="invalid_api_key")),
    "echo": (404, _error("No model for Bearer sk-very-secret-1234 here")),
}
