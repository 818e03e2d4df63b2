"""Calls a second through the transport of the API backends, against the most that the same endpoint gives.

The endpoint is a process of its own on the loopback that answers each call after 20 ms; 64 calls are in flight. The
other side is the leanest client there is: raw bytes over 64 asyncio connections, nothing checked or parsed. Both in
turn, medians of five. CPU time is this process's own.
"""

import asyncio
import json
import multiprocessing
import threading
import time
from collections.abc import Callable, Mapping
from multiprocessing.connection import Connection
from statistics import median
from typing import Any

from blackbox.backends.api.answer import Answer, Call
from blackbox.backends.api.endpoint import Endpoint
from blackbox.backends.api.ledger import Ledger
from blackbox.backends.api.limits import Limits
from blackbox.backends.api.pricing import Price
from blackbox.backends.api.transport import Transport
from blackbox.backends.base import Usage

IN_FLIGHT, SECONDS = 64, 0.020
PROMPT = "Review: a thoughtful and often funny film about growing up . Sentiment: " * 10
BODY = {"model": "fake", "messages": [{"role": "user", "content": PROMPT}], "max_tokens": 1, "temperature": 0}
ANSWER = {
    "id": "chatcmpl-1",
    "object": "chat.completion",
    "choices": [{"index": 0, "message": {"role": "assistant", "content": "positive"}, "finish_reason": "stop"}],
    "usage": {"prompt_tokens": 150, "completion_tokens": 1, "total_tokens": 151},
}


def run(*, quick: bool) -> dict[str, object]:
    """The figures; `quick` makes a tenth of the calls."""
    calls = 10 if quick else 100
    context = multiprocessing.get_context("spawn")
    ours, theirs = context.Pipe()
    server = context.Process(target=serve, args=(theirs,), daemon=True)
    server.start()
    try:
        port: int = ours.recv()
        sides: dict[str, Callable[[], tuple[float, float]]] = {
            "endpoint": lambda: lean(port, calls),
            "transport": lambda: ours_of(port, calls),
        }
        measured: dict[str, list[tuple[float, float]]] = {name: [] for name in sides}
        for _ in range(5):
            for name, side in sides.items():
                measured[name].append(side())
    finally:
        server.terminate()
        server.join()
    rates = {name: median(rate for rate, _ in each) for name, each in measured.items()}
    figures: dict[str, object] = {
        "in_flight": IN_FLIGHT,
        "seconds_a_call": SECONDS,
        "endpoint_calls_a_second": rates["endpoint"],
        "transport_calls_a_second": rates["transport"],
        "share": rates["transport"] / rates["endpoint"],
        "endpoint_cpu_ms_a_call": median(cpu for _, cpu in measured["endpoint"]),
        "transport_cpu_ms_a_call": median(cpu for _, cpu in measured["transport"]),
    }
    for name, figure in figures.items():
        print(f"{name} {figure:.4g}", flush=True)
    return figures


def ours_of(port: int, calls: int) -> tuple[float, float]:
    """Calls a second and CPU ms a call of the transport, connections open and its window grown; `calls` each thread."""
    most = Usage(requests=1, prompt_tokens=200, completion_tokens=1)
    call = Call("/chat/completions", BODY, most)
    ledger = Ledger(Limits(requests=10**6, prompt_tokens=10**9, usd=1e6), Price.per_million(1.0, 2.0))
    endpoint = Endpoint(f"http://127.0.0.1:{port}/v1", {"Authorization": "Bearer none"})
    transport = Transport(endpoint, ledger=ledger, parallel=IN_FLIGHT)
    ready, begin = threading.Barrier(IN_FLIGHT + 1), threading.Barrier(IN_FLIGHT + 1)

    def work() -> None:
        for _ in range(5):
            transport.ask(call, read)
        ready.wait()
        begin.wait()
        for _ in range(calls):
            transport.ask(call, read)

    threads = [threading.Thread(target=work) for _ in range(IN_FLIGHT)]
    for thread in threads:
        thread.start()
    ready.wait()
    cpu, began = time.process_time(), time.perf_counter()
    begin.wait()
    for thread in threads:
        thread.join()
    figures = rates(began, cpu, calls)
    transport.close()
    return figures


def read(value: Any, headers: Mapping[str, str]) -> Answer:
    """As a dialect reads an answer."""
    choice, usage = value["choices"][0], value["usage"]
    spent = Usage(1, usage["prompt_tokens"], usage["completion_tokens"])
    return Answer(choice["message"]["content"], choice["finish_reason"], (), spent)


def lean(port: int, calls: int) -> tuple[float, float]:
    """Calls a second and CPU ms a call of raw connections, open before the clock starts."""
    body = json.dumps(BODY).encode()
    head = f"POST /v1/chat/completions HTTP/1.1\r\nHost: localhost\r\nContent-Length: {len(body)}\r\n\r\n"
    return asyncio.run(_lean(port, calls, head.encode() + body))


async def _lean(port: int, calls: int, request: bytes) -> tuple[float, float]:
    loop = asyncio.get_running_loop()
    made = [
        await loop.create_connection(lambda: _Client(request, calls, loop.create_future()), "127.0.0.1", port)
        for _ in range(IN_FLIGHT)
    ]
    cpu, began = time.process_time(), time.perf_counter()
    for _, client in made:
        client.send()
    await asyncio.gather(*(client.done for _, client in made))
    figures = rates(began, cpu, calls)
    for transport, _ in made:
        transport.close()
    return figures


def rates(began: float, cpu: float, calls: int) -> tuple[float, float]:
    """Calls a second and CPU ms a call since then."""
    total = IN_FLIGHT * calls
    return total / (time.perf_counter() - began), 1e3 * (time.process_time() - cpu) / total


class _Client(asyncio.Protocol):
    """Sends the next request as soon as an answer is whole; all answers have the same length."""

    def __init__(self, request: bytes, calls: int, done: asyncio.Future[None]) -> None:
        self._request, self._left, self.done = request, calls, done
        self._missing = len(_ANSWER)

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport: Any = transport

    def send(self) -> None:
        self._transport.write(self._request)

    def data_received(self, data: bytes) -> None:
        self._missing -= len(data)
        if self._missing > 0:
            return
        self._missing = len(_ANSWER)
        self._left -= 1
        if self._left:
            self.send()
        else:
            self.done.set_result(None)


def _written() -> bytes:
    body = json.dumps(ANSWER).encode()
    head = f"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
    return head.encode() + body


_ANSWER = _written()


def serve(pipe: Connection) -> None:
    """The endpoint: tells its port, and answers each request after `SECONDS`."""
    asyncio.run(_serve(pipe))


async def _serve(pipe: Connection) -> None:
    server = await asyncio.get_running_loop().create_server(_Endpoint, "127.0.0.1", 0, backlog=2 * IN_FLIGHT)
    pipe.send(server.sockets[0].getsockname()[1])
    await server.serve_forever()


class _Endpoint(asyncio.Protocol):
    """One connection of the endpoint."""

    def __init__(self) -> None:
        self._got = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport: Any = transport

    def data_received(self, data: bytes) -> None:
        self._got += data
        head, end, body = self._got.partition(b"\r\n\r\n")
        if not end:
            return
        place = head.lower().index(b"content-length:") + len(b"content-length:")
        if len(body) >= int(head[place:].split(b"\r\n", 1)[0]):
            self._got = b""
            asyncio.get_running_loop().call_later(SECONDS, self._transport.write, _ANSWER)
