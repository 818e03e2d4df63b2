"""Connections of urllib3 that keep to a moment, keep a secret and send at once."""

import http.client
import io
import socket
import time
from typing import Any

from urllib3.connection import HTTPConnection, HTTPSConnection


class _Timed(io.RawIOBase):
    """A socket's stream that ends at a moment, however slowly bytes come: a socket's own limit is for each alone."""

    def __init__(self, sock: socket.socket, raw: io.RawIOBase, end: float) -> None:
        self._sock, self._raw, self._end = sock, raw, end

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any, /) -> int | None:
        left = self._end - time.monotonic()
        if left <= 0:
            raise socket.timeout("timed out")  # noqa: UP041 - urllib3's TimeoutError hides the name here
        self._sock.settimeout(left)
        read: int | None = self._raw.readinto(buffer)
        return read

    def close(self) -> None:
        self._raw.close()
        super().close()


class _TimedResponse(http.client.HTTPResponse):
    """A response that must be whole within the time that its socket has when it begins."""

    def __init__(self, sock: socket.socket, *arguments: Any, **options: Any) -> None:
        super().__init__(sock, *arguments, **options)
        seconds = sock.gettimeout()
        if seconds is not None:
            raw: Any = self.fp.detach()
            self.fp = io.BufferedReader(_Timed(sock, raw, time.monotonic() + seconds))


class _Ours(http.client.HTTPConnection):
    """What both kinds of connection do in our own way.

    The base URL's query is added where the request is written: urllib3 logs all that it is given, a key there too.
    Head and body, which urllib3 sends apart, leave together: each send is a system call and a packet.
    """

    response_class = _TimedResponse
    query = ""
    _head = b""
    _keeps = False

    def putrequest(self, method: str, url: str, skip_host: bool = False, skip_accept_encoding: bool = False) -> None:
        super().putrequest(method, url + self.query, skip_host, skip_accept_encoding)

    def endheaders(self, *arguments: Any, **options: Any) -> None:
        self._head, self._keeps = b"", True
        super().endheaders(*arguments, **options)
        self._keeps = False

    def send(self, data: Any) -> None:
        if self._keeps:
            self._head += data
        else:
            head, self._head = self._head, b""
            super().send(head + data)

    def getresponse(self) -> Any:
        """A head without a body has not left yet."""
        if self._head:
            self.send(b"")
        return super().getresponse()


class Plain(_Ours, HTTPConnection):
    """Over TCP."""


class Secure(_Ours, HTTPSConnection):
    """Over TLS."""
