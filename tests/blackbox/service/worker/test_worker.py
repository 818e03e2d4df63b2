"""A worker in this process, on a real store: what becomes of jobs."""

import json
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from blackbox.backends import FakeBackend
from blackbox.config import Config
from blackbox.errors import DamagedFileError
from blackbox.loaded_models import once
from blackbox.registry import BACKENDS
from blackbox.saved_prompt import SavedPrompt
from blackbox.service.errors import DatabaseError
from blackbox.service.jobs import JobStatus
from blackbox.service.operator import default_operator, read_operator
from blackbox.service.store import Job, JobBudget, Store, open_store
from blackbox.service.store.lease import Lease
from blackbox.service.worker.folder import JobFolder
from blackbox.service.worker.stopping import Stopping
from blackbox.service.worker.worker import Worker
from tests.blackbox.service.worker.service import events, outcome, submit

pytestmark = pytest.mark.usefixtures("without_pictures")


@pytest.fixture
def store(sqlite_url: str) -> Iterator[Store]:
    with open_store(sqlite_url) as opened:
        yield opened


@pytest.fixture
def stopping() -> Stopping:
    return Stopping()


@pytest.fixture
def worker(store: Store, tmp_path: Path, stopping: Stopping) -> Worker:
    return Worker(store, default_operator(), tmp_path / "disk", stopping=stopping)


@pytest.fixture
def on_generation(monkeypatch: pytest.MonkeyPatch, store: Store) -> Callable[[int, Callable[[Job], object]], None]:
    """Do something when a job has written so many generations down, once."""
    plain = type(store.leases).mirror

    def hook(number: int, action: Callable[[Job], object]) -> None:
        done: list[bool] = []

        def mirror(leases: Any, lease: Any, new: Any) -> Any:
            if new.progress.generation == number and not done:
                done.append(True)
                action(store.jobs.get(lease.job, owner=None))
            return plain(leases, lease, new)

        monkeypatch.setattr(type(store.leases), "mirror", mirror)

    return hook


def now(store: Store, job: Job) -> Job:
    return store.jobs.get(job.id, owner=None)


def kinds(store: Store, job: Job) -> list[str]:
    return [kind for kind, _ in events(store, job) if kind != "generation"]


def test_a_job_succeeds_with_its_result_in_the_store(store: Store, worker: Worker, tmp_path: Path) -> None:
    job = submit(store)
    assert worker.work()
    ended = now(store, job)
    assert (ended.status, ended.stop_reason, ended.error) == (JobStatus.SUCCEEDED, "evaluations", None)
    for artifact in store.artifacts.list(job.id):
        path = tmp_path / "result" / artifact.name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(store.artifacts.read(job.id, artifact.name))
    saved = SavedPrompt.load(tmp_path / "result" / "prompt")
    assert saved.model == "fake"
    assert ended.summary is not None
    assert saved.scores["train_loss"] == ended.summary["train_loss"]
    assert ended.progress.evaluations == ended.summary["evaluations"]
    assert kinds(store, job) == ["created", "validating", "running", "succeeded"]
    assert not worker.work()


def test_nothing_of_an_ended_job_is_left_on_the_disk(store: Store, worker: Worker, tmp_path: Path) -> None:
    submit(store, evaluations=60)
    worker.work()
    assert list((tmp_path / "disk" / "jobs").iterdir()) == []


def test_a_paused_job_goes_on_as_if_it_had_not_been(
    store: Store, worker: Worker, on_generation: Callable[..., None]
) -> None:
    whole, broken = submit(store), submit(store)
    worker.work()
    on_generation(5, lambda job: store.jobs.pause(job.id, owner=None))
    worker.work()
    assert now(store, broken).status == JobStatus.PAUSED
    assert now(store, broken).progress.generation == 5
    assert not worker.work()
    store.jobs.resume(broken.id, owner=None)
    worker.work()
    assert outcome(store, broken) == outcome(store, whole)
    told = kinds(store, broken)
    assert told[3:6] == ["pause_requested", "paused", "resumed"]
    assert told[6:] == ["validating", "running", "succeeded"]


def test_a_cancelled_job_keeps_the_best_prompt_so_far(
    store: Store, worker: Worker, on_generation: Callable[..., None], tmp_path: Path
) -> None:
    job = submit(store)
    on_generation(7, lambda job: store.jobs.cancel(job.id, owner=None))
    worker.work()
    ended = now(store, job)
    assert (ended.status, ended.stop_reason, ended.progress.generation) == (JobStatus.CANCELLED, "cancelled", 7)
    assert "prompt/prompt.json" in {artifact.name for artifact in store.artifacts.list(job.id)}
    assert list((tmp_path / "disk" / "jobs").iterdir()) == []


def test_a_worker_that_is_told_to_end_hands_its_job_back(
    store: Store, worker: Worker, stopping: Stopping, on_generation: Callable[..., None], tmp_path: Path
) -> None:
    whole, broken = submit(store), submit(store)
    worker.work()
    on_generation(4, lambda job: stopping.ask())
    worker.run()
    assert now(store, broken).status == JobStatus.QUEUED
    assert kinds(store, broken)[-1] == "handed_back"
    other = Worker(store, default_operator(), tmp_path / "other disk", stopping=Stopping())
    other.work()
    assert outcome(store, broken) == outcome(store, whole)


def test_a_worker_that_is_told_twice_ends_at_once_and_hands_back_what_stands(
    store: Store, worker: Worker, stopping: Stopping, on_generation: Callable[..., None]
) -> None:
    def twice(job: Job) -> None:
        stopping.ask()
        stopping.ask()

    job = submit(store)
    on_generation(4, twice)
    with pytest.raises(KeyboardInterrupt):
        worker.run()
    assert (now(store, job).status, now(store, job).progress.generation) == (JobStatus.QUEUED, 3)


def test_a_worker_that_lost_its_job_stops_and_leaves_it_alone(
    store: Store, worker: Worker, on_generation: Callable[..., None]
) -> None:
    def lose(job: Job) -> None:
        store.leases.extend(Lease(job.id, str(job.worker), 1), seconds=-1)
        assert store.leases.claim("another", seconds=60) is not None

    job = submit(store)
    on_generation(3, lose)
    worker.work()
    assert (now(store, job).worker, now(store, job).progress.generation) == ("another", 2)
    assert kinds(store, job)[-2:] == ["taken_over", "validating"]


def test_a_job_that_is_handed_back_leaves_its_folder_free(
    store: Store,
    stopping: Stopping,
    on_generation: Callable[..., None],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    job, free = submit(store), []
    plain = type(store.leases).hand_back

    def hand_back(leases: Any, lease: Any) -> None:
        JobFolder(tmp_path / "disk" / "jobs" / job.id).close()
        free.append(True)
        plain(leases, lease)

    monkeypatch.setattr(type(store.leases), "hand_back", hand_back)
    on_generation(4, lambda job: stopping.ask())
    Worker(store, default_operator(), tmp_path / "disk", stopping=stopping).run()
    assert free == [True]
    assert now(store, job).status == JobStatus.QUEUED


def test_a_folder_that_another_process_sits_in_is_left_to_it(store: Store, worker: Worker, tmp_path: Path) -> None:
    whole, job = submit(store, evaluations=100), submit(store, evaluations=100)
    worker.work()
    frozen = JobFolder(tmp_path / "disk" / "jobs" / job.id)
    worker.work()
    frozen.close()
    assert outcome(store, job) == outcome(store, whole)


def test_a_damaged_folder_is_made_again_from_the_database(
    store: Store, worker: Worker, on_generation: Callable[..., None], tmp_path: Path
) -> None:
    whole, broken = submit(store), submit(store)
    worker.work()
    on_generation(5, lambda job: store.jobs.pause(job.id, owner=None))
    worker.work()
    run = tmp_path / "disk" / "jobs" / broken.id / "run"
    (run / "config.json").write_text("{")
    store.jobs.resume(broken.id, owner=None)
    with pytest.raises(DamagedFileError):
        worker.work()
    row = store.jobs.get(broken.id, owner=None)
    store.leases.extend(Lease(broken.id, str(row.worker), 2), seconds=-1)
    worker.work()
    assert outcome(store, broken) == outcome(store, whole)


def test_a_cancelled_job_ends_in_mid_generation_once_its_worker_hears_of_it(
    store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    plain, calls = FakeBackend.score, []

    def score(self: FakeBackend, *arguments: Any, **options: Any) -> Any:
        calls.append(1)
        if len(calls) == 3:
            store.jobs.cancel(job.id, owner=None)
        if len(calls) >= 3:
            time.sleep(0.1)
        return plain(self, *arguments, **options)

    monkeypatch.setattr(FakeBackend, "score", score)
    job = submit(store, evaluations=10_000, population=5000, optimizer="cma-es")
    Worker(store, default_operator(), tmp_path, stopping=Stopping(), lease_seconds=0.3).work()
    ended = now(store, job)
    assert (ended.status, ended.progress.generation) == (JobStatus.CANCELLED, 0)
    assert len(calls) < 500


def test_a_job_with_a_wrong_setting_has_failed_as_invalid(store: Store, worker: Worker) -> None:
    values = {"backend": "fake", "training_file": "file-1", "settings": {"optimizer": "nothing"}}
    job, _ = store.jobs.create("local", values, backend="fake", budget=JobBudget(1))
    worker.work()
    ended = now(store, job)
    assert (ended.status, ended.stop_reason) == (JobStatus.FAILED, "invalid")
    assert "unknown optimizer 'nothing'" in str(ended.error)


def test_a_job_whose_data_is_wrong_says_where_without_a_path(store: Store, worker: Worker, tmp_path: Path) -> None:
    job = submit(store, template="{words} It was {label}.")
    worker.work()
    ended = now(store, job)
    assert (ended.status, ended.stop_reason) == (JobStatus.FAILED, "invalid")
    assert "words" in str(ended.error)
    assert str(tmp_path) not in str(ended.error)


def test_a_job_whose_file_was_deleted_has_failed_as_invalid(store: Store, worker: Worker) -> None:
    values = {"backend": "fake", "training_file": "file-1", "settings": {}}
    job, _ = store.jobs.create("local", values, backend="fake", budget=JobBudget(1))
    worker.work()
    assert (now(store, job).stop_reason, now(store, job).error) == ("invalid", "there is no file 'file-1'")


def test_a_database_that_is_away_while_the_data_are_read_is_waited_for(
    store: Store, worker: Worker, monkeypatch: pytest.MonkeyPatch
) -> None:
    job, plain, left = submit(store), type(store.files).get, [True]

    def away_once(files: Any, file: str, **options: Any) -> Any:
        if left:
            left.clear()
            raise DatabaseError("the database is away")
        return plain(files, file, **options)

    monkeypatch.setattr(type(store.files), "get", away_once)
    assert worker.work()
    assert not left
    assert (now(store, job).status, now(store, job).error) == (JobStatus.SUCCEEDED, None)


def test_what_breaks_in_mid_run_fails_the_job_and_not_the_worker(
    store: Store, worker: Worker, monkeypatch: pytest.MonkeyPatch
) -> None:
    plain, calls = FakeBackend.score, []

    def score(self: FakeBackend, *arguments: Any, **options: Any) -> Any:
        calls.append(1)
        if len(calls) > 20:
            raise ZeroDivisionError("/secret/path")
        return plain(self, *arguments, **options)

    monkeypatch.setattr(FakeBackend, "score", score)
    job = submit(store)
    assert worker.work()
    ended = now(store, job)
    assert (ended.status, ended.stop_reason) == (JobStatus.FAILED, "error")
    assert ended.error == "the service has failed (ZeroDivisionError); its operator's log says more"
    assert ended.progress.entries > 0
    assert "prompt/prompt.json" in {artifact.name for artifact in store.artifacts.list(job.id)}


def test_a_job_waits_for_a_worker_that_has_its_model(store: Store, worker: Worker, tmp_path: Path) -> None:
    job = submit(store, evaluations=60)
    file = tmp_path / "backends.toml"
    file.write_text('[backends.other]\nbackend = "fake"\n')
    assert not Worker(store, read_operator(file), tmp_path / "disk", stopping=Stopping()).work()
    assert worker.work()
    assert now(store, job).status == JobStatus.SUCCEEDED


def test_an_operators_executor_is_used_and_changes_no_result(store: Store, worker: Worker, tmp_path: Path) -> None:
    file = tmp_path / "backends.toml"
    file.write_text('[backends.fake]\nbackend = "fake"\nexecutor = "threads"\nworkers = 2\n')
    threads = Worker(store, read_operator(file), tmp_path / "threads", stopping=Stopping())
    serial, threaded = submit(store), submit(store)
    worker.work()
    threads.work()
    config = json.loads(store.artifacts.read(threaded.id, "config.json"))
    assert (config["executor"], config["workers"]) == ("threads", 2)
    assert outcome(store, threaded)["facts"] == outcome(store, serial)["facts"]


def test_folders_of_jobs_that_are_gone_are_removed(
    store: Store, worker: Worker, stopping: Stopping, tmp_path: Path
) -> None:
    waiting = submit(store)
    for name in (waiting.id, "job-gone", f"{waiting.id}x.3"):
        (tmp_path / "disk" / "jobs" / name).mkdir(parents=True)
    stopping.ask()
    worker.run()
    assert [path.name for path in (tmp_path / "disk" / "jobs").iterdir()] == [waiting.id]


def test_an_error_of_an_endpoint_does_not_name_it(store: Store, tmp_path: Path) -> None:
    file = tmp_path / "backends.toml"
    file.write_text(
        '[backends.far]\nbackend = "openai"\nmodel = "m"\nbase_url = "http://127.0.0.1:9/v1"\noutage_seconds = 0.1\n'
    )
    operator = read_operator(file)
    job = submit(store, operator, backend="far", space="choices", optimizer="categorical")
    Worker(store, operator, tmp_path / "disk", stopping=Stopping()).work()
    ended = now(store, job)
    assert (ended.status, ended.stop_reason) == (JobStatus.FAILED, "error")
    assert "127.0.0.1" not in str(ended.error)


def test_a_model_is_loaded_once_for_jobs_in_a_row(
    store: Store, worker: Worker, monkeypatch: pytest.MonkeyPatch
) -> None:
    loaded = []

    def load(config: Config) -> FakeBackend:
        loaded.append(config.model)
        return FakeBackend()

    monkeypatch.setitem(BACKENDS._factories, "fake", once(load))
    for _ in range(2):
        submit(store, evaluations=60)
    while worker.work():
        pass
    assert len(loaded) == 1
