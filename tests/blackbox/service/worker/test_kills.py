"""Workers that are killed at any moment: the job ends as the unbroken one does."""

import random
import shutil
from pathlib import Path

import pytest

from blackbox.service.store import open_store
from tests.blackbox.service.worker.service import (
    end,
    events,
    kill,
    outcome,
    submit,
    wait_for_end,
    wait_for_generation,
    worker,
)

GENERATIONS = 35


@pytest.mark.parametrize(("kills", "same_disk"), [(3, True), (1, False)], ids=["same disk", "another machine"])
def test_a_job_whose_workers_are_killed_ends_as_the_unbroken_one(
    database_url: str, tmp_path: Path, kills: int, same_disk: bool
) -> None:
    seed = random.randrange(10**6)
    print("seed", seed)
    moments = sorted(random.Random(seed).sample(range(1, GENERATIONS), kills))
    with open_store(database_url) as store:
        whole = submit(store)
        with worker(database_url, tmp_path / "whole") as process:
            wait_for_end(store, whole)
            assert end(process) == 0
        broken = submit(store)
        for moment in moments:
            with worker(database_url, tmp_path / "broken") as process:
                wait_for_generation(store, broken, moment)
                kill(process)
            if not same_disk:
                shutil.rmtree(tmp_path / "broken")
        with worker(database_url, tmp_path / "broken"):
            wait_for_end(store, broken)
        assert outcome(store, broken) == outcome(store, whole)
        assert outcome(store, whole)["status"][0] == "succeeded"
        told = [kind for kind, _ in events(store, broken)]
        assert told.count("taken_over") == kills == store.jobs.get(broken.id, owner=None).take_overs
        assert [kind for kind in told if kind not in ("taken_over", "validating", "running", "generation")] == [
            "created",
            "succeeded",
        ]
