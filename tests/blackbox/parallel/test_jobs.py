"""Jobs of the service on a cluster, by the operator's choice: the same as in the worker's own process."""

import os
from pathlib import Path
from typing import Any

import pytest

from benchmarks.killed_workers import Killer
from blackbox.callbacks import Progress
from blackbox.service.jobs import JobStatus
from blackbox.service.operator import read_operator
from blackbox.service.store import open_store
from blackbox.service.worker.stopping import Stopping
from blackbox.service.worker.watcher import Watcher
from blackbox.service.worker.worker import Worker
from tests.blackbox.service.worker.service import outcome, submit

pytestmark = [pytest.mark.filterwarnings("ignore"), pytest.mark.timeout(600)]


def test_a_job_on_the_cluster_is_the_job_in_this_process_also_where_its_workers_are_killed(
    cluster: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "backends.toml"
    file.write_text(
        '[backends.here]\nbackend = "fake"\n\n[backends.there]\nbackend = "fake"\n'
        f'executor = "ray"\nworkers = 2\nray_address = "{cluster.address}"\n'
    )
    operator, killer, written = read_operator(file), Killer(seed=3), Watcher.on_generation

    def on_generation(watcher: Watcher, progress: Progress) -> None:
        killer.on_generation(progress)
        written(watcher, progress)

    with open_store(f"sqlite:///{tmp_path / 'service.db'}") as store:
        worker = Worker(store, operator, tmp_path / "disk", stopping=Stopping())
        here = submit(store, operator, backend="here", slice_size=5)
        assert worker.work()
        there = submit(store, operator, backend="there", slice_size=5)
        monkeypatch.setattr(Watcher, "on_generation", on_generation)
        assert worker.work()
        for job in (here, there):
            ended = store.jobs.get(job.id, owner=None)
            assert ended.status == JobStatus.SUCCEEDED, ended.error
        assert outcome(store, there) == outcome(store, here)
    assert killer.killed
    assert os.getpid() not in killer.killed
