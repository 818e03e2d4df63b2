"""kill -9 at fifty random moments: the run that is resumed ends as the unbroken one, bit for bit."""

import random
import signal
import time
from pathlib import Path

import pytest

from tests.blackbox.runs import finish, outcome, spawn, wait_for_lines, write_task

SETTINGS = {
    "deep": {"space": "deep", "optimizer": "blockwise:cma-es", "layers": "all"},
    "soft": {"space": "soft", "optimizer": "random-search"},
    "evolution": {"space": "choices", "optimizer": "evolution"},
    "finished": {"space": "choices", "optimizer": "categorical", "ensemble": 3, "calibration": "auto"},
    "reflective": {"space": "choices", "optimizer": "reflective"},
}
COMMON = {"dimension": 6, "population": 6, "slice_size": 2, "evaluations": 300, "seed": 3}


@pytest.fixture(scope="module", params=SETTINGS)
def unbroken(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """A configuration, and the folder of its run that nothing has stopped."""
    folder = tmp_path_factory.mktemp(request.param)
    config = write_task(folder, **COMMON, **SETTINGS[request.param])
    assert finish(spawn("tune", config, "--runs", folder, "--name", "whole"))[0] == 0
    return config, folder / "whole"


def session(config: Path, folder: Path) -> tuple[object, ...]:
    """The command that goes on: a run that was killed before it had begun is begun."""
    if (folder / "config.json").exists():
        return ("resume", folder)
    return ("tune", config, "--runs", folder.parent, "--name", folder.name)


def kill_at_lines(config: Path, folder: Path, lines: int, delay: float) -> None:
    """Kill a session as soon as the journal has so many lines, and a moment more."""
    process = spawn(*session(config, folder))
    wait_for_lines(folder / "evaluations.jsonl", lines, process)
    time.sleep(delay)
    process.kill()
    assert process.wait() == -signal.SIGKILL
    process.communicate()


def kill_after(config: Path, folder: Path, seconds: float) -> None:
    """Kill a session after some time, wherever it is: loading, searching, writing its report."""
    process = spawn(*session(config, folder))
    time.sleep(seconds)
    process.kill()
    process.communicate()


def tear_last_line(journal: Path, rng: random.Random) -> None:
    """What a kill in the middle of a write leaves."""
    content = journal.read_bytes()
    start = content.rstrip(b"\n").rfind(b"\n") + 1
    journal.write_bytes(content[: rng.randrange(start + 1, len(content))])


@pytest.mark.parametrize("chain", [1, 2])
def test_a_run_that_was_killed_at_random_moments_ends_as_the_unbroken_run(
    unbroken: tuple[Path, Path], chain: int, tmp_path: Path
) -> None:
    """Five kills in each of two chains for each of five searches: fifty."""
    config, whole = unbroken
    expected, folder = outcome(whole), tmp_path / "whole"
    rng = random.Random(chain)
    total, left = len(expected["facts"]), set()
    for lines in sorted(rng.sample(range(1, total), 4)):
        kill_at_lines(config, folder, lines, delay=rng.uniform(0.0, 0.004))
        left.add((folder / "evaluations.jsonl").read_bytes().count(b"\n"))
    assert len([lines for lines in left if lines < total]) >= 2  # these hit the middle of the search
    kill_after(config, folder, rng.uniform(0.2, 1.2))
    tear_last_line(folder / "evaluations.jsonl", rng)
    assert finish(spawn(*session(config, folder)))[0] == 0
    assert outcome(folder) == expected
