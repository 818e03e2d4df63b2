"""What runs with random faults, limits and kills have used, by the endpoint's count, against their limits."""

import random
import sqlite3
import tempfile
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any

from benchmarks.faults.endpoint import Bill, Endpoint
from benchmarks.faults.searches import Searched
from benchmarks.faults.sessions import after, begin, ends
from benchmarks.faults.task import task, write_task
from benchmarks.faulty import Plan
from blackbox import BlackboxError, Task, tune
from blackbox.backends import BackendError

COUNTED = ("requests", "prompt_tokens", "completion_tokens", "usd")
LOOSE = 100
"""Times what a run without faults uses."""
SECONDS = 0.02
"""That an answer takes: calls are in flight when a process is killed."""
KILLED = 3
"""Every so many-th run is killed."""
LIFE = 60
"""Requests of a session that is killed at most."""
SPENT = f"SELECT {', '.join(f'total({name})' for name in COUNTED)} FROM calls"


@dataclass(frozen=True)
class Ran:
    """One run: its limits, what the endpoint has given out, and what the run itself has written down."""

    tight: str
    kills: int
    limits: dict[str, float]
    bill: dict[str, float]
    spent: dict[str, float]


def run(searched: Searched, *, runs: int) -> dict[str, Any]:
    """The figures of so many runs of a search."""
    with Endpoint(seconds=SECONDS) as endpoint, tempfile.TemporaryDirectory() as name:
        endpoint.begin(Plan())
        tune(task(searched.rows), **searched.settings, base_url=endpoint.base_url)
        usual = counted(endpoint.bill())
        ran = []
        for seed in range(runs):
            folder = Path(name) / str(seed)
            folder.mkdir()
            ran.append(one(searched, endpoint, folder, seed, usual))
            print(
                f"{seed:>4} {ran[-1].tight:<18} {ran[-1].kills} kills, {ran[-1].bill['requests']:.0f} requests",
                flush=True,
            )
    figures = {name: of_limit(name, ran) for name in COUNTED}
    _print(figures)
    return {
        "runs": len(ran),
        "runs_killed": sum(bool(one.kills) for one in ran),
        "kills": sum(one.kills for one in ran),
        "limits": figures,
        "no_limit_passed": all(not float(str(figure["overshoot"])) > 0 for figure in figures.values()),
        "all_written_down": all(not float(str(figure["not_written_down"])) > 0 for figure in figures.values()),
    }


def one(searched: Searched, endpoint: Endpoint, folder: Path, seed: int, usual: dict[str, float]) -> Ran:
    """A run with one tight limit, or with loose ones only."""
    rng = random.Random(seed)
    tight = [*COUNTED, "none"][seed % 5]
    limits = {name: LOOSE * usual[name] for name in COUNTED}
    if tight != "none":
        limits[tight] = max(rng.uniform(0.1, 0.9) * usual[tight], 1e-9)
    limits = {name: limit if name == "usd" else int(limit) for name, limit in limits.items()}
    settings: dict[str, Any] = {
        **searched.settings,
        "base_url": endpoint.base_url,
        "parallel": rng.choice([2, 4, 16]),
        "call_seconds": 0.5,
        **{f"max_{name}": limit for name, limit in limits.items()},
    }
    endpoint.begin(Plan(share=rng.uniform(0.05, 0.4), seed=seed))
    kills = 0
    if seed % KILLED:
        in_process(task(searched.rows), folder / "run", settings)
    else:
        kills = in_sessions(endpoint, write_task(folder / "task.toml", searched.rows, settings), folder / "run", rng)
    with closing(sqlite3.connect(folder / "run" / "answers.sqlite")) as connection:
        spent = connection.execute(SPENT).fetchone()
    return Ran(tight, kills, limits, counted(endpoint.bill()), dict(zip(COUNTED, spent, strict=True)))


def in_process(of: Task, folder: Path, settings: dict[str, Any]) -> None:
    """A run that may end with an error where its budget does."""
    try:
        tune(of, **settings, folder=folder)
    except (BlackboxError, BackendError) as error:
        print(f"     {type(error).__name__}: {error}")


def in_sessions(endpoint: Endpoint, config: Path, folder: Path, rng: random.Random) -> int:
    """A run that is killed and resumed; the number of kills."""
    most = rng.randrange(1, 6)
    for kills in range(most):
        if ends(begin(config, folder), after(rng.randrange(LIFE), endpoint)):
            return kills
    ends(begin(config, folder))
    return most


def counted(bill: Bill) -> dict[str, float]:
    return {name: getattr(bill, name) for name in COUNTED}


def of_limit(name: str, ran: list[Ran]) -> dict[str, object]:
    """Over all runs: the endpoint's count less the limit, and less what was written down; neither may be above 0."""
    return {
        "overshoot": max(one.bill[name] - one.limits[name] for one in ran),
        "overshoot_where_tight": max(
            (one.bill[name] - one.limits[name] for one in ran if one.tight == name), default=None
        ),
        "not_written_down": max(one.bill[name] - one.spent[name] for one in ran),
        "share_of_a_tight_limit_spent": median(
            [one.spent[name] / one.limits[name] for one in ran if one.tight == name] or [0.0]
        ),
    }


def _print(figures: dict[str, dict[str, object]]) -> None:
    print(f"\n{'limit':<20}{'count - limit':>16}{'count - written':>18}{'spent of a tight one':>22}")
    for name, figure in figures.items():
        values = figure["overshoot_where_tight"], figure["not_written_down"], figure["share_of_a_tight_limit_spent"]
        over, unwritten, share = (float("nan") if value is None else float(str(value)) for value in values)
        print(f"{name:<20}{over:>16.6g}{unwritten:>18.6g}{share:>22.1%}")
    print()
