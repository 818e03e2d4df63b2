"""A proxy in front of an endpoint that speaks as OpenAI does: counts calls and tokens by name, refuses at a limit.

A name has a base URL of its own, `http://127.0.0.1:PORT/NAME/v1`. A call is one answer of the model: a request for
`n` answers, or for several prompts, is as many. What would pass the limit is refused as a whole with a 403, which no
client repeats, and never reaches the endpoint. A call counts when it is passed on, whatever becomes of it.
"""

import json
import threading
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

ANSWERED = ("/v1/chat/completions", "/v1/completions")
TIMEOUT = 600.0  # s


@dataclass
class Meter:
    """What passed under a name.

    Attributes:
        limit: of calls; None is none.
        calls: that were passed on.
        refused: requests at the limit.
        failed: requests that the endpoint did not answer with a 200.
        prompt_tokens, completion_tokens: by the endpoint's own count.
    """

    limit: int | None
    calls: int = 0
    refused: int = 0
    failed: int = 0
    prompt_tokens: int = 0
    completion_tokens: int = 0
    _lock: threading.Lock = field(default_factory=threading.Lock, repr=False)

    @property
    def left(self) -> int | None:
        """Calls that are left; None where there is no limit."""
        return None if self.limit is None else self.limit - self.calls

    def admit(self, calls: int) -> bool:
        """Count these calls, or refuse them all."""
        with self._lock:
            if self.limit is not None and self.calls + calls > self.limit:
                self.refused += 1
                return False
            self.calls += calls
            return True

    def settle(self, status: int, content: bytes) -> None:
        """Note what came of a request."""
        usage = _usage(content) if status == 200 else {}
        with self._lock:
            self.failed += status != 200
            self.prompt_tokens += int(usage.get("prompt_tokens") or 0)
            self.completion_tokens += int(usage.get("completion_tokens") or 0)

    def figures(self) -> dict[str, int | None]:
        """All of it."""
        return {name: getattr(self, name) for name in COUNTS}


COUNTS = ("limit", "calls", "refused", "failed", "prompt_tokens", "completion_tokens")


class MeteringProxy:
    """Passes on what its meters admit.

    Args:
        upstream: base URL of the endpoint, ending in /v1.
        port: it listens on.
    """

    def __init__(self, upstream: str, port: int) -> None:
        self.upstream, self.port = upstream.removesuffix("/v1"), port
        self.meters: dict[str, Meter] = {}

    def meter(self, name: str, limit: int | None) -> tuple[str, Meter]:
        """A base URL and what is counted there, from zero."""
        self.meters[name] = Meter(limit)
        return f"http://127.0.0.1:{self.port}/{name}/v1", self.meters[name]

    def forward(self, method: str, path: str, content: bytes | None) -> tuple[int, bytes]:
        """Status and body of the endpoint's reply; 502 where it gives none."""
        request = urllib.request.Request(
            self.upstream + path, content, {"Content-Type": "application/json"}, method=method
        )
        try:
            with urllib.request.urlopen(request, timeout=TIMEOUT) as reply:
                return reply.status, reply.read()
        except urllib.error.HTTPError as error:
            return error.code, error.read()
        except OSError as error:
            return 502, _error("bad_gateway", f"no answer of the endpoint: {type(error).__name__}")


@contextmanager
def metering_proxy(upstream: str) -> Iterator[MeteringProxy]:
    """A proxy on a free port of the loopback, in threads of its own."""
    handler = type("Handler", (_Handler,), {})
    server = _Server(("127.0.0.1", 0), handler)
    handler.proxy = proxy = MeteringProxy(upstream, server.server_address[1])
    thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    try:
        yield proxy
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


class _Server(ThreadingHTTPServer):
    daemon_threads, request_queue_size = True, 128


class _Handler(BaseHTTPRequestHandler):
    proxy: MeteringProxy
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def do_GET(self) -> None:
        meter, path = self._asked()
        if meter is None:
            return self._send(404, _error("not_found", "no meter has this name"))
        if path == "/v1/left":
            return self._send(200, json.dumps({"left": meter.left}).encode())
        return self._send(*self.proxy.forward("GET", path, None))

    def do_POST(self) -> None:
        content = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        meter, path = self._asked()
        if meter is None or path not in ANSWERED:
            return self._send(404, _error("not_found", f"passed on is only POST to {' and '.join(ANSWERED)}"))
        try:
            calls = calls_of(json.loads(content))
        except ValueError as error:
            return self._send(400, _error("invalid_request_error", str(error)))
        if not meter.admit(calls):
            return self._send(403, _error("limit_reached", f"the limit of {meter.limit} calls is reached"))
        status, reply = self.proxy.forward("POST", path, content)
        meter.settle(status, reply)
        return self._send(status, reply)

    def _asked(self) -> tuple[Meter | None, str]:
        name, _, path = self.path.removeprefix("/").partition("/")
        return self.proxy.meters.get(name), f"/{path}"

    def _send(self, status: int, content: bytes) -> None:
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, format: str, *arguments: object) -> None:
        """Nothing."""


def calls_of(body: Any) -> int:
    """Answers of the model that a request asks for.

    Raises:
        ValueError: it is no JSON object, or wants a stream, whose tokens nobody counts.
    """
    if not isinstance(body, Mapping):
        raise ValueError("the body must be a JSON object")
    if body.get("stream"):
        raise ValueError("stream must be false: tokens are counted by the reply's usage")
    prompt = body.get("prompt")
    prompts = len(prompt) if isinstance(prompt, list) and prompt and not isinstance(prompt[0], int) else 1
    return prompts * max(int(body.get("n") or 1), 1)


def _usage(content: bytes) -> Mapping[str, Any]:
    try:
        usage = json.loads(content).get("usage")
    except (ValueError, AttributeError):
        return {}
    return usage if isinstance(usage, Mapping) else {}


def _error(code: str, message: str) -> bytes:
    return json.dumps({"error": {"message": message, "type": code, "param": None, "code": code}}).encode()
