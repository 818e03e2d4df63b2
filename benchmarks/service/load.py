"""What a service stands: reads beside a job that is running, pages of long lists, many watchers; and its memory."""

import os
import resource
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from benchmarks.kept import once
from benchmarks.service import pages, readers, watchers
from benchmarks.service.databases import KINDS, database
from benchmarks.service.filling import EVENTS, TEAMS, fill
from benchmarks.service.hand_in import job, request, upload, write_rows
from benchmarks.service.programs import Service, peak_mb
from benchmarks.service.readers import Load, Target, apart
from blackbox.client import Client, Job
from blackbox.service.store import open_store

_JOBS = "/v1/tuning/jobs"
_CORES = 2
CLIENTS, RATE = 50, 150.0


def run(*, quick: bool) -> dict[str, object]:
    """All parts; `quick`: on SQLite alone, shorter, lists a tenth as long, a tenth of the watchers."""
    os.environ["NO_PROXY"] = "*"
    _use_two_cores()
    kinds = KINDS[:1] if quick else KINDS
    figures: dict[str, object] = {"cores": _CORES, "load_average_before": round(os.getloadavg()[0], 1)}
    for kind in kinds:
        parts = {
            "reads": lambda kind=kind: reads(kind, jobs=100 if quick else 1000, seconds=10 if quick else 60),
            "pages": lambda kind=kind: lists(kind, (10, 100) if quick else (100, 1000, 10_000), quick=quick),
            "watchers": lambda kind=kind: watched(kind, 50 if quick else 500, evaluations=1500 if quick else 6000),
        }
        figures[kind] = {name: once(f"service-load {kind} {name}", part) for name, part in parts.items()}
    return figures


def reads(kind: str, *, jobs: int, seconds: float) -> dict[str, Any]:
    """Clients that read a service with so many jobs while one more is running."""
    with _serving(kind, jobs) as (service, client, token, ids):
        running = _begin(client, Path(service.folder), evaluations=1_000_000)
        load = Load(service.port, token, _targets(ids, running.id), CLIENTS, RATE, seconds)
        before = os.getloadavg()[0]
        answers = apart(readers.read, load)
        after = client.jobs.get(running.id)
        figures = {
            "jobs": jobs,
            "clients": CLIENTS,
            "asked_a_second": RATE,
            "answered_a_second": round(len(answers) / seconds, 1),
            "all": readers.figures(answers),
            **{
                target.kind: readers.figures([answer for answer in answers if answer.kind == target.kind])
                for target in load.targets
            },
            "evaluations_of_the_job_meanwhile": after.progress["evaluations"] - running.progress["evaluations"],
            "job_is_running": after.status == "running",
            "service_mb": round(peak_mb(service.process), 1),
            "load_average": [round(before, 1), round(os.getloadavg()[0], 1)],
        }
        client.jobs.cancel(running.id)
    print(f"{kind}, reads: {figures}", flush=True)
    return figures


def lists(kind: str, sizes: tuple[int, ...], *, quick: bool) -> dict[str, Any]:
    """The time of pages by the length of their lists, ms."""
    each: dict[int, dict[str, float]] = {}
    for size in sizes:
        evaluations = 100_000 if size == max(sizes) and not quick else 1000
        with tempfile.TemporaryDirectory() as name, database(kind, Path(name)) as url:
            each[size] = pages.run(
                url, Path(name) / "s", jobs=size, evaluations=evaluations, times=20 if quick else 200
            )
        print(f"{kind}, {size} jobs, {evaluations} evaluations: {each[size]}", flush=True)
    grown = pages.growth(each, list(each[min(sizes)]))
    return {"ms": {str(size): found for size, found in each.items()}, "growth": grown, "most": max(grown.values())}


def watched(kind: str, number: int, *, evaluations: int) -> dict[str, Any]:
    """Watchers of one job from its beginning to its end."""
    resource.setrlimit(resource.RLIMIT_NOFILE, (resource.getrlimit(resource.RLIMIT_NOFILE)[1],) * 2)
    with _serving(kind, 10) as (service, client, token, _):
        running = _begin(client, Path(service.folder), evaluations=evaluations)
        before = peak_mb(service.process)
        seen = apart(watchers.watch, service.port, token, running.id, number)
        ended = client.jobs.get(running.id)
        page = client.jobs.events(running.id, after=0, limit=100)
        last = page.data[-1].id
        while page.has_more:
            page = client.jobs.events(running.id, after=last, limit=100)
            last = page.data[-1].id
        figures = {
            **watchers.figures(seen, last),
            "job": ended.status,
            "seconds_of_the_job": round((ended.ended_at or 0) - ended.created_at, 1),
            "service_mb_before": round(before, 1),
            "service_mb": round(peak_mb(service.process), 1),
            "load_average": round(os.getloadavg()[0], 1),
        }
    print(f"{kind}, watchers: {figures}", flush=True)
    return figures


@contextmanager
def _serving(kind: str, jobs: int) -> Iterator[tuple[Service, Client, str, list[str]]]:
    """A service with a worker and so many jobs that have ended; its client, the client's token, and the jobs."""
    with tempfile.TemporaryDirectory() as name, database(kind, Path(name)) as url:
        with open_store(url) as store:
            owner, token = store.tokens.create("team", "submit")
        ids = fill(url, jobs, owners=(owner.id,))
        with (
            Service(Path(name) / "service", url=url, workers=1) as service,
            Client(service.base_url, token=token) as client,
        ):
            yield service, client, token, ids


def _begin(client: Client, folder: Path, *, evaluations: int) -> Job:
    """A job that a worker has taken."""
    folder.mkdir(exist_ok=True)
    asked = job(2, "", evaluations=evaluations)
    made = client.jobs.create(**request(asked, upload(client, write_rows(folder))))
    for event in client.jobs.watch(made.id):
        if event.type == "generation":
            break
    return client.jobs.get(made.id)


def _targets(ids: list[str], running: str) -> list[Target]:
    """Each kind is asked for equally often."""
    lists = ["?limit=20", *(f"?limit=20&after={job}" for job in ids[:: max(1, len(ids) // 50)])]
    filtered = ["?status=running", "?status=succeeded", *(f"?metadata[team]={team}" for team in TEAMS)]
    ended = [f"{_JOBS}/{job}/events?after={after}" for job in ids[::50] for after in (0, EVENTS // 2)]
    return [
        Target("job", [f"{_JOBS}/{running}"]),
        Target("list", [_JOBS + query for query in (*lists, *filtered)]),
        Target("events", [f"{_JOBS}/{running}/events?after={after}" for after in range(0, 100, 10)] + ended),
    ]


def _use_two_cores() -> None:
    """This process and all that it starts."""
    os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[:_CORES])
