"""Databases with as many jobs and evaluations as a service has after years, written directly."""

import json
import time
from collections.abc import Iterator
from typing import Any

from blackbox import Evaluation
from blackbox.backends import Usage
from blackbox.metrics import Measured
from blackbox.service.jobs import JobStatus
from blackbox.service.store import tables
from blackbox.service.store.ids import new_id
from blackbox.service.store.schema import open_database

TEAMS = ("support", "sales", "research", "legal")
RARE = "board"
"""The team of the oldest job alone."""
EVENTS = 20
"""Of each job."""
_STATUSES = (*19 * (JobStatus.SUCCEEDED,), JobStatus.FAILED)
_AT_ONCE = 1000


def fill(url: str, count: int, *, owners: tuple[str, ...], evaluations: int = 0) -> list[str]:
    """Write so many jobs that have ended, in turn of each owner, and evaluations of the last; the jobs' ids."""
    database, ids = open_database(url), [new_id("job") for _ in range(count)]
    try:
        for start in range(0, count, _AT_ONCE):
            some = list(enumerate(ids[start : start + _AT_ONCE], start=start))
            jobs = [_job(number, job, owners[number % len(owners)]) for number, job in some]
            with database.write() as connection:
                connection.execute(tables.jobs.insert(), jobs)
                connection.execute(tables.job_metadata.insert(), [_metadata(job) for job in jobs])
                connection.execute(tables.events.insert(), [event for _, job in some for event in _events(job)])
        for start in range(0, evaluations, _AT_ONCE):
            numbers = range(start, min(start + _AT_ONCE, evaluations))
            with database.write() as connection:
                connection.execute(tables.evaluations.insert(), [_evaluation(ids[-1], number) for number in numbers])
        with database.write() as connection:
            if not database.is_sqlite:
                connection.exec_driver_sql("ANALYZE")
    finally:
        database.close()
    return ids


def _job(number: int, job: str, owner: str) -> dict[str, Any]:
    settings = {"template": "{text} It was {label}.", "label_words": {"negative": "bad", "positive": "great"}}
    request = {"name": f"reviews {number}", "backend": "fake", "training_file": new_id("file"), "settings": settings}
    return {
        "id": job,
        "owner": owner,
        "status": _STATUSES[number % len(_STATUSES)],
        "stop_reason": "evaluations",
        "request": request,
        "metadata": {"team": TEAMS[number % len(TEAMS)] if number else RARE},
        "backend": "fake",
        "request_sha256": f"{number:064x}",
        "budget_evaluations": 8000,
        "evaluations": 8000,
        "generation": 400,
        "train_loss": 0.4,
        "dev": {"metric": "accuracy", "value": 0.85, "low": 0.71, "high": 0.93, "rows": 40},
        "summary": {"status": "succeeded", "stop_reason": "evaluations", "evaluations": 8000, "train_loss": 0.4},
        "events": EVENTS,
        "created_at": time.time(),
        "updated_at": time.time(),
        "ended_at": time.time(),
    }


def _metadata(job: dict[str, Any]) -> dict[str, Any]:
    return {"job": job["id"], "owner": job["owner"], "key": "team", "value": job["metadata"]["team"]}


def _events(job: str) -> Iterator[dict[str, Any]]:
    for number in range(1, EVENTS + 1):
        data = {"generation": number, "evaluations": 20 * number, "train_loss": 1 / number, "dev": None, "usd": 0.0}
        text = f"Generation {number}: {20 * number} evaluations, loss {1 / number:.4f}."
        yield {
            "job": job,
            "number": number,
            "type": "generation",
            "message": text,
            "data": data,
            "created_at": time.time(),
        }


def _evaluation(job: str, number: int) -> dict[str, Any]:
    evaluation = Evaluation(
        number=number,
        split="train",
        generation=number // 20,
        block=None,
        candidate=f"{number:016x}",
        loss=0.5,
        measured=Measured("accuracy", 0.85, 0.71, 0.93, 40),
        rows=40,
        failed_rows=0,
        usage=Usage(requests=40, prompt_tokens=1200),
        elapsed=0.1 * number,
    )
    return {"job": job, "number": number, "line": json.dumps(evaluation.to_dict())}
