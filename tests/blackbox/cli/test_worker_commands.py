"""`blackbox worker`: real processes, what they say and how they end."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from blackbox.cli.app import main
from blackbox.service.jobs import JobStatus
from blackbox.service.store import Store, open_store
from tests.blackbox.service.worker.service import (
    DEADLINE,
    ROOT,
    end,
    submit,
    wait_for_end,
    wait_for_generation,
    wait_until,
    worker,
)


def refused(capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    """What stderr says of a command that is refused as wrong input."""
    with pytest.raises(SystemExit) as caught:
        main(["worker", *arguments])
    assert caught.value.code == 2
    said = capsys.readouterr().err
    assert said.count("\n") == 1
    return said


@pytest.fixture
def sqlite_url(tmp_path: Path) -> str:
    return f"sqlite:///{tmp_path / 'service.db'}"


@pytest.mark.parametrize(
    ("url", "told"),
    [
        ("nonsense", "error: a database is named by a URL"),
        ("mysql://u:secret@host/db", "begins with 'mysql'"),
        ("postgresql://u:secret@127.0.0.1:9/db", "error: database postgresql+psycopg://u:***@127.0.0.1:9/db: "),
        ("sqlite:////nowhere/service.db", "No such file or directory"),
    ],
)
def test_a_wrong_database_is_one_line_without_its_password(
    capsys: pytest.CaptureFixture[str], url: str, told: str
) -> None:
    said = refused(capsys, "--database", url)
    assert told in said
    assert "secret" not in said


def test_a_backends_file_that_there_is_not_is_one_line(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, sqlite_url: str
) -> None:
    said = refused(capsys, "--database", sqlite_url, "--backends", str(tmp_path / "none.toml"))
    assert "none.toml: No such file or directory" in said
    assert not (tmp_path / "service.db").exists()


def test_a_worker_without_a_database_is_refused(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("BLACKBOX_DATABASE", raising=False)
    assert "--database" in refused(capsys)


def test_an_idle_worker_ends_with_code_0_when_it_is_told_to(sqlite_url: str, tmp_path: Path) -> None:
    with worker(sqlite_url, tmp_path / "disk") as process:
        wait_until(lambda: b"worker of sqlite:///" in (tmp_path / "disk" / "log").read_bytes())
        assert end(process) == 0


def test_a_worker_that_is_told_to_end_hands_its_job_back_and_another_ends_it(sqlite_url: str, tmp_path: Path) -> None:
    with open_store(sqlite_url) as store:
        job = submit(store, evaluations=3000)
        with worker(sqlite_url, tmp_path / "disk") as process:
            wait_for_generation(store, job, 2)
            assert end(process) == 0
        assert store.jobs.get(job.id, owner=None).status == JobStatus.QUEUED
        store.jobs.cancel(job.id, owner=None)


def test_a_worker_ends_when_the_process_that_started_it_is_gone(sqlite_url: str, tmp_path: Path) -> None:
    command = [sys.executable, "-m", "blackbox", "worker", "--folder", str(tmp_path), "--while-stdin-is-open"]
    environment = {**os.environ, "BLACKBOX_DATABASE": sqlite_url, "PYTHONPATH": str(ROOT)}
    process = subprocess.Popen(command, env=environment, stdin=subprocess.PIPE, stderr=subprocess.PIPE)
    assert process.stdin is not None
    process.stdin.close()
    assert process.wait(timeout=DEADLINE) == 0
    assert process.stderr is not None
    process.stderr.close()


def test_several_jobs_are_done_at_once_by_processes_that_are_started_again(sqlite_url: str, tmp_path: Path) -> None:
    with open_store(sqlite_url) as store:
        jobs = [submit(store, evaluations=3000) for _ in range(2)]
        with worker(sqlite_url, tmp_path / "disk", "--jobs", "2") as process:
            wait_until(lambda: len(workers(store)) == 2)
            os.kill(int(workers(store)[0].split(":")[-1]), signal.SIGKILL)
            for job in jobs:
                wait_for_end(store, job)
            assert end(process) == 0
        assert [store.jobs.get(job.id, owner=None).status for job in jobs] == [JobStatus.SUCCEEDED] * 2
        assert sum(store.jobs.get(job.id, owner=None).take_overs for job in jobs) == 1


def workers(store: Store) -> list[str]:
    """Who has jobs that are running."""
    rows = store.jobs.list(owner=None, statuses=[JobStatus.RUNNING]).rows
    return sorted({str(job.worker) for job in rows if job.worker})
