"""Jobs whose calls cost money: nothing is paid for twice, wherever the job goes on."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from benchmarks.faulty import FaultyServer
from blackbox.backends.api import Answers
from blackbox.service.jobs import JobStatus
from blackbox.service.operator import Operator, read_operator
from blackbox.service.store import Job, Store, open_store
from blackbox.service.worker.stopping import Stopping
from blackbox.service.worker.worker import Worker
from tests.blackbox.service.worker.service import outcome, submit

pytestmark = pytest.mark.usefixtures("without_pictures")


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[FaultyServer]:
    monkeypatch.setenv("NO_PROXY", "*")
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    with FaultyServer() as server:
        yield server


@pytest.fixture
def operator(server: FaultyServer, tmp_path: Path) -> Operator:
    file = tmp_path / "backends.toml"
    file.write_text(
        f'[backends.paid]\nbackend = "openai"\nmodel = "some"\nbase_url = "{server.base_url}"\n'
        "usd_per_million_prompt_tokens = 1.0\nusd_per_million_completion_tokens = 2.0\nmax_usd = 1.0\n"
        "outage_seconds = 0.5\n"
    )
    return read_operator(file)


@pytest.fixture
def store(sqlite_url: str) -> Iterator[Store]:
    with open_store(sqlite_url) as opened:
        yield opened


def paid(store: Store, operator: Operator) -> Job:
    return submit(
        store, operator, backend="paid", space="choices", optimizer="categorical", evaluations=60, population=6
    )


def until_paused(store: Store, operator: Operator, disk: Path, job: Job, monkeypatch: pytest.MonkeyPatch) -> None:
    """Do a job up to its second generation."""
    plain = type(store.leases).mirror

    def mirror(leases, lease, new):  # type: ignore[no-untyped-def]
        if new.progress.generation == 2:
            store.jobs.pause(job.id, owner=None)
        return plain(leases, lease, new)

    with monkeypatch.context() as patch:
        patch.setattr(type(store.leases), "mirror", mirror)
        Worker(store, operator, disk, stopping=Stopping()).work()
    assert store.jobs.get(job.id, owner=None).status == JobStatus.PAUSED


def test_a_job_that_goes_on_on_another_machine_pays_for_nothing_twice(
    store: Store, operator: Operator, server: FaultyServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = paid(store, operator)
    Worker(store, operator, tmp_path / "whole", stopping=Stopping()).work()
    requests = server.counts.requests
    broken = paid(store, operator)
    until_paused(store, operator, tmp_path / "one", broken, monkeypatch)
    on_the_way = server.counts.requests - requests
    store.jobs.resume(broken.id, owner=None)
    Worker(store, operator, tmp_path / "other", stopping=Stopping()).work()
    assert 0 < on_the_way < requests
    assert server.counts.requests == 2 * requests
    assert outcome(store, broken) == outcome(store, whole)
    ended = store.jobs.get(broken.id, owner=None)
    assert ended.progress.usd == pytest.approx(store.jobs.get(whole.id, owner=None).progress.usd)
    assert ended.progress.usd > 0
    assert ended.budget.usd == 1.0


def test_a_job_whose_endpoint_is_down_for_too_long_is_paused_and_goes_on_without_paying_twice(
    store: Store, operator: Operator, server: FaultyServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    worker = Worker(store, operator, tmp_path / "disk", stopping=Stopping())
    paid(store, operator)
    worker.work()
    answered = server.counts.answered
    broken = paid(store, operator)
    plain = type(store.leases).mirror

    def mirror(leases, lease, new):  # type: ignore[no-untyped-def]
        if new.progress.generation == 2:
            server.begin_outage()
        return plain(leases, lease, new)

    with monkeypatch.context() as patch:
        patch.setattr(type(store.leases), "mirror", mirror)
        worker.work()
    assert store.jobs.get(broken.id, owner=None).status == JobStatus.PAUSED
    told = store.events.list(broken.id, limit=1000).rows[-1]
    assert told.message.startswith("The job is paused: ")
    assert "the endpoint has failed for all calls" in told.data["why"]
    assert server.base_url not in told.message
    server.end_outage()
    store.jobs.resume(broken.id, owner=None)
    worker.work()
    assert store.jobs.get(broken.id, owner=None).status == JobStatus.SUCCEEDED
    assert server.counts.answered == 2 * answered


def test_the_database_has_every_paid_answer(
    store: Store, operator: Operator, server: FaultyServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    job = paid(store, operator)
    until_paused(store, operator, tmp_path / "disk", job, monkeypatch)
    assert len(list(store.answers.all(job.id))) == server.counts.requests
    with Answers(tmp_path / "disk" / "jobs" / job.id / "run" / "answers.sqlite") as answers:
        [(rows,)] = answers._file.read("SELECT count(*) FROM calls")
    assert rows == server.counts.requests


def test_what_a_job_costs_is_its_owners(store: Store, operator: Operator, tmp_path: Path) -> None:
    token, _ = store.tokens.create("ci", "submit")
    job = paid(store, operator)
    request = store.jobs.get(job.id, owner=None).request
    store.jobs.cancel(job.id, owner=None)
    file = store.files.create(
        token.id,
        name="f",
        purpose="tuning",
        format="jsonl",
        rows=20,
        content=store.files.content(request["training_file"], owner=None),
    )
    own, _ = store.jobs.create(
        token.id, {**request, "training_file": file.id}, backend="paid", budget=job.budget, files=[file.id]
    )
    Worker(store, operator, tmp_path / "disk", stopping=Stopping()).work()
    ended, used = store.jobs.get(own.id, owner=token.id), store.tokens.get(token.id)
    assert ended.status == JobStatus.SUCCEEDED, ended.error
    assert (used.used_usd, used.used_evaluations) == (ended.progress.usd, ended.progress.evaluations)
    assert used.used_usd > 0
