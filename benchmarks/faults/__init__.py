"""Whole runs on an endpoint that fails, in processes that are killed: budget, result, and what is paid twice."""

import logging
import os

from benchmarks.faults import kills, outages, overshoot


def run(*, quick: bool) -> dict[str, object]:
    """What 50 runs with random faults use of their limits, 20 kills, and an outage of 60 s; `quick`: fewer, shorter."""
    os.environ["NO_PROXY"] = "*"  # the endpoints are on the loopback
    logging.getLogger("blackbox").setLevel(logging.ERROR)
    return {
        "overshoot": overshoot.run(runs=4 if quick else 50),
        "kills": kills.run(kills=2 if quick else 20),
        "outages": outages.run(outage_seconds=3.0 if quick else 60.0, real=not quick),
    }
