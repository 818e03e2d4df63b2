"""Where calls come in: each is read, handed to the worker, and waited for, or refused."""

import asyncio
import hashlib
import json
from collections.abc import Awaitable, Callable, Sequence
from typing import Any

from blackbox.backends import BackendError
from blackbox.backends.remote.description import Limits
from blackbox.backends.remote.refusals import OTHER_MODEL, Refused, refused
from blackbox.errors import MismatchError
from blackbox.model_server.calls import OtherCall, Reader
from blackbox.model_server.worker import Job, Worker

BUSY = Refused(503, "busy", "as many calls wait as may; ask again")
FAILED = Refused(500, "failed", "the model failed; the server's log says why")

Body = Callable[[], Awaitable[bytes | Refused]]
Gone = Callable[[], Awaitable[object]]


class Desk:
    """See the module.

    Args:
        reader: makes calls of messages.
        worker: does them.
        limits: of a call, and how many there may be.
    """

    def __init__(self, reader: Reader, worker: Worker, limits: Limits) -> None:
        self._reader, self._worker, self._limits = reader, worker, limits
        self._inside = 0

    async def answer(self, path: str, body: Body, gone: Gone) -> bytes | Refused:
        """The answer to a call, or why it is refused; nothing where the client has gone away.

        Args:
            path: what is asked.
            body: reads the message.
            gone: returns when the client goes away.
        """
        if self._inside >= self._limits.calls:
            return BUSY
        self._inside += 1
        try:
            with self._worker.coming():
                content = await body()
                if isinstance(content, Refused):
                    return content
                job = await asyncio.to_thread(self._job, path, content)
            return await self._waited(job, gone) if isinstance(job, Job) else job
        finally:
            self._inside -= 1

    async def tokens(self, words: Sequence[str], gone: Gone) -> dict[str, list[int]] | Refused:
        """The tokens of words. The thread of the model has the tokenizer, too."""
        if not words:
            return {}
        text = json.dumps(words)
        call = OtherCall(lambda backend: json.dumps([backend.encode(word) for word in words]).encode())
        content = await self._waited(self._worker.submit(_key("words", text.encode()), call), gone)
        return content if isinstance(content, Refused) else dict(zip(words, json.loads(content or "[]"), strict=False))

    def _job(self, path: str, content: bytes) -> Job | bytes | Refused:
        """In a thread of its own: other calls are received meanwhile."""
        key = _key(path, content)
        if (known := self._worker.known(key)) is not None:
            return known
        try:
            return self._worker.submit(key, self._reader.read(path, content))
        except MismatchError as error:
            return Refused(409, OTHER_MODEL, str(error))
        except BackendError as error:
            return refused(error) or FAILED

    async def _waited(self, job: Job, gone: Gone) -> bytes | Refused:
        answer = asyncio.wrap_future(job.answer)
        answer.add_done_callback(_seen)
        leaves = asyncio.ensure_future(gone())
        try:
            waited: set[asyncio.Future[Any]] = {answer, leaves}
            await asyncio.wait(waited, return_when=asyncio.FIRST_COMPLETED)
            return answer.result() if answer.done() else b""
        except BackendError as error:
            return refused(error) or FAILED
        except Exception:  # noqa: BLE001 - of the model; the worker has logged it
            return FAILED
        finally:
            leaves.cancel()
            self._worker.leave(job)


def _key(path: str, content: bytes) -> bytes:
    return hashlib.sha256(path.encode() + b"\n" + content).digest()


def _seen(answer: "asyncio.Future[bytes]") -> None:
    """An error that comes when nobody waits any more is no news to the event loop."""
    if not answer.cancelled():
        answer.exception()
