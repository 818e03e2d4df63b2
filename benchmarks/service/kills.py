"""kill -9 of the service and its workers at random moments: what the jobs find, what was told, what was paid twice."""

import os
import random
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil

from benchmarks.faults.endpoint import Bill, Endpoint
from benchmarks.faulty import Plan
from benchmarks.kept import once
from benchmarks.service.databases import KINDS, database
from benchmarks.service.ends import Told, checked
from benchmarks.service.hand_in import (
    PARALLEL,
    Asked,
    Found,
    by_the_library,
    job,
    request,
    upload,
    write_backends,
    write_rows,
)
from benchmarks.service.programs import Program, Service, worker
from blackbox.client import Client, File, UnreachableError
from blackbox.service.jobs import ENDED
from blackbox.service.store import Store, open_store

SECONDS = 0.15
"""That an answer takes."""
GAP = (0.1, 5.0)
"""From a worker's getting hold of a job, or still having one, to the next kill, s."""
LEASE_S = 2.0
LONGEST_S = 900.0


def run(*, quick: bool) -> dict[str, object]:
    """The figures on each database; `quick`: two jobs and three kills instead of ten and thirty."""
    os.environ["NO_PROXY"] = "*"
    jobs, kills, evaluations = (2, 3, 1500) if quick else (10, 30, 4000)
    with Endpoint(seconds=SECONDS) as endpoint, tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        paths, asked = (
            write_rows(folder),
            [job(n, endpoint.base_url, evaluations=evaluations) for n in range(1, jobs + 1)],
        )
        endpoint.begin(Plan())
        expected = {one.name: by_the_library(one, paths, folder / one.name) for one in asked}
        unbroken = endpoint.bill()
        print(f"{jobs} unbroken runs by the library: {unbroken.answers} answers paid", flush=True)
        each = {}
        for kind in KINDS:
            trial = Trial(kind, endpoint, folder / kind, asked, expected, paths)
            each[kind] = once(f"service-kills {kind}", lambda trial=trial: trial.figures(kills, unbroken))  # type: ignore[misc]
            print(f"{kind}: {each[kind]}", flush=True)
    return {
        "jobs": jobs,
        "parallel": PARALLEL,
        "lease_seconds": LEASE_S,
        "answers_of_unbroken_runs": unbroken.answers,
        **each,
    }


@dataclass(frozen=True)
class Trial:
    """The jobs in a service on one kind of database.

    Attributes:
        kind: of the database.
        endpoint: that the paid jobs ask.
        folder: of this trial.
        asked, expected: the jobs, and what their unbroken runs have found, by name.
        paths: of the task's files.
    """

    kind: str
    endpoint: Endpoint
    folder: Path
    asked: list[Asked]
    expected: Mapping[str, Found]
    paths: Mapping[str, Path]

    def figures(self, kills: int, unbroken: Bill) -> dict[str, Any]:
        """Of so many kills; `unbroken` is what the unbroken runs have paid, who may ask the same twice."""
        began = time.monotonic()
        self.folder.mkdir()
        self.endpoint.begin(Plan())
        with database(self.kind, self.folder) as url:
            killed, told = self._kill(url, kills)
            seconds = time.monotonic() - began
            found = checked(url, self.asked, self.expected, told)
        bill = self.endpoint.bill()
        return {
            "seconds": round(seconds, 1),
            "kills": dict(killed),
            "kills_of_any": killed.total(),
            **found,
            "answers": bill.answers,
            "requests": bill.requests,
            "paid_twice": bill.again - unbroken.again,
            "different_answers_beyond_unbroken": bill.answers - bill.again - (unbroken.answers - unbroken.again),
            "never_more_than_in_flight": bill.again - unbroken.again <= PARALLEL * killed.total(),
        }

    def _kill(self, url: str, kills: int) -> tuple[Counter[str], dict[str, Told]]:
        """Hand the jobs in and kill until all have ended; how often which program, and what watchers were told."""
        backends = write_backends(self.folder / "backends.toml", self.endpoint.base_url)
        runs = self.folder / "service"
        with (
            Service(runs, url=url, workers=1, backends=backends) as service,
            worker(runs, url=url, backends=backends, lease_seconds=LEASE_S) as other,
            ThreadPoolExecutor(len(self.asked)) as pool,
        ):
            with Client(service.base_url) as client:
                files = upload(client, self.paths)
            watched = {one.name: pool.submit(self._hand_in, service.base_url, one, files) for one in self.asked}
            with open_store(url) as store:
                killed = _strike(service, other, kills, at_work=lambda: _at_work(store, len(self.asked)))
            return killed, {name: each.result(LONGEST_S) for name, each in watched.items()}

    def _hand_in(self, base_url: str, asked: Asked, files: Mapping[str, File]) -> Told:
        """Hand a job in, at a random moment of the first half minute, and watch it to its end."""
        time.sleep(random.Random(asked.name).uniform(0, 30) if len(self.asked) > 2 else 0)
        with Client(base_url) as client:
            job = _until_reached(lambda: client.jobs.create(**request(asked, files)))
            return Told(job.id, [(event.id, event.type, dict(event.data)) for event in client.jobs.watch(job.id)])


def _strike(service: Service, other: Program, kills: int, *, at_work: Callable[[], bool]) -> Counter[str]:
    """Kill so often, each time a while after a worker has got hold of a job; fewer where the jobs end before."""
    rng, killed = random.Random(7), Counter[str]()
    while killed.total() < kills and at_work():
        time.sleep(rng.uniform(*GAP))
        name = rng.choice(("service", "worker", "worker of the service", "both"))
        if name == "worker of the service":
            with suppress(psutil.NoSuchProcess, IndexError):
                rng.choice(service.children).kill()
                killed[name] += 1
            continue
        programs = {"service": [service], "worker": [other], "both": [service, other]}[name]
        for program in programs:
            program.kill()
            killed["service" if program is service else "worker"] += 1
        for program in programs:
            program.start()
    return killed


def _at_work(store: Store, number: int) -> bool:
    """Wait until a worker that lives has a job; False where all `number` jobs have ended."""
    until = time.monotonic() + LONGEST_S
    while time.monotonic() < until:
        jobs = store.jobs.list(owner=None, limit=100).rows
        if any(job.worker and psutil.pid_exists(int(job.worker.rpartition(":")[2])) for job in jobs):
            return True
        if len(jobs) == number and all(job.status in ENDED for job in jobs):
            return False
        time.sleep(0.05)
    raise RuntimeError("no worker takes a job")


def _until_reached(call: Any) -> Any:
    """What a call gives that is made again while the service is away."""
    until = time.monotonic() + LONGEST_S
    while True:
        try:
            return call()
        except UnreachableError:
            if time.monotonic() > until:
                raise
            time.sleep(0.2)
