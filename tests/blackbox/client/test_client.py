"""The client against a real service."""

import socket
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from blackbox import Client
from blackbox.client import ClientError, RefusedByServiceError, UnreachableError
from tests.blackbox.service.http.running import ROWS, SETTINGS, Running, running


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """One with a token."""
    with running(tmp_path_factory.mktemp("service"), with_token=True) as found:
        yield found


@pytest.fixture
def client(service: Running) -> Iterator[Client]:
    """Of that service, with its token."""
    with Client(service.url, token=service.token, retries=1) as found:
        yield found


@pytest.fixture
def rows(tmp_path: Path) -> Path:
    """A file of rows."""
    path = tmp_path / "rows.jsonl"
    path.write_text(ROWS)
    return path


def test_a_job_is_handed_in_listed_and_ended(client: Client, rows: Path) -> None:
    file = client.files.upload(rows)
    assert client.files.content(file.id) == rows.read_bytes()
    job = client.jobs.create(backend="fake", training_file=file.id, settings=SETTINGS, name="n", metadata={"team": "a"})
    assert (job.status, job.name, job.metadata) == ("queued", "n", {"team": "a"})
    assert [one.id for one in client.jobs.list(metadata={"team": "a"}, status=["queued"]).data] == [job.id]
    assert client.jobs.pause(job.id).status == "paused"
    assert client.jobs.resume(job.id).status == "queued"
    assert client.jobs.cancel(job.id).has_ended
    assert [event.type for event in client.jobs.watch(job.id)][-1] == "cancelled"
    assert client.jobs.wait(job.id).status == "cancelled"
    client.jobs.delete(job.id)
    client.files.delete(file.id)


def test_the_models_of_the_service_are_listed(client: Client) -> None:
    assert [backend["name"] for backend in client.backends()] == ["fake", "hosted"]


def test_a_refusal_says_what_is_wrong_and_where(client: Client, rows: Path) -> None:
    file = client.files.upload(rows)
    with pytest.raises(RefusedByServiceError, match="sigma") as refused:
        client.jobs.create(backend="fake", training_file=file.id, settings={"sigma": -1})
    assert (refused.value.status, refused.value.param) == (422, "settings.sigma")
    assert refused.value.request_id.startswith("req-")


def test_a_wrong_token_stands_in_no_error(service: Running) -> None:
    with Client(service.url, token="bb-s3cret") as client, pytest.raises(RefusedByServiceError) as refused:
        client.jobs.list()
    assert refused.value.status == 401
    assert "s3cret" not in str(refused.value)


def test_the_token_and_the_address_come_from_the_environment(service: Running, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BLACKBOX_URL", service.url)
    monkeypatch.setenv("BLACKBOX_TOKEN", str(service.token))
    with Client() as client:
        assert client.url == service.url
        client.jobs.list()


def test_the_same_key_gives_the_same_job(client: Client, rows: Path) -> None:
    file = client.files.upload(rows).id
    first, second = (
        client.jobs.create(backend="fake", training_file=file, settings=SETTINGS, idempotency_key="k") for _ in range(2)
    )
    assert first.id == second.id


def test_a_service_that_is_not_there_is_unreachable() -> None:
    with Client("http://127.0.0.1:9", retries=0) as client, pytest.raises(UnreachableError, match="cannot be reached"):
        client.jobs.list()


def test_an_address_that_is_none_is_refused() -> None:
    with pytest.raises(ClientError, match="http://"):
        Client("ftp://x")


def answering(*answers: bytes) -> str:
    """The address of a server that gives each connection the next answer."""
    listens = socket.create_server(("127.0.0.1", 0))

    def serve() -> None:
        with listens:
            for answer in answers:
                connection, _ = listens.accept()
                with connection:
                    connection.recv(65536)
                    connection.sendall(answer)

    threading.Thread(target=serve, daemon=True).start()
    return f"http://127.0.0.1:{listens.getsockname()[1]}"


EMPTY = b'{"data": [], "has_more": false, "last_id": null}'
GOOD = b"HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: %d\r\n\r\n%s" % (len(EMPTY), EMPTY)
BUSY = b"HTTP/1.1 503 Busy\r\nconnection: close\r\nretry-after: 0\r\ncontent-length: 0\r\n\r\n"


@pytest.mark.parametrize("first", [BUSY, b""], ids=["busy", "broken"])
def test_a_read_is_tried_again(first: bytes) -> None:
    with Client(answering(first, GOOD), retries=2) as client:
        assert client.jobs.list().data == ()


def test_a_prediction_costs_and_is_not_tried_again() -> None:
    with Client(answering(BUSY, GOOD), retries=2) as client, pytest.raises(RefusedByServiceError) as refused:
        client.jobs.predict("job-1", [{"text": "x"}])
    assert refused.value.status == 503


@pytest.mark.parametrize("body", [b"<html>", b"[]", b'{"data": [{"id": 1}], "has_more": false, "last_id": null}'])
def test_what_is_no_tuning_service_is_told_apart(body: bytes) -> None:
    answer = b"HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: %d\r\n\r\n%s" % (len(body), body)
    with Client(answering(answer), retries=0) as client, pytest.raises(UnreachableError, match="tuning service"):
        client.jobs.list()


def test_a_file_that_is_not_there_is_said_to_be(client: Client) -> None:
    with pytest.raises(ClientError, match="No such file"):
        client.files.upload("none.csv")
