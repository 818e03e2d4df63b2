"""kill -9 at random moments of a run whose endpoint fails: what it finds in the end, and what was paid for twice."""

import random
import sqlite3
import tempfile
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

from benchmarks.faults.endpoint import Endpoint
from benchmarks.faults.searches import Searched
from benchmarks.faults.sessions import after, begin, ends, found
from benchmarks.faults.task import write_task
from benchmarks.faulty import Plan

PARALLEL = 4
SECONDS = 0.03
"""That an answer takes: calls are in flight when a process is killed."""
LIFE = 0.35
"""Requests of a session that is killed at most, as a share of the unbroken run's."""
CALL_SECONDS = 2.0
SHARE, FAULTS = 0.1, ("429", "429 with retry-after", "500", "503 with retry-after", "truncated", "trickle", "reset")
"""What the calls of a run that is killed meet: refusals, answers that are cut off or broken off, time-outs."""
WRITTEN = "SELECT count(answer) FROM calls"


def run(searched: Searched, *, kills: int) -> dict[str, Any]:
    """The figures of so many kills of a search, over as many runs as they take."""
    rng, chains = random.Random(5), list[dict[str, object]]()
    with Endpoint(seconds=SECONDS) as endpoint, tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        settings = {"base_url": endpoint.base_url, "parallel": PARALLEL, "call_seconds": CALL_SECONDS}
        config = write_task(folder / "task.toml", searched.rows, {**searched.settings, **settings})
        endpoint.begin(Plan())
        ends(begin(config, folder / "unbroken"))
        expected, paid = found(folder / "unbroken"), endpoint.bill().answers
        while (done := sum(int(str(chain["kills"])) for chain in chains)) < kills:
            endpoint.begin(Plan(share=SHARE, faults=FAULTS, seed=len(chains)))
            chain = folder / f"chain{len(chains)}"
            moments = [rng.randrange(int(LIFE * paid)) for _ in range(kills - done)]
            twice = killed(endpoint, config, chain, moments)
            bill = endpoint.bill()
            chains.append(
                {
                    "kills": len(twice),
                    "same_result": found(chain) == expected,
                    "requests": bill.requests,
                    "answers": bill.answers,
                    "written_down": written_down(chain),
                    "paid_twice": bill.again,
                    "most_beyond_in_flight": max(
                        [again - PARALLEL * number for number, again in enumerate(twice, start=1)], default=0
                    ),
                }
            )
            print(f"chain {len(chains)}: {chains[-1]}; unbroken {paid} answers", flush=True)
    return figures(chains, paid)


def killed(endpoint: Endpoint, config: Path, folder: Path, moments: Sequence[int]) -> list[int]:
    """Kill sessions after so many requests each, and let the last one end.

    Returns:
        For each kill the answers paid twice up to the end of what came behind.
    """
    twice = list[int]()
    for requests in moments:
        if ends(begin(config, folder), after(requests, endpoint)):
            break
        twice.append(endpoint.bill().again)
    else:
        ends(begin(config, folder))
    return [*twice[1:], endpoint.bill().again][: len(twice)]


def written_down(folder: Path) -> int:
    """Answers in the journal of a run."""
    with closing(sqlite3.connect(folder / "answers.sqlite")) as connection:
        return int(connection.execute(WRITTEN).fetchone()[0])


def figures(chains: list[dict[str, object]], paid: int) -> dict[str, Any]:
    """Over all chains. Answers that were paid for twice are written down once, all others once."""
    total = {name: sum(int(str(chain[name])) for chain in chains) for name in ("kills", "paid_twice")}
    return {
        "parallel": PARALLEL,
        "answers_of_the_unbroken_run": paid,
        "chains": len(chains),
        **total,
        "paid_twice_a_kill": total["paid_twice"] / max(total["kills"], 1),
        "every_answer_written_down_once": all(
            int(str(chain["written_down"])) == int(str(chain["answers"])) - int(str(chain["paid_twice"]))
            for chain in chains
        ),
        "all_results_the_same": all(chain["same_result"] for chain in chains),
        "never_more_than_in_flight": all(int(str(chain["most_beyond_in_flight"])) <= 0 for chain in chains),
        "each": chains,
    }
