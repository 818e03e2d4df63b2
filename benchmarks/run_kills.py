"""`kill -9` at fifty random moments of local runs, then `resume`: does each end as the unbroken one, bit for bit?

Five kinds of search behind the fake backend, in processes of their own; the last kill of each chain also tears the last
line of the journal. The tests do the same (`tests/blackbox/test_kill.py`), and this counts.
"""

import random
import tempfile
from pathlib import Path

from tests.blackbox.runs import finish, outcome, spawn, write_task
from tests.blackbox.test_kill import COMMON, SETTINGS, kill_after, kill_at_lines, session, tear_last_line

CHAINS, KILLS = 2, 5


def run(*, quick: bool) -> dict[str, object]:
    """Kills, and chains of them that end as the unbroken run, by search; `quick`: one search, one chain."""
    searches = {}
    for name in list(SETTINGS)[:1] if quick else SETTINGS:
        with tempfile.TemporaryDirectory() as folder:
            searches[name] = killed(Path(folder), name, chains=1 if quick else CHAINS)
        print(f"{name}: {searches[name]}", flush=True)
    each = list(searches.values())
    kills, chains, same = (sum(one[key] for one in each) for key in ("kills", "chains", "as_unbroken"))
    return {"kills": kills, "chains": chains, "as_unbroken": same, "searches": searches}


def killed(folder: Path, name: str, *, chains: int) -> dict[str, int]:
    """The chains of kills of one search."""
    config = write_task(folder, **COMMON, **SETTINGS[name])
    finish(spawn("tune", config, "--runs", folder, "--name", "whole"))
    expected, same, inside = outcome(folder / "whole"), 0, 0
    total = len(expected["facts"])
    for chain in range(1, chains + 1):
        rng, broken = random.Random(chain), folder / f"chain{chain}" / "whole"
        for lines in sorted(rng.sample(range(1, total), KILLS - 1)):
            kill_at_lines(config, broken, lines, delay=rng.uniform(0.0, 0.004))
            inside += (broken / "evaluations.jsonl").read_bytes().count(b"\n") < total
        kill_after(config, broken, rng.uniform(0.2, 1.2))
        tear_last_line(broken / "evaluations.jsonl", rng)
        finish(spawn(*session(config, broken)))
        same += outcome(broken) == expected
    return {
        "chains": chains,
        "kills": KILLS * chains,
        "kills_in_the_middle_of_the_search": inside,
        "evaluations": total,
        "as_unbroken": same,
    }
