"""The same run, quiet and with an endpoint that fails: the ranking, and rows lost to a failure."""

import logging
import os
import threading
import time
from collections.abc import Callable
from contextlib import ExitStack
from typing import Any

from benchmarks.faults.endpoint import Endpoint
from benchmarks.faults.searches import SEARCHES
from benchmarks.faults.task import FEW_ROWS, task
from benchmarks.faulty import OK, Plan
from benchmarks.llama_server import llama_server
from blackbox import Evaluation, Result, tune

PARALLEL = 8
SHARE = 0.1


def run(*, quick: bool) -> dict[str, object]:
    """The figures of each fault; an outage lasts a minute, from the middle of the quiet run's calls.

    The model is SmolLM2-135M behind llama.cpp's server. `quick`: it is no real one, and an outage is short.
    """
    os.environ["NO_PROXY"] = "*"  # the endpoints are on the loopback
    logging.getLogger("blackbox").setLevel(logging.ERROR)
    outage_seconds, real = (3.0, False) if quick else (60.0, True)
    faults: dict[str, tuple[Plan, Callable[[Endpoint, bool], None] | None]] = {
        "connections refused": (Plan(), Endpoint.refuse),
        "503 with retry-after": (Plan(), overloaded),
        "10% 429 with retry-after": (Plan(share=SHARE, faults=("429 with retry-after",)), None),
        "10% 500": (Plan(share=SHARE, faults=("500",)), None),
    }
    with ExitStack() as stack:
        behind = stack.enter_context(llama_server()) if real else None
        endpoint = stack.enter_context(Endpoint(behind=behind, seconds=0.0 if real else 0.02, retry_after=1.0))
        quiet = searched(endpoint, Plan())
        middle = endpoint.bill().requests // 2
        print(
            f"quiet: {middle * 2} requests, {quiet.summary.seconds:.0f} s; ranking {' '.join(ranking(quiet))}",
            flush=True,
        )
        each = {}
        for name, (plan, outage) in faults.items():
            if outage:
                during = threading.Thread(target=_outage, args=(endpoint, outage, middle, outage_seconds), daemon=True)
                found = searched(endpoint, plan, during)
                during.join()
            else:
                found = searched(endpoint, plan)
            each[name] = compared(found, quiet, endpoint)
            print(f"{name}: {each[name]}", flush=True)
    return {
        "model": "SmolLM2-135M-Instruct" if real else "none",
        "outage_seconds": outage_seconds,
        "ranking": ranking(quiet),
        "each": each,
        "all_rankings_the_same": all(one["same_ranking"] for one in each.values()),
        "rows_wrong_because_of_a_failure": sum(one["rows_more_wrong"] for one in each.values()),
    }


def searched(endpoint: Endpoint, plan: Plan, during: threading.Thread | None = None) -> Result:
    """One run."""
    endpoint.begin(plan)
    if during:
        during.start()
    return tune(
        task(FEW_ROWS),
        **SEARCHES["texts"].settings,
        base_url=endpoint.base_url,
        parallel=PARALLEL,
        outage_seconds=300.0,
    )


def overloaded(endpoint: Endpoint, on: bool) -> None:
    """All are told to come back later, or none is."""
    endpoint.plan(Plan.of(then="503 with retry-after" if on else OK))


def ranking(result: Result) -> list[str]:
    """The candidates' digests, the lowest training loss first."""
    trained = sorted((one for one in result.history if one.split == "train"), key=lambda one: (one.loss, one.number))
    return list(dict.fromkeys(one.candidate for one in trained))


def compared(found: Result, quiet: Result, endpoint: Endpoint) -> dict[str, Any]:
    """A run against the quiet one."""
    pairs = list(zip(found.history, quiet.history, strict=False))
    return {
        "same_ranking": ranking(found) == ranking(quiet),
        "same_evaluations": [one.facts for one in found.history] == [one.facts for one in quiet.history],
        "rows_more_wrong": sum(max(0, wrong(one) - wrong(other)) for one, other in pairs),
        "rows_without_an_answer": sum(one.failed_rows for one in found.history),
        "requests": endpoint.bill().requests,
        "seconds": round(found.summary.seconds, 1),
    }


def wrong(evaluation: Evaluation) -> int:
    """Rows that count as wrong."""
    rows = evaluation.rows - evaluation.failed_rows
    return round(rows * (1 - evaluation.measured.value)) if evaluation.measured else 0


def _outage(endpoint: Endpoint, switch: Callable[[Endpoint, bool], None], after: int, seconds: float) -> None:
    while endpoint.bill().requests < after:
        time.sleep(0.05)
    switch(endpoint, True)
    time.sleep(seconds)
    switch(endpoint, False)
