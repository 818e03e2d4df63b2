"""Calls, a parser, transports and askers for the tests: OpenAI's chat form, as small as it goes."""

import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

from blackbox.backends.api.answer import Answer, Call
from blackbox.backends.api.answers import Answers
from blackbox.backends.api.asker import Asker
from blackbox.backends.api.dialect import Dialect
from blackbox.backends.api.endpoint import Endpoint
from blackbox.backends.api.gate import Gate
from blackbox.backends.api.ledger import Ledger
from blackbox.backends.api.limits import Limits
from blackbox.backends.api.openai import OpenAI
from blackbox.backends.api.patience import Patience
from blackbox.backends.api.transport import Transport
from blackbox.backends.api.waiting import Backoff
from blackbox.backends.base import Usage
from blackbox.backends.errors import EndpointError, GarbageError

KEY = "sk-very-secret-1234"


def call(text: str = "a good film", *, slack: int = 3) -> Call:
    """A call whose upper bound is true: some tokens more than the prompt takes, and a few written."""
    most = Usage(requests=1, prompt_tokens=len(text) // 4 + 1 + slack, completion_tokens=4)
    return Call("/chat/completions", {"model": "fake", "messages": [{"role": "user", "content": text}]}, most)


def reader(most: Usage) -> Callable[[object, Mapping[str, str]], Answer]:
    """A strict parser of chat answers."""

    def read(value: Any, headers: Mapping[str, str]) -> Answer:
        try:
            choice = value["choices"][0]
            usage = value.get("usage")
            spent = Usage(1, usage["prompt_tokens"], usage["completion_tokens"]) if usage is not None else most
            return Answer(choice["message"]["content"], choice["finish_reason"], (), spent)
        except (KeyError, IndexError, TypeError, AttributeError) as error:
            raise GarbageError("no chat answer") from error

    return read


def ask(transport: Transport, text: str = "a good film") -> Answer:
    one = call(text)
    return transport.ask(one, reader(one.most))


def transport_to(base_url: str, *, limits: Limits | None = None, **options: Any) -> Transport:
    """A transport with a key and little patience."""
    ledger = options.pop("ledger", None) or Ledger(limits or Limits())
    of_gate = {name: options.pop(name) for name in ("on_pause", "clock") if name in options}
    parallel, gate = options.pop("parallel", 16), options.pop("gate", None)
    patience = impatient(**options)
    gate = gate or Gate(parallel, patience=patience, **of_gate)
    return Transport(endpoint_at(base_url), ledger=ledger, parallel=parallel, patience=patience, gate=gate)


def endpoint_at(base_url: str) -> Endpoint:
    """An endpoint that takes the key as a bearer's."""
    return Endpoint(base_url, {"Authorization": f"Bearer {KEY}"})


def impatient(**options: Any) -> Patience:
    """Little patience."""
    given = {"backoff": Backoff(0.005, 0.02, seed=1), "first_try": 0.05, "longest_try": 0.2, "call_seconds": 5.0}
    return Patience(**{**given, **options})


@contextmanager
def asker_to(
    base_url: str, dialect: Dialect | None = None, *, answers: Answers | None = None, **options: Any
) -> Iterator[Asker]:
    """An asker of the model "some" with a journal in memory, or another."""
    with transport_to(base_url, **options) as transport, answers or Answers(None) as journal:
        yield Asker(dialect or OpenAI("some"), transport, journal)


def ask_all(transport: Transport, texts: Sequence[str], *, threads: int) -> list[Answer | EndpointError]:
    """The answer to each text, or the error, from so many threads."""
    found: dict[int, Answer | EndpointError] = {}
    numbers = iter(range(len(texts)))
    lock = threading.Lock()

    def work() -> None:
        while True:
            with lock:
                number = next(numbers, None)
            if number is None:
                return
            try:
                found[number] = ask(transport, texts[number])
            except EndpointError as error:
                found[number] = error

    workers = [threading.Thread(target=work, daemon=True) for _ in range(threads)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join(60)
    assert not any(worker.is_alive() for worker in workers), "a call hangs"
    return [found[number] for number in range(len(texts))]


class FastClock:
    """A clock on which time flies."""

    def __init__(self, times: float) -> None:
        self._times, self._began = times, time.monotonic()

    def __call__(self) -> float:
        return (time.monotonic() - self._began) * self._times


class SetClock:
    """A clock that stands until it is set."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now
