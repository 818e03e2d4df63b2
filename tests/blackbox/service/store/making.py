"""Jobs for tests of the store, and the ways of a worker with them."""

from typing import Any

from blackbox.service.store import Job, JobBudget, JobProgress, NewEvent, Store
from blackbox.service.store.lease import Lease, Mirrored, Selected

SECONDS = 60.0
"""A lease that does not run out within a test."""

OVER = -1.0
"""A lease that has run out at once."""


def new_job(store: Store, owner: str = "local", **options: Any) -> Job:
    options = {"backend": "fake", "budget": JobBudget(100), **options}
    job, _ = store.jobs.create(owner, options.pop("request", {"backend": "fake"}), **options)
    return job


def claim(store: Store, worker: str = "w1", *, seconds: float = SECONDS) -> Lease:
    claimed = store.leases.claim(worker, seconds=seconds)
    assert claimed is not None
    return claimed[1]


def running(store: Store, owner: str = "local", **options: Any) -> Lease:
    """A job that a worker runs."""
    new_job(store, owner, **options)
    lease = claim(store)
    store.leases.begin(lease)
    return lease


def generation(number: int, *, first: int = 0, lines: list[str] | None = None, **progress: Any) -> Mirrored:
    """What a worker writes of a generation."""
    lines = [f'{{"number": {first}}}'] if lines is None else lines
    values = {"evaluations": first + len(lines), "entries": first + len(lines), **progress}
    event = NewEvent("generation", f"Generation {number}.", {"generation": number})
    return Mirrored(JobProgress(generation=number, **values), first=first, lines=lines, event=event)


def selected(checksum: str) -> Selected:
    return Selected(checksum, f"text of {checksum}")


def types(store: Store, job: str) -> list[str]:
    """The types of a job's events; their numbers are checked on the way."""
    events = store.events.list(job, limit=10_000).rows
    assert [event.number for event in events] == list(range(1, len(events) + 1))
    assert store.jobs.get(job, owner=None).events == len(events)
    return [event.type for event in events]
