"""How jobs have ended, by the database, against what they must have ended with."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from benchmarks.service.hand_in import Asked, Found, found
from blackbox import Evaluation
from blackbox.service.store import LOCAL_OWNER, Event, Job, Store, open_store

_MOST = 1_000_000
_ONCE = ("created", "succeeded")


@dataclass
class Told:
    """What a watcher of a job's stream has seen, over all its connections.

    Attributes:
        job: its id.
        events: number, type and data of each.
    """

    job: str = ""
    events: list[tuple[int, str, dict[str, Any]]] = field(default_factory=list)


def checked(
    url: str, asked: Sequence[Asked], expected: Mapping[str, Found], told: Mapping[str, Told]
) -> dict[str, Any]:
    """The figures of jobs that have ended; what is not as it must be is named."""
    with open_store(url) as store:
        known = {one.name: store.jobs.get(told[one.name].job, owner=None) for one in asked}
        wrong = [
            f"{name}: {what}"
            for name, job in known.items()
            for what in faults_of(job, store, expected[name], told[name])
        ]
        rows = store.jobs.list(owner=LOCAL_OWNER, limit=len(asked) + 1).rows
        kinds = [event.type for job in known.values() for event in all_events(store, job)]
    return {
        "jobs_in_the_database": len(rows),
        "take_overs": sum(job.take_overs for job in known.values()),
        "handed_back": kinds.count("handed_back"),
        "events": len(kinds),
        "requests_written_down": sum(known[one.name].progress.requests for one in asked if one.is_paid),
        "wrong": wrong,
        "as_unbroken": not wrong and len(rows) == len(asked),
    }


def faults_of(job: Job, store: Store, expected: Found, told: Told) -> list[str]:
    """In what a job differs from the unbroken run, and its events from a whole sequence."""
    if job.status != "succeeded":
        return [f"{job.status}: {job.error}"]
    faults = []
    evaluations = store.evaluations.list(job.id, limit=_MOST).rows
    history = [Evaluation.from_dict(json.loads(row.line)) for row in evaluations]
    prompt = json.loads(store.artifacts.read(job.id, "prompt/prompt.json"))
    ended = found(history, prompt, job.summary or {})
    if [row.number for row in evaluations] != list(range(len(expected.facts))):
        faults.append(f"{len(evaluations)} evaluations, not {len(expected.facts)}, or not in order")
    for part in ("facts", "prompt", "summary"):
        if _plain(getattr(ended, part)) != _plain(getattr(expected, part)):
            faults.append(f"another {part}")
    events = all_events(store, job)
    faults += faults_of_events([(event.number, event.type, dict(event.data)) for event in events], job.events)
    if [(number, kind) for number, kind, _ in told.events] != [(event.number, event.type) for event in events]:
        faults.append("its watcher has seen other events")
    return faults


def faults_of_events(events: Sequence[tuple[int, str, Mapping[str, Any]]], count: int) -> list[str]:
    """What is wrong with all events of a job that has succeeded: gaps, doubles, what must have happened once."""
    faults = []
    if [number for number, _, _ in events] != list(range(1, count + 1)):
        faults.append("its events have gaps or doubles")
    kinds = [kind for _, kind, _ in events]
    faults += [f"{kinds.count(kind)} events {kind!r}" for kind in _ONCE if kinds.count(kind) != 1]
    generations = [data["generation"] for _, kind, data in events if kind == "generation"]
    first = generations[0] if generations else 0
    if generations != list(range(first, first + len(generations))):
        faults.append("a generation is missing or told twice")
    return faults


def all_events(store: Store, job: Job) -> tuple[Event, ...]:
    """The events of a job."""
    return store.events.list(job.id, limit=_MOST).rows


def _plain(value: Any) -> Any:
    """As JSON writes it: tuples are lists there."""
    return json.loads(json.dumps(value, default=lambda part: part.__dict__))
