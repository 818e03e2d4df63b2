"""HTTP as uvicorn speaks it, with limits on what comes before a request is one: headers too large or too slow."""

import asyncio
import json
from typing import Any

import h11
from uvicorn.protocols.http.h11_impl import H11Protocol

from blackbox.service.http.errors import BAD_REQUEST, HEADERS, Kind

HEADER_BYTES = 32 << 10
HEADER_SECONDS = 10.0


class Protocol(H11Protocol):
    """One connection. A request's head must arrive within `HEADER_SECONDS`, and have at most `HEADER_BYTES`."""

    _deadline: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self._expect_head()

    def data_received(self, data: bytes) -> None:
        if self._deadline is None and self.conn.their_state is h11.IDLE:
            self._expect_head()
        super().data_received(data)
        if self.conn.their_state is not h11.IDLE:
            self._stop_expecting()

    def connection_lost(self, exc: Exception | None) -> None:
        self._stop_expecting()
        super().connection_lost(exc)

    def on_response_complete(self) -> None:
        super().on_response_complete()
        self._stop_expecting()  # from here on the keep-alive timer of uvicorn counts

    def send_400_response(self, msg: str) -> None:
        """What cannot be read as HTTP gets the body of all errors, as far as a connection that is broken lets it."""
        self._stop_expecting()
        too_large = self.conn._receive_buffer and len(self.conn._receive_buffer) > HEADER_BYTES
        self._refuse(HEADERS if too_large else BAD_REQUEST)

    def _expect_head(self) -> None:
        self._stop_expecting()
        self._deadline = self.loop.call_later(HEADER_SECONDS, self._give_up)

    def _stop_expecting(self) -> None:
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None

    def _give_up(self) -> None:
        if not self.transport.is_closing():
            self.transport.close()

    def _refuse(self, kind: Kind) -> None:
        error = {"message": kind.title, "type": kind.type, "param": None, "code": kind.code}
        body: dict[str, Any] = {
            "type": f"urn:blackbox:error:{kind.code}",
            "title": kind.title,
            "status": kind.status,
            "detail": kind.title,
            "instance": "",
            "request_id": "",
            "error": error,
        }
        content = json.dumps(body).encode()
        head = [
            ("content-type", "application/problem+json"),
            ("content-length", str(len(content))),
            ("connection", "close"),
        ]
        try:
            parts = [
                self.conn.send(h11.Response(status_code=kind.status, headers=head)),
                self.conn.send(h11.Data(data=content)),
                self.conn.send(h11.EndOfMessage()),
            ]
        except h11.LocalProtocolError:  # an answer is on its way already
            parts = []
        for part in parts:
            self.transport.write(part or b"")
        self.transport.close()
