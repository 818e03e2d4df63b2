"""Several transports of one process that go through one gate, on a real HTTP server."""

import threading

import pytest

from benchmarks.faulty import OK, FaultyServer, Plan
from blackbox.backends.api.answer import Answer
from blackbox.backends.api.endpoint import Endpoint
from blackbox.backends.api.gate import Gate, Gates
from blackbox.backends.api.transport import Transport
from blackbox.backends.errors import KeyRefusedError, QuotaError
from tests.backends.api.calls import KEY, ask, ask_all, endpoint_at, impatient, transport_to

TEXTS = [f"film number {number}" for number in range(24)]


def ask_from_all(transports: list[Transport], texts: list[str], *, threads: int) -> list[object]:
    """The texts asked by each transport at once, from so many threads each."""
    found: list[object] = []
    workers = [
        threading.Thread(target=lambda one=one: found.extend(ask_all(one, texts, threads=threads)))  # type: ignore[misc]
        for one in transports
    ]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join(60)
    return found


def test_all_that_share_a_gate_have_no_more_calls_in_flight_than_one_may() -> None:
    with FaultyServer(seconds=0.01) as server:
        gate = Gate(6, patience=impatient())
        transports = [transport_to(server.base_url, gate=gate, parallel=6) for _ in range(4)]
        found = ask_from_all(transports, TEXTS, threads=6)
        assert all(isinstance(one, Answer) for one in found)
        assert 4 <= server.counts.most_at_once <= 6
        for transport in transports:
            transport.close()


def test_a_quota_that_one_has_used_up_stops_the_others_without_a_request() -> None:
    with FaultyServer(Plan.of(then="insufficient_quota")) as server:
        gate = Gate(4)
        with transport_to(server.base_url, gate=gate) as one, transport_to(server.base_url, gate=gate) as other:
            for transport in (one, other):
                with pytest.raises(QuotaError, match="used up"):
                    ask(transport)
        assert server.counts.requests == 1


def test_a_key_that_is_refused_is_not_shown_again() -> None:
    with FaultyServer(Plan.of(then="bad key")) as server:
        gate = Gate(4)
        with transport_to(server.base_url, gate=gate) as one, transport_to(server.base_url, gate=gate) as other:
            for transport in (one, other):
                with pytest.raises(KeyRefusedError, match="refuses the key with 401"):
                    ask(transport)
        assert server.counts.requests == 1


def test_an_outage_is_found_out_by_all_together_and_told_once() -> None:
    told: list[bool] = []
    with FaultyServer(Plan.of(*["500"] * 12)) as server:
        gate = Gate(8, patience=impatient(), on_pause=lambda paused, why: told.append(paused))
        transports = [transport_to(server.base_url, gate=gate, parallel=8) for _ in range(3)]
        found = ask_from_all(transports, TEXTS, threads=4)
        assert all(isinstance(one, Answer) for one in found)
        assert told == [True, False]
        assert server.counts.requests == 3 * len(TEXTS) + 12
        for transport in transports:
            transport.close()


def test_an_address_and_its_key_have_one_gate_and_others_have_others() -> None:
    gates, patience = Gates(), impatient()

    def of(endpoint: Endpoint) -> Gate:
        return gates.of(endpoint, parallel=2, patience=patience)

    gate = of(endpoint_at("http://host/v1"))
    assert of(endpoint_at("http://host/v1/")) is gate
    others = [
        endpoint_at("http://host/v2"),
        endpoint_at("http://other/v1"),
        endpoint_at("http://host/v1?api-version=2"),
        Endpoint("http://host/v1", {"Authorization": "Bearer another"}),
    ]
    assert len({id(of(other)) for other in others} | {id(gate)}) == 5
    assert KEY not in repr(vars(gates))


def test_the_run_that_allows_most_calls_in_flight_counts() -> None:
    gates, patience = Gates(), impatient()
    gate = gates.of(endpoint_at("http://host/v1"), parallel=2, patience=patience)
    for parallel in (9, 3):
        gates.of(endpoint_at("http://host/v1"), parallel=parallel, patience=patience)
    for _ in range(20):
        gate.limiter.succeeded()
    assert gate.limiter.window == 9


def test_gates_that_are_closed_end_all_waits_and_so_do_those_to_come() -> None:
    gates, patience = Gates(), impatient()
    with FaultyServer(Plan.of(OK, then="429 with retry-after"), retry_after=60.0) as server:
        gate = gates.of(endpoint_at(server.base_url), parallel=4, patience=patience)
        with transport_to(server.base_url, gate=gate) as transport:
            ask(transport)
            ended: list[type[BaseException]] = []

            def wait() -> None:
                try:
                    ask(transport)
                except KeyboardInterrupt as error:
                    ended.append(type(error))

            waiters = [threading.Thread(target=wait) for _ in range(3)]
            for waiter in waiters:
                waiter.start()
            gates.close(KeyboardInterrupt())
            for waiter in waiters:
                waiter.join(5)
            assert ended == [KeyboardInterrupt] * 3
    with pytest.raises(KeyboardInterrupt):
        gates.of(endpoint_at("http://other/v1"), parallel=4, patience=patience).check()
