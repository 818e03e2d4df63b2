"""A database that is away for a while, and comes back."""

import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from blackbox.service.errors import DatabaseError
from blackbox.service.jobs import JobStatus
from blackbox.service.operator import default_operator
from blackbox.service.store import open_store
from blackbox.service.worker.patience import patiently
from blackbox.service.worker.stopping import Stopping
from blackbox.service.worker.worker import Worker
from tests.blackbox.service.postgres import Postgres
from tests.blackbox.service.worker.service import outcome, submit, wait_for_end, wait_for_generation

pytestmark = pytest.mark.usefixtures("without_pictures")


@pytest.fixture
def server() -> Iterator[Postgres]:
    """One of this test's own, for it is stopped."""
    with Postgres() as server:
        yield server


def test_a_restart_of_postgresql_ends_no_job_and_changes_no_result(server: Postgres, tmp_path: Path) -> None:
    with open_store(server.new_database()) as store:
        whole, broken = submit(store, evaluations=1000), submit(store, evaluations=1000)
        stopping = Stopping()
        worker = Worker(store, default_operator(), tmp_path / "disk", stopping=stopping)
        assert worker.work()
        thread = threading.Thread(target=worker.run)
        thread.start()
        try:
            wait_for_generation(store, broken, 3)
            server.stop()
            with pytest.raises(DatabaseError):
                store.ping()
            time.sleep(0.5)
            server.start()
            ended = wait_for_end(store, broken)
        finally:
            stopping.ask()
            thread.join()
        assert (ended.status, ended.take_overs) == (JobStatus.SUCCEEDED, 0)
        assert outcome(store, broken) == outcome(store, whole)


def test_a_database_that_stays_away_is_given_up() -> None:
    calls = []

    def call() -> None:
        calls.append(1)
        raise DatabaseError("away")

    with pytest.raises(DatabaseError):
        patiently(call, seconds=0.5)
    assert len(calls) == 2
    with pytest.raises(DatabaseError):
        patiently(call, seconds=1000.0, hurried=lambda: True)
    assert len(calls) == 3
