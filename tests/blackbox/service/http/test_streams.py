"""Server-sent events: in order, without gaps, from any number on, for watchers that are slow, late or many."""

import socket
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from blackbox.client import Client
from blackbox.service.http.limits import Limits
from tests.blackbox.service.http.running import FREE, Running, running


def numbers(service: Running, job: str, *, after: int | None = None) -> list[int]:
    """The numbers of the events that a stream sends until its end."""
    headers = {} if after is None else {"last-event-id": str(after)}
    with service.ask("GET", f"/v1/tuning/jobs/{job}/events?stream=true", headers=headers, stream=True) as answer:
        assert answer.headers["content-type"].startswith("text/event-stream")
        return [int(line[4:]) for line in answer.iter_lines(decode_unicode=True) if line.startswith("id: ")]


def busy(service: Running, job: str, times: int) -> None:
    """Make events: two for each pause and resume of a queued job; then the last one."""
    for _ in range(times):
        service.store.jobs.pause(job, owner=None)
        service.store.jobs.resume(job, owner=None)
    service.store.jobs.cancel(job, owner=None)


def test_a_stream_has_all_events_and_ends_with_the_job(service: Running) -> None:
    job = service.submit()["id"]
    maker = threading.Thread(target=busy, args=(service, job, 20))
    maker.start()
    assert numbers(service, job) == list(range(1, 43))
    maker.join()


def test_a_stream_of_an_ended_job_begins_behind_the_last_event_id(service: Running) -> None:
    job = service.submit()["id"]
    busy(service, job, 3)
    assert numbers(service, job, after=0) == list(range(1, 9))
    assert numbers(service, job, after=5) == [6, 7, 8]
    assert numbers(service, job, after=8) == []
    assert numbers(service, job, after=99) == []


def test_more_events_than_are_shared_come_in_order_to_a_late_watcher(service: Running) -> None:
    job = service.submit()["id"]
    with service.ask("GET", f"/v1/tuning/jobs/{job}/events?stream=true", stream=True) as early:
        lines = early.iter_lines(decode_unicode=True)
        assert next(line for line in lines if line.startswith("id: ")) == "id: 1"
        busy(service, job, 300)
        assert numbers(service, job) == list(range(1, 603))
        assert [int(line[4:]) for line in lines if line.startswith("id: ")] == list(range(2, 603))


def test_many_watchers_see_the_same(service: Running) -> None:
    job = service.submit()["id"]
    seen: list[list[int]] = []
    watchers = [threading.Thread(target=lambda: seen.append(numbers(service, job))) for _ in range(30)]
    for watcher in watchers:
        watcher.start()
    busy(service, job, 10)
    for watcher in watchers:
        watcher.join(20)
    assert seen == [list(range(1, 23))] * 30


def test_a_watcher_that_hangs_up_is_let_go(service: Running) -> None:
    job = service.submit()["id"]
    with service.ask("GET", f"/v1/tuning/jobs/{job}/events?stream=true", stream=True) as answer:
        lines = answer.iter_lines()  # held: a generator that is let go hangs up
        next(lines)
        assert "blackbox_watchers 1\n" in service.ask("GET", "/metrics").text
    deadline = time.monotonic() + 10
    while "blackbox_watchers 0\n" not in service.ask("GET", "/metrics").text:
        assert time.monotonic() < deadline, "the watcher is still counted"
        time.sleep(0.05)


def test_a_stream_of_a_job_that_is_removed_ends(service: Running) -> None:
    job = service.submit()["id"]
    with service.ask("GET", f"/v1/tuning/jobs/{job}/events?stream=true&after=99", stream=True) as answer:
        lines = answer.iter_lines(decode_unicode=True)
        assert next(lines) == "retry: 2000"
        service.store.jobs.cancel(job, owner=None)
        service.store.jobs.delete(job, owner=None)
        assert not [line for line in lines if line]


def test_accept_asks_for_a_stream_too(service: Running) -> None:
    job = service.submit()["id"]
    busy(service, job, 0)
    answer = service.ask("GET", f"/v1/tuning/jobs/{job}/events", headers={"accept": "text/event-stream"})
    assert answer.text.count("\nevent: ") + answer.text.count("\nid: ") >= 2
    assert answer.text.endswith("event: end\ndata: {}\n\n")


def test_events_have_pages(service: Running) -> None:
    job = service.submit()["id"]
    busy(service, job, 2)
    first = service.ask("GET", f"/v1/tuning/jobs/{job}/events", params={"limit": 4}).json()
    rest = service.ask("GET", f"/v1/tuning/jobs/{job}/events", params={"after": first["last_id"]}).json()
    assert [event["id"] for event in first["data"] + rest["data"]] == list(range(1, 7))
    assert (first["has_more"], rest["has_more"]) == (True, False)


@pytest.mark.parametrize("number", ["x", "-1", "1.5", "²"])
def test_a_last_event_id_that_is_no_number_is_refused(service: Running, number: str) -> None:
    job = service.submit()["id"]
    headers = {"last-event-id": number.encode("utf-8").decode("latin-1")}
    answer = service.ask("GET", f"/v1/tuning/jobs/{job}/events?stream=true", headers=headers)
    assert answer.status_code == 422


@pytest.fixture
def few(tmp_path: Path) -> Iterator[Running]:
    """A service that allows two streams."""
    with running(tmp_path, limits=Limits(watchers=2, rates=FREE.rates)) as found:
        yield found


def test_more_streams_than_allowed_are_refused(few: Running) -> None:
    job = few.submit()["id"]
    path = f"/v1/tuning/jobs/{job}/events?stream=true"
    with few.ask("GET", path, stream=True), few.ask("GET", path, stream=True):
        assert few.ask("GET", path).status_code == 503


def test_the_client_goes_on_where_a_broken_connection_was(service: Running) -> None:
    job = service.submit()["id"]
    relay = Relay(service.url, breaks_after=300)
    threading.Thread(target=busy, args=(service, job, 10)).start()
    with Client(relay.url, timeout=10) as client:
        assert [event.id for event in client.jobs.watch(job)] == list(range(1, 23))
    relay.close()
    assert relay.broken > 1


class Relay:
    """Passes bytes on, and cuts each connection after so many bytes of the answer."""

    def __init__(self, url: str, *, breaks_after: int) -> None:
        address = urlsplit(url)
        self._to, self._most, self.broken = (address.hostname, address.port), breaks_after, 0
        self._listens = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._listens.getsockname()[1]}"
        threading.Thread(target=self._accept, daemon=True).start()

    def close(self) -> None:
        self._listens.close()

    def _accept(self) -> None:
        while True:
            try:
                connection, _ = self._listens.accept()
            except OSError:
                return
            threading.Thread(target=self._pass, args=(connection,), daemon=True).start()

    def _pass(self, connection: socket.socket) -> None:
        with connection, socket.create_connection(self._to) as service:
            service.sendall(connection.recv(65536))
            sent = 0
            while sent < self._most * (self.broken + 2) and (data := service.recv(100)):
                connection.sendall(data)
                sent += len(data)
            self.broken += 1
