"""Whole runs of each search on an endpoint that fails, in processes that are killed: budget, result, paid twice.

Each search has runs with random faults, limits and kills, of which the endpoint's own count says what they have used;
and runs with faults of the moment that are killed until they have ended, which are compared with an unbroken one on an
endpoint that does not fail.
"""

import logging
import os
from typing import Any

from benchmarks.faults import kills, overshoot
from benchmarks.faults.searches import SEARCHES
from benchmarks.kept import once

RUNS, KILLS = 6, 5
"""Of each search."""
QUICK = ("texts", "reflective")


def run(*, quick: bool) -> dict[str, object]:
    """The figures of each search, and of all together; `quick`: two searches, less of each."""
    os.environ["NO_PROXY"] = "*"  # the endpoints are on the loopback
    logging.getLogger("blackbox").setLevel(logging.ERROR)
    runs, number = (2, 1) if quick else (RUNS, KILLS)
    found = {}
    for name in QUICK if quick else SEARCHES:
        print(f"\n{name}", flush=True)
        limited = once(f"{name} {runs} limits", lambda name=name: overshoot.run(SEARCHES[name], runs=runs))  # type: ignore[misc]
        killed = once(f"{name} {number} kills", lambda name=name: kills.run(SEARCHES[name], kills=number))  # type: ignore[misc]
        found[name] = {"limits": limited, "kills": killed}
    return {**together(found), "searches": found}


def together(found: dict[str, dict[str, Any]]) -> dict[str, object]:
    """Over all searches."""
    limits, killed = ([one[part] for one in found.values()] for part in ("limits", "kills"))
    kills_of_chains = sum(one["kills"] for one in killed)
    return {
        "runs_with_limits": sum(one["runs"] for one in limits),
        "kills_with_limits": sum(one["kills"] for one in limits),
        "no_limit_passed": all(one["no_limit_passed"] for one in limits),
        "all_costs_written_down": all(one["all_written_down"] for one in limits),
        "kills": kills_of_chains,
        "paid_twice": sum(one["paid_twice"] for one in killed),
        "paid_twice_a_kill": sum(one["paid_twice"] for one in killed) / max(kills_of_chains, 1),
        "never_more_than_in_flight": all(one["never_more_than_in_flight"] for one in killed),
        "every_answer_written_down_once": all(one["every_answer_written_down_once"] for one in killed),
        "all_results_the_same": all(one["all_results_the_same"] for one in killed),
    }
