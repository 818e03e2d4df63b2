"""The benchmarks of the service see what they look for: an event that is lost or doubled, an answer that is late."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import Any

import pytest

from benchmarks.service import pages, readers, watchers
from benchmarks.service.asking import Connection
from benchmarks.service.ends import faults_of_events
from benchmarks.service.readers import Answered, Load, Target

_Event = tuple[int, str, dict[str, Any]]
KINDS = ("created", "validating", "running", "generation", "generation", "succeeded")
WHOLE: list[_Event] = [
    (number, kind, {"generation": number - 3} if kind == "generation" else {})
    for number, kind in enumerate(KINDS, start=1)
]
SEEN = watchers.Seen((1, 2, 3), "a", (0.1,), 1)


def test_the_events_of_a_job_that_ran_once_are_in_order() -> None:
    assert faults_of_events(WHOLE, len(WHOLE)) == []


@pytest.mark.parametrize("missing", range(len(WHOLE)))
def test_an_event_that_is_lost_is_seen(missing: int) -> None:
    assert faults_of_events([event for event in WHOLE if event[0] != missing + 1], len(WHOLE))


@pytest.mark.parametrize("doubled", [0, 3, 5])
def test_an_event_that_was_written_twice_under_another_number_is_seen(doubled: int) -> None:
    _, kind, data = WHOLE[doubled]
    assert faults_of_events([*WHOLE, (len(WHOLE) + 1, kind, data)], len(WHOLE) + 1)


def test_a_watcher_that_lost_an_event_or_saw_another_text_is_counted() -> None:
    figures = watchers.figures([SEEN, replace(SEEN, ids=(1, 3)), replace(SEEN, sha256="b")], events=3)
    assert (figures["watchers"], figures["saw_all_in_order"], figures["different_contents"]) == (3, 2, 2)


def test_percentiles_are_values_that_so_many_do_not_pass() -> None:
    values = list(range(100, 0, -1))
    assert [readers.percentile(values, percent) for percent in (1, 50, 99, 100)] == [1, 50, 99, 100]
    assert readers.percentile([7.0], 99) == 7.0


def test_answers_that_fail_are_errors() -> None:
    answers = [Answered("job", 0.01, 0.0, status) for status in (200, 503, 0)]
    assert (readers.figures(answers)["requests"], readers.figures(answers)["errors"]) == (3, 2)


def test_a_page_that_takes_longer_of_a_longer_list_has_grown() -> None:
    assert pages.growth({100: {"newest": 2.0}, 10_000: {"newest": 5.0}}, ["newest"]) == {"newest": 2.5}


def test_a_service_that_stands_still_is_late_for_all_that_was_due_meanwhile() -> None:
    """One client that waits for an answer must not be asked less: what was due counts from when it was due."""
    asked = 0

    async def answer(writer: asyncio.StreamWriter) -> None:
        nonlocal asked
        asked += 1
        await asyncio.sleep(1.0 if asked == 1 else 0.0)
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}")

    async def load(port: int) -> list[Answered]:
        targets = [Target("job", ["/"])]
        return await readers._read(Load(port, "", targets, clients=1, rate=20.0, seconds=1.0))

    answers = _against(answer, load)
    late = [one for one in answers if one.seconds > 0.3]
    assert len(answers) > 5
    assert len(late) > len(answers) / 2


def test_the_lines_of_a_stream_are_whole_however_its_chunks_are_cut() -> None:
    async def answer(writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
        for chunk in (b"id: 1\nda", b"ta: x\n", b"\n"):
            writer.write(b"%x\r\n%b\r\n" % (len(chunk), chunk))
        writer.write(b"0\r\n\r\n")

    async def lines(port: int) -> list[bytes]:
        connection = Connection(port)
        found = [line async for line in connection.stream("/", last_event_id=0)]
        connection.close()
        return found

    assert _against(answer, lines) == [b"id: 1", b"data: x", b""]


def _against(answer: Callable[[asyncio.StreamWriter], Awaitable[None]], client: Callable[[int], Awaitable[Any]]) -> Any:
    """What a client gets from a server that answers each request so."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while await reader.readuntil(b"\r\n\r\n"):
                await answer(writer)
        except asyncio.IncompleteReadError:
            pass
        finally:
            writer.close()
            await writer.wait_closed()
            gone.set()

    gone = asyncio.Event()

    async def both() -> Any:
        async with await asyncio.start_server(serve, "127.0.0.1", 0) as server:
            found = await client(server.sockets[0].getsockname()[1])
            await gone.wait()
            return found

    return asyncio.run(both())
