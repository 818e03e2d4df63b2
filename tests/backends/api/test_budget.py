"""The budget against the server's own count, with faults of all kinds and many threads."""

import random

import pytest

from benchmarks.faulty import FaultyServer, Plan, chat
from blackbox.backends.api.answer import Answer
from blackbox.backends.api.ledger import Ledger
from blackbox.backends.api.limits import Limits
from blackbox.backends.api.pricing import Price
from blackbox.backends.base import Usage
from blackbox.backends.errors import NoAnswerError, SpentError
from tests.backends.api.calls import ask_all, transport_to

PRICE = Price.per_million(2.0, 8.0, 0.5)
TIGHT = (Limits(requests=20), Limits(prompt_tokens=150), Limits(completion_tokens=25), Limits(usd=400e-6))
LOOSE = Limits(requests=10_000, prompt_tokens=100_000, completion_tokens=100_000, usd=1.0)


def texts_of(seed: int, count: int) -> list[str]:
    rng = random.Random(seed)
    return [f"{number} {'good ' * rng.randrange(8)}film" for number in range(count)]


@pytest.mark.parametrize("seed", range(50))
def test_no_limit_is_ever_passed_by_the_servers_own_count(seed: int) -> None:
    limits = LOOSE if seed % 5 == 4 else TIGHT[seed % 5]
    texts = texts_of(seed, 40)
    ledger = Ledger(limits, PRICE)
    plan = Plan(share=0.1 + 0.5 * random.Random(seed).random(), seed=seed)
    with FaultyServer(plan, slow_seconds=0.02, retry_after=0.01) as server:
        with transport_to(server.base_url, ledger=ledger, parallel=16, call_seconds=0.4) as transport:
            found = ask_all(transport, texts, threads=32)
    counts, spent = server.counts, ledger.spent
    given = Usage(counts.requests, counts.prompt_tokens, counts.completion_tokens)
    for name in ("requests", "prompt_tokens", "completion_tokens"):
        assert getattr(given, name) <= getattr(spent, name) <= (getattr(limits, name) or 10**9), name
    assert PRICE.usd(given) <= spent.usd * (1 + 1e-9)
    assert spent.usd <= (limits.usd or 1e9)
    for text, one in zip(texts, found, strict=True):
        if isinstance(one, Answer):
            assert one.text == chat({"messages": [{"content": text}]})["choices"][0]["message"]["content"]
        else:
            assert isinstance(one, SpentError | NoAnswerError)
    assert any(isinstance(one, SpentError) for one in found) == (limits is not LOOSE)


@pytest.mark.parametrize("seed", range(3))
def test_without_faults_a_budget_of_requests_is_used_up_to_the_last(seed: int) -> None:
    with FaultyServer() as server:
        with transport_to(server.base_url, limits=Limits(requests=23)) as transport:
            found = ask_all(transport, texts_of(seed, 40), threads=32)
            assert sum(isinstance(one, Answer) for one in found) == server.counts.requests == 23
            assert transport.ledger.spent.requests == 23
