"""The body of a request, read within its limits."""

import asyncio
from collections.abc import AsyncIterator, Mapping

from blackbox.backends.remote.container import MEDIA_TYPE
from blackbox.backends.remote.description import Limits
from blackbox.backends.remote.refusals import Refused

MEDIA_TYPES = (MEDIA_TYPE, "application/octet-stream")


async def read_body(headers: Mapping[str, str], chunks: AsyncIterator[bytes], limits: Limits) -> bytes | Refused:
    """The whole body, or why it is refused: as soon as it is clear, whatever the headers say."""
    media = headers.get("content-type", "").partition(";")[0].strip().lower()
    if media not in MEDIA_TYPES:
        return Refused(415, "media_type", f"the content type must be {' or '.join(MEDIA_TYPES)}, got {media[:100]!r}")
    most = limits.body_bytes
    length = headers.get("content-length", "")
    if length.isdecimal() and int(length) > most:
        return _too_large(most)
    try:
        async with asyncio.timeout(limits.body_seconds):
            return await _read(chunks, most)
    except TimeoutError:
        return Refused(408, "slow", f"the body must be here in {limits.body_seconds:g} s")


async def _read(chunks: AsyncIterator[bytes], most: int) -> bytes | Refused:
    body = bytearray()
    async for chunk in chunks:
        if len(body) + len(chunk) > most:
            return _too_large(most)
        body += chunk
    return bytes(body)


def _too_large(most: int) -> Refused:
    return Refused(
        413, "too_large", f"a call may have {most} bytes here; use a smaller slice_size or a higher --max-body"
    )
