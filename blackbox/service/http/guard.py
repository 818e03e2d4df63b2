"""What every request passes first: hosts, paths, rates, bodies, times; and what every answer carries."""

import asyncio
import hashlib
import logging
import math
import time
from collections.abc import Iterable
from urllib.parse import urlsplit

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from blackbox.service.http.bodies import Body, check_depth, header, replayed
from blackbox.service.http.errors import (
    BAD_REQUEST,
    FORBIDDEN,
    HEADERS,
    INTERNAL,
    MEDIA,
    MISDIRECTED,
    OVERDUE,
    RATE,
    UNAVAILABLE,
    URI_TOO_LONG,
    RefusalError,
)
from blackbox.service.http.limits import Buckets, Limits, Sort, sort_of
from blackbox.service.http.metrics import Counters
from blackbox.service.http.problems import log_failure, problem_response, request_id

LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})
_NOTED = frozenset({400, 401, 403, 408, 413, 414, 415, 421, 429, 431})  # what nobody does who means well, or seldom
_SAFE = frozenset({"GET", "HEAD", "OPTIONS"})
_log = logging.getLogger("blackbox.service.access")

SECURITY_HEADERS = {
    b"content-security-policy": b"default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; "
    b"connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'; "
    b"require-trusted-types-for 'script'; trusted-types 'none'",  # no script of the page may make HTML of a text
    b"x-content-type-options": b"nosniff",
    b"x-frame-options": b"DENY",
    b"referrer-policy": b"no-referrer",
    b"cross-origin-resource-policy": b"same-origin",
    b"cross-origin-opener-policy": b"same-origin",
    b"permissions-policy": b"camera=(), geolocation=(), microphone=()",
    b"cache-control": b"no-store",
}


class Guard:
    """An ASGI application around another.

    Args:
        hosts: names that a Host header may have; None takes any. A service on loopback takes only `LOOPBACK`: a page
            of another site whose name was bent to 127.0.0.1 (DNS rebinding) is not answered.
    """

    def __init__(
        self, app: ASGIApp, *, limits: Limits, counters: Counters, hosts: frozenset[str] | None = LOOPBACK
    ) -> None:
        self.app, self._limits, self._counters, self._hosts = app, limits, counters, hosts
        self._buckets, self._busy = Buckets(), 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        sort = sort_of(scope)
        answer = _Answer(scope, send, seconds=self._limits.send_seconds if sort == "stream" else None)
        try:
            await self._within_time(scope, receive, answer, sort)
        except RefusalError as refusal:
            await answer.refuse(refusal)
        except Exception as error:  # noqa: BLE001 - the last line of defence: one body for the caller, one line in the log
            log_failure(scope, error)
            await answer.refuse(RefusalError(INTERNAL, INTERNAL.title))
        finally:
            self._counters.answered(sort, answer.status, answer.seconds)
            _write_down(scope, answer.status)

    async def _within_time(self, scope: Scope, receive: Receive, answer: "_Answer", sort: Sort) -> None:
        try:
            async with asyncio.timeout(self._limits.seconds_of(sort)):
                await self._guarded(scope, receive, answer, sort)
        except TimeoutError:
            raise RefusalError(OVERDUE, OVERDUE.title, headers={"connection": "close"}) from None

    async def _guarded(self, scope: Scope, receive: Receive, answer: "_Answer", sort: Sort) -> None:
        self._check_head(scope)
        self._check_address(scope)
        self._check_host(scope)
        self._check_rate(scope, sort)
        if sort == "stream":
            await self.app(scope, receive, answer.send)
            return
        if self._busy >= self._limits.requests:
            raise RefusalError(UNAVAILABLE, "the service is busy; try again", headers={"retry-after": "1"})
        self._busy += 1
        try:
            await self._with_body(scope, receive, answer, sort)
        finally:
            self._busy -= 1

    async def _with_body(self, scope: Scope, receive: Receive, answer: "_Answer", sort: Sort) -> None:
        answer.body = body = Body(scope, receive, most=self._limits.bytes_of(sort), seconds=self._limits.body_seconds)
        if sort == "upload":
            await self.app(scope, body.receive, answer.send)
            return
        content = await body.whole()
        if content is not None:
            check_depth(content, self._limits)
            await self.app(scope, replayed(content, receive), answer.send)

    def _check_head(self, scope: Scope) -> None:
        size = sum(len(name) + len(value) for name, value in scope["headers"])
        if size > self._limits.headers or len(scope["headers"]) > self._limits.header_lines:
            most = f"{self._limits.headers:,} bytes in {self._limits.header_lines} lines"
            raise RefusalError(HEADERS, f"headers may have {most}", headers={"connection": "close"})
        if header(scope, b"content-encoding") not in {None, b"identity"}:
            raise RefusalError(MEDIA, "bodies are taken as they are, not compressed")

    def _check_address(self, scope: Scope) -> None:
        raw = scope.get("raw_path") or b""
        if len(raw) + len(scope["query_string"]) > self._limits.address:
            raise RefusalError(URI_TOO_LONG, f"path and query may have {self._limits.address:,} bytes")
        path = scope["path"]
        if any(part in {".", ".."} for part in path.split("/")) or any(c < " " or c in "\\\x7f" for c in path):
            raise RefusalError(BAD_REQUEST, "the path has parts that no path here has")

    def _check_host(self, scope: Scope) -> None:
        """Also of the Origin: a page of another site may send forms here, and must not start or stop anything."""
        host = (header(scope, b"host") or b"").decode("latin-1")
        if self._hosts is not None and _name(host) not in self._hosts:
            raise RefusalError(MISDIRECTED, f"this service answers to {', '.join(sorted(self._hosts))}")
        if scope["method"] in _SAFE:
            return
        origin = header(scope, b"origin")
        foreign = origin is not None and urlsplit(origin.decode("latin-1")).netloc.lower() != host.lower()
        if foreign or header(scope, b"sec-fetch-site") in {b"cross-site", b"same-site"}:
            raise RefusalError(FORBIDDEN, "requests of other sites' pages are not taken")

    def _check_rate(self, scope: Scope, sort: Sort) -> None:
        address = (scope.get("client") or ("", 0))[0]
        caller = hashlib.sha256(header(scope, b"authorization") or b"").digest()
        if wait := self._buckets.take((sort, address, caller), self._limits.rates[sort]):
            after = str(max(1, math.ceil(wait)))
            raise RefusalError(RATE, f"too many requests; try again in {after} s", headers={"retry-after": after})


class _Answer:
    """An ASGI `send` that adds what every answer carries."""

    def __init__(self, scope: Scope, send: Send, *, seconds: float | None) -> None:
        self._scope, self._send, self._patience = scope, send, seconds
        self._began = time.monotonic()
        self.body: Body | None = None
        self.status, self.seconds = 0, 0.0

    async def send(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.status, self.seconds = message["status"], time.monotonic() - self._began
            message["headers"] = self._completed(message["headers"])
        last = message["type"] == "http.response.body" and not message.get("more_body", False)
        async with asyncio.timeout(self._patience):
            await self._send({**message, "more_body": True} if last and self._is_unread else message)
        if last and self._is_unread and self.body is not None:
            await self.body.drain()
            await self._send({"type": "http.response.body", "body": b"", "more_body": False})

    async def refuse(self, refusal: RefusalError) -> None:
        """Answer with an error, unless an answer has begun; then the connection breaks, and the caller knows."""
        if self.status:
            raise refusal
        response = problem_response(self._scope, refusal)
        if self.body is None and self._scope["method"] not in _SAFE:
            response.headers["connection"] = "close"  # its body was not even looked at
        head = {"type": "http.response.start", "status": response.status_code, "headers": response.raw_headers}
        await self.send(head)
        await self.send({"type": "http.response.body", "body": response.body})

    @property
    def _is_unread(self) -> bool:
        """Whether a part of the request's body is on its way, and nobody waits for it."""
        return self.body is not None and not self.body.complete

    def _completed(self, headers: Iterable[tuple[bytes, bytes]]) -> list[tuple[bytes, bytes]]:
        added = {**SECURITY_HEADERS, b"x-request-id": request_id(self._scope).encode()}
        if self._is_unread:
            added[b"connection"] = b"close"
        given = list(headers)
        names = {name for name, _ in given}
        return [*given, *((name, value) for name, value in added.items() if name not in names)]


def _write_down(scope: Scope, status: int) -> None:
    """What was refused stands in the log, in the percent-coding in which it came; a query may hold task data."""
    level = logging.WARNING if status in _NOTED or status >= 500 else logging.INFO
    path = (scope.get("raw_path") or b"").decode("latin-1")
    address = (scope.get("client") or ("",))[0]
    _log.log(level, "%s %s %s %s %d", request_id(scope), address, scope["method"], path[:200], status)


def _name(host: str) -> str:
    """The name of a Host header, without its port."""
    try:
        return (urlsplit(f"//{host}").hostname or "").lower()
    except ValueError:
        return ""
