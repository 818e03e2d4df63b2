"""Many short jobs on several workers and one PostgreSQL: each runs once."""

import os
import tempfile
import time
from collections import Counter
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from benchmarks.service.databases import database
from benchmarks.service.ends import all_events
from benchmarks.service.hand_in import job, write_rows
from benchmarks.service.programs import DEADLINE_S, worker
from blackbox.service.jobs import ENDED
from blackbox.service.jobs.request import JobRequest
from blackbox.service.operator import default_operator
from blackbox.service.store import LOCAL_OWNER, Job, Store, open_store

WORKERS = 4
_ONCE = ("created", "validating", "running", "succeeded")
_EVALUATIONS = 40


def run(*, quick: bool) -> dict[str, object]:
    """The figures of 200 jobs; `quick`: of 20."""
    number = 20 if quick else 200
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        url = stack.enter_context(database("postgresql", folder))
        store = stack.enter_context(open_store(url))
        jobs = _hand_in(store, folder, number)
        began = time.monotonic()
        for _ in range(WORKERS):
            stack.enter_context(worker(folder / "runs", url=url, lease_seconds=30.0))
        _wait(store, jobs)
        seconds = time.monotonic() - began
        return {**_figures(store, jobs), "seconds": round(seconds, 1), "load_average": round(os.getloadavg()[0], 1)}


def _hand_in(store: Store, folder: Path, number: int) -> list[str]:
    """Jobs of one file, each with a seed of its own; their ids."""
    content = write_rows(folder)["train"].read_bytes()
    rows = content.count(b"\n")
    file = store.files.create(
        LOCAL_OWNER, name="train.jsonl", purpose="tuning", format="jsonl", rows=rows, content=[content]
    )
    operator, made = default_operator(), []
    for seed in range(number):
        asked = job(2, "", evaluations=_EVALUATIONS)
        settings = {**asked.settings, "seed": seed, "shots": 8}
        request = JobRequest.of({"backend": "fake", "training_file": file.id, "settings": settings})
        budget, files = operator.check(request), request.files.values()
        new, _ = store.jobs.create(LOCAL_OWNER, request.model_dump(), backend="fake", budget=budget, files=files)
        made.append(new.id)
    return made


def _wait(store: Store, jobs: list[str]) -> None:
    """Until all have ended; longer the more there are."""
    until = time.monotonic() + DEADLINE_S + 10 * len(jobs)
    while sum(count for status, count in store.jobs.counts().items() if status in ENDED) < len(jobs):
        if time.monotonic() > until:
            raise RuntimeError("the jobs do not end")
        time.sleep(0.1)


def _figures(store: Store, ids: list[str]) -> dict[str, Any]:
    jobs = [store.jobs.get(job, owner=None) for job in ids]
    wrong = [f"{job.id}: {fault}" for job in jobs for fault in _faults(store, job)]
    begun = [event.data["worker"] for job in jobs for event in all_events(store, job) if event.type == "validating"]
    first, last = min(job.started_at or 0 for job in jobs), max(job.ended_at or 0 for job in jobs)
    return {
        "jobs": len(jobs),
        "workers": WORKERS,
        "runs": len(begun),
        "each_once": not wrong and len(begun) == len(jobs),
        "wrong": wrong,
        "results_that_differ": len({store.artifacts.read(job.id, "prompt/prompt.json") for job in jobs}),
        "jobs_of_each_worker": sorted(Counter(begun).values()),
        "jobs_a_second": round(len(jobs) / (last - first), 2),
    }


def _faults(store: Store, job: Job) -> list[str]:
    """What shows that a job has not run once and to its end."""
    if job.status != "succeeded":
        return [f"{job.status}: {job.error}"]
    events = all_events(store, job)
    kinds = Counter(event.type for event in events)
    faults = [f"{kinds[kind]} events {kind!r}" for kind in _ONCE if kinds[kind] != 1]
    if [event.number for event in events] != list(range(1, job.events + 1)):
        faults.append("its events have gaps or doubles")
    numbers = [row.number for row in store.evaluations.list(job.id, limit=100_000).rows]
    if numbers != list(range(job.progress.entries)) or job.progress.evaluations > job.budget.evaluations:
        faults.append("its evaluations have gaps or doubles, or are too many")
    if job.take_overs:
        faults.append(f"{job.take_overs} take-overs")
    return faults
