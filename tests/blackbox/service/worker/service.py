"""A service without its HTTP side: a store, jobs in it, and real worker processes."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from blackbox.evaluation import Evaluation
from blackbox.service.jobs import ENDED
from blackbox.service.jobs.request import JobRequest
from blackbox.service.operator import Operator, default_operator
from blackbox.service.store import LOCAL_OWNER, Job, Store

DEADLINE = 120.0
ROOT = Path(__file__).parents[4]
SETTINGS: dict[str, Any] = {
    "label_words": {"negative": "bad", "positive": "great"},
    "prompt": "Is it bad or great?",
    "evaluations": 400,
    "dimension": 8,
    "population": 10,
    "shots": 4,
}


def data() -> bytes:
    """Rows of a task that the fake backend can do."""
    rows = [
        {"text": f"a {word} film, number {number}", "label": label}
        for number in range(10)
        for word, label in (("great", "positive"), ("bad", "negative"))
    ]
    return "\n".join(json.dumps(row) for row in rows).encode()


def submit(store: Store, operator: Operator | None = None, *, backend: str = "fake", **settings: Any) -> Job:
    """Hand a job in, as the HTTP side does."""
    file = store.files.create(
        LOCAL_OWNER, name="train.jsonl", purpose="tuning", format="jsonl", rows=20, content=[data()]
    )
    values = {"backend": backend, "training_file": file.id, "settings": {**SETTINGS, **settings}}
    request = JobRequest.of(values)
    budget = (operator or default_operator()).check(request)
    job, _ = store.jobs.create(
        LOCAL_OWNER, request.model_dump(), backend=backend, budget=budget, files=request.files.values()
    )
    return job


@contextmanager
def worker(url: str, folder: Path, *options: str) -> Iterator[subprocess.Popen[bytes]]:
    """A worker process; it is killed when the context ends, if it is still there."""
    command = [sys.executable, "-m", "blackbox", "worker", "--folder", str(folder), "--lease-seconds", "1", *options]
    environment = {**os.environ, "BLACKBOX_DATABASE": url, "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"}
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "log").open("ab") as log:
        process = subprocess.Popen(command, env=environment, stderr=log)
    try:
        yield process
    finally:
        kill(process)


def kill(process: subprocess.Popen[bytes]) -> None:
    """Kill -9, and wait until it is gone."""
    process.kill()
    process.wait()


def end(process: subprocess.Popen[bytes]) -> int:
    """Ask a worker to end, and wait for it; its exit code."""
    process.send_signal(signal.SIGTERM)
    return process.wait(timeout=DEADLINE)


def wait_until(holds: Callable[[], bool]) -> None:
    until = time.monotonic() + DEADLINE
    while not holds():
        assert time.monotonic() < until
        time.sleep(0.005)


def wait_for_generation(store: Store, job: Job, generation: int) -> None:
    def reached() -> bool:
        now = store.jobs.get(job.id, owner=None)
        assert now.status not in ENDED, f"{now.status}: {now.error}"
        return now.progress.generation >= generation

    wait_until(reached)


def wait_for_end(store: Store, job: Job) -> Job:
    wait_until(lambda: store.jobs.get(job.id, owner=None).status in ENDED)
    return store.jobs.get(job.id, owner=None)


def evaluations(store: Store, job: Job) -> list[Evaluation]:
    """All of a job's; their numbers are checked on the way."""
    rows = store.evaluations.list(job.id, limit=100_000).rows
    assert [row.number for row in rows] == list(range(len(rows)))
    return [Evaluation.from_dict(json.loads(row.line)) for row in rows]


def events(store: Store, job: Job) -> list[tuple[str, dict[str, Any]]]:
    """The types and what two runs agree in; the numbers are checked on the way."""
    found = store.events.list(job.id, limit=100_000).rows
    assert [event.number for event in found] == list(range(1, len(found) + 1))
    return [(event.type, _agreed(event.data)) for event in found]


def _agreed(values: Mapping[str, Any]) -> dict[str, Any]:
    """Without what two runs differ in. Calls in parallel are summed up in any order: the last digits of USD differ."""
    kept = {key: value for key, value in values.items() if key not in ("seconds", "worker", "lost")}
    return {**kept, "usd": round(kept["usd"], 12)} if "usd" in kept else kept


def outcome(store: Store, job: Job) -> dict[str, Any]:
    """What an unbroken job and one that was killed on the way must agree in."""
    ended = store.jobs.get(job.id, owner=None)
    checkpoints = store.evaluations.checkpoints(job.id, limit=10_000).rows
    return {
        "status": (ended.status, ended.stop_reason, ended.error),
        "facts": [evaluation.facts for evaluation in evaluations(store, job)],
        "generations": [event for event in events(store, job) if event[0] == "generation"],
        "checkpoints": [(row.generation, row.evaluations, row.train_loss, row.dev, row.prompt) for row in checkpoints],
        "summary": _agreed(ended.summary or {}),
        "prompt": {
            artifact.name: artifact.sha256
            for artifact in store.artifacts.list(job.id)
            if artifact.name.startswith("prompt/")
        },
    }
