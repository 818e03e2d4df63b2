"""HTTP/1.1 as far as the clients of these benchmarks need it: GET on a connection that is kept, and streams."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass, field


@dataclass
class Connection:
    """A connection to the service on this machine, made when it is first needed.

    Attributes:
        opened: how often it was made.
    """

    port: int
    token: str | None = None
    opened: int = 0
    _streams: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = field(default=None, repr=False)

    async def get(self, path: str) -> tuple[int, bytes]:
        """Status and body."""
        reader = await self._ask(path)
        status, headers = await _head(reader)
        body = await reader.readexactly(int(headers["content-length"]))
        if headers.get("connection") == "close":
            self.close()
        return status, body

    async def stream(self, path: str, *, last_event_id: int) -> AsyncIterator[bytes]:
        """The lines of an answer that goes on; it ends with the stream."""
        reader = await self._ask(path, f"Last-Event-ID: {last_event_id}\r\n")
        status, _ = await _head(reader)
        if status != 200:
            raise ConnectionError(f"status {status}")
        rest = b""
        while size := int(await reader.readline(), 16):
            *lines, rest = (rest + await reader.readexactly(size)).split(b"\n")
            await reader.readexactly(2)
            for line in lines:
                yield line

    def close(self) -> None:
        """Let it go."""
        if self._streams is not None:
            self._streams[1].close()
            self._streams = None

    async def _ask(self, path: str, headers: str = "") -> asyncio.StreamReader:
        if self._streams is None:
            self._streams = await asyncio.open_connection("127.0.0.1", self.port)
            self.opened += 1
        reader, writer = self._streams
        token = f"Authorization: Bearer {self.token}\r\n" if self.token else ""
        writer.write(f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1:{self.port}\r\n{token}{headers}\r\n".encode())
        await writer.drain()
        return reader


async def _head(reader: asyncio.StreamReader) -> tuple[int, dict[str, str]]:
    lines = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
    headers = (line.partition(":") for line in lines[1:] if line)
    return int(lines[0].split()[1]), {name.lower(): value.strip() for name, _, value in headers}
