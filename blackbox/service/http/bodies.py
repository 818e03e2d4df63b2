"""Request bodies within limits: counted as they arrive, whatever Content-Length says, and never waited for too long."""

import asyncio
import re
from typing import Any

from starlette.types import Message, Receive, Scope

from blackbox.service.http.errors import BAD_REQUEST, TIMEOUT, TOO_LARGE, RefusalError
from blackbox.service.http.limits import Limits

_STRINGS = re.compile(rb'"(?:[^"\\]|\\.)*"?', re.DOTALL)
_BRACKETS = bytes(byte for byte in range(256) if byte not in b"[]{}")


class Body:
    """The body of one request, as an ASGI `receive` that refuses what is too much or too slow.

    Args:
        most: bytes.
        seconds: between two of its parts.
    """

    def __init__(self, scope: Scope, receive: Receive, *, most: int, seconds: float) -> None:
        self._receive, self._most, self._seconds = receive, most, seconds
        self._count = 0
        self.complete = False
        length = header(scope, b"content-length")
        if length is not None and length.isdigit() and int(length[:20]) > most:
            raise self._too_large()

    async def receive(self) -> Message:
        """The next part.

        Raises:
            RefusalError: it is too much (413) or too slow (408).
        """
        if self.complete:
            return await self._receive()
        try:
            async with asyncio.timeout(self._seconds):
                message = await self._receive()
        except TimeoutError:
            raise RefusalError(TIMEOUT, f"the body must not stop for {self._seconds:g} s", headers=_CLOSE) from None
        self._count += len(message.get("body", b""))
        self.complete = not message.get("more_body", False)
        if self._count > self._most:
            raise self._too_large()
        return message

    async def whole(self) -> bytes | None:
        """All of it; None where the caller is gone.

        Raises:
            RefusalError: it is too much (413), or has not arrived in time (408).
        """
        parts: list[bytes] = []
        try:
            async with asyncio.timeout(self._seconds):
                while not self.complete:
                    message = await self.receive()
                    if message["type"] == "http.disconnect":
                        return None
                    parts.append(message.get("body", b""))
        except TimeoutError:
            raise RefusalError(TIMEOUT, f"the body must arrive within {self._seconds:g} s", headers=_CLOSE) from None
        return b"".join(parts)

    async def drain(self, *, seconds: float = 1.0) -> None:
        """Read on for a moment after a refusal: a connection that is closed on unread bytes loses the answer."""
        read = 0
        try:
            async with asyncio.timeout(seconds):
                while not self.complete and read < 4 * self._most:
                    message = await self._receive()
                    read += len(message.get("body", b""))
                    self.complete = not message.get("more_body", False)
        except TimeoutError:
            pass

    def _too_large(self) -> RefusalError:
        return RefusalError(TOO_LARGE, f"the body may have {self._most:,} bytes", headers=_CLOSE)


_CLOSE = {"connection": "close"}


def header(scope: Scope, name: bytes) -> bytes | None:
    """The first header of a name, in small letters; None where there is none."""
    return next((value for key, value in scope["headers"] if key == name), None)


def replayed(content: bytes, receive: Receive) -> Receive:
    """An ASGI `receive` that gives a body that was read already, then what comes."""
    sent = False

    async def replay() -> Message:
        nonlocal sent
        if sent:
            return await receive()
        sent = True
        message: dict[str, Any] = {"type": "http.request", "body": content, "more_body": False}
        return message

    return replay


def check_depth(content: bytes, limits: Limits) -> None:
    """Refuse JSON that is nested deeper than anything asked for here; parsers recurse.

    Raises:
        RefusalError: it is.
    """
    if content.count(b"[") + content.count(b"{") <= limits.depth:
        return
    depth = 0
    for byte in _STRINGS.sub(b"", content).translate(None, _BRACKETS):
        depth += 1 if byte in b"[{" else -1
        if depth > limits.depth:
            raise RefusalError(BAD_REQUEST, f"JSON may be nested {limits.depth} deep here")
