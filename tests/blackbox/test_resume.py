"""A run that was stopped ends as the unbroken run does."""

import json
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from blackbox import Result, Summary, resume, tune
from blackbox.backends import FakeBackend, Prompt, Query, Scores
from blackbox.errors import DamagedFileError, MismatchError, RunError
from blackbox.optimizers import CMAES, StateError
from tests.blackbox.small import QUICK, facts, make_task

pytestmark = pytest.mark.usefixtures("without_pictures")

FILES = {"config.json", "task.json", "environment.json", "evaluations.jsonl", "checkpoint.json", "summary.json"}
REPORT = {"report.html", "curve.png"}


class Breaking(FakeBackend):
    """Raises an error at one of its calls, counted from 1."""

    def __init__(self, at: int, error: BaseException) -> None:
        super().__init__()
        self._left, self._error = at, error

    def score(self, prompts: Sequence[Prompt], queries: Sequence[Query]) -> Scores:
        self._left -= 1
        if not self._left:
            raise self._error
        return super().score(prompts, queries)


def start(folder: Path, **changes: Any) -> Result:
    return tune(make_task(), **{**QUICK, "folder": folder, **changes})


def go_on(folder: Path, **parts: Any) -> Result:
    return resume(folder, **{"backend": FakeBackend(), **parts})


@pytest.fixture(scope="module")
def unbroken(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a run that nothing has stopped."""
    folder = tmp_path_factory.mktemp("unbroken") / "run"
    start(folder)
    return folder


@pytest.fixture
def finished(unbroken: Path, tmp_path: Path) -> Path:
    """A copy of it."""
    return Path(shutil.copytree(unbroken, tmp_path / "run"))


def lines(folder: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (folder / "evaluations.jsonl").read_text().splitlines()]


def outcome(folder: Path) -> dict[str, object]:
    """All that a run has found and counted, but for time and its measure."""
    timeless = [{key: line[key] for key in line if key not in ("elapsed", "usage")} for line in lines(folder)]
    summary = {key: value for key, value in vars(Summary.read(folder / "summary.json")).items() if key != "seconds"}
    vectors = (folder / "prompt" / "prompt.safetensors").read_bytes()
    return {"lines": timeless, "summary": summary, "vectors": vectors}


def test_a_run_folder_holds_what_a_run_is_made_of_and_found(unbroken: Path) -> None:
    assert (
        FILES | {"prompt", "report.html"} <= {path.name for path in unbroken.iterdir()} <= FILES | REPORT | {"prompt"}
    )
    assert not list(unbroken.rglob("*.part"))


@pytest.mark.parametrize("at", [1, 2, 3, 4, 5, 9, 20])
def test_a_run_that_failed_at_any_call_says_so_and_ends_as_the_unbroken_run(
    at: int, unbroken: Path, tmp_path: Path
) -> None:
    folder = tmp_path / "run"
    with pytest.raises(RuntimeError, match="the model is gone"):
        start(folder, backend=Breaking(at, RuntimeError("the model is gone")))
    summary = Summary.read(folder / "summary.json")
    assert (summary.status, summary.stop_reason) == ("failed", "RuntimeError: the model is gone")
    assert (folder / "report.html").exists()
    paid = lines(folder)
    assert summary.requests == sum(line["usage"]["requests"] for line in paid)
    result = go_on(folder)
    assert outcome(folder) == outcome(unbroken)
    assert lines(folder)[: len(paid)] == paid
    assert facts(result.history) == facts(resume(unbroken).history)


def test_a_run_that_the_user_stopped_says_so_and_ends_as_the_unbroken_run(unbroken: Path, tmp_path: Path) -> None:
    folder = tmp_path / "run"
    with pytest.raises(KeyboardInterrupt):
        start(folder, backend=Breaking(8, KeyboardInterrupt()))
    summary = Summary.read(folder / "summary.json")
    assert (summary.status, summary.stop_reason) == ("interrupted", "the user")
    assert 0 < summary.evaluations < Summary.read(unbroken / "summary.json").evaluations
    go_on(folder)
    assert outcome(folder) == outcome(unbroken)


def test_what_is_paid_for_is_not_paid_again(tmp_path: Path) -> None:
    folder, counting = tmp_path / "run", Breaking(10**9, RuntimeError())
    with pytest.raises(RuntimeError):
        start(folder, backend=Breaking(7, RuntimeError()))
    before = counting._left
    resume(folder, backend=counting)
    unbroken = Breaking(10**9, RuntimeError())
    start(tmp_path / "other", backend=unbroken)
    assert before - counting._left == (before - unbroken._left) - 6


def test_a_run_that_has_ended_stays_as_it_is(finished: Path) -> None:
    before, journal = outcome(finished), (finished / "evaluations.jsonl").read_bytes()
    resume(finished, backend=Breaking(1, RuntimeError("nothing is left to pay for")))
    assert outcome(finished) == before
    assert (finished / "evaluations.jsonl").read_bytes() == journal


@pytest.mark.parametrize("seed", range(6))
def test_a_journal_that_lost_its_end_is_filled_again(seed: int, finished: Path, unbroken: Path) -> None:
    """Cut at any byte, with a checkpoint that may be ahead of what is left."""
    journal = finished / "evaluations.jsonl"
    content = journal.read_bytes()
    journal.write_bytes(content[: int(np.random.default_rng(seed).integers(0, len(content)))])
    resume(finished)
    assert outcome(finished) == outcome(unbroken)


def test_a_run_without_its_checkpoint_is_replayed_and_pays_for_nothing(finished: Path, unbroken: Path) -> None:
    (finished / "checkpoint.json").unlink()
    resume(finished, backend=Breaking(1, RuntimeError("nothing is left to pay for")))
    assert outcome(finished) == outcome(unbroken)


def test_a_run_that_lost_journal_and_checkpoint_begins_again(finished: Path, unbroken: Path) -> None:
    (finished / "checkpoint.json").unlink()
    (finished / "evaluations.jsonl").unlink()
    resume(finished)
    assert outcome(finished) == outcome(unbroken)


def test_a_damaged_checkpoint_is_refused_and_nothing_is_changed(finished: Path) -> None:
    path = finished / "checkpoint.json"
    path.write_bytes(path.read_bytes()[:-30])
    before = {file: file.read_bytes() for file in finished.rglob("*") if file.is_file()}
    with pytest.raises(DamagedFileError, match="delete it and resume"):
        resume(finished)
    assert {file: file.read_bytes() for file in finished.rglob("*") if file.is_file()} == before


def test_a_damaged_journal_is_refused_by_line(finished: Path) -> None:
    path = finished / "evaluations.jsonl"
    content = path.read_text().splitlines()
    path.write_text("\n".join([*content[:4], content[4][:-9], *content[5:]]) + "\n")
    with pytest.raises(DamagedFileError, match="line 5"):
        resume(finished)


def test_other_weights_are_refused(finished: Path) -> None:
    with pytest.raises(MismatchError, match="began with another model hash"):
        resume(finished, backend=FakeBackend(margin=1.0))


def test_other_rows_are_refused(finished: Path) -> None:
    path = finished / "task.json"
    path.write_text(path.read_text().replace("Day 3 was great", "Day 3 was really great"))
    with pytest.raises(MismatchError, match="began with another data hash"):
        resume(finished)


def test_another_optimizer_than_the_runs_is_refused(finished: Path) -> None:
    with pytest.raises(StateError, match="optimizer is 'Blockwise' in the state"):
        resume(finished, optimizer=CMAES(16, seed=1))


def test_a_journal_of_another_search_is_refused(finished: Path) -> None:
    (finished / "checkpoint.json").unlink()
    path = finished / "config.json"
    path.write_text(path.read_text().replace('"seed": 1', '"seed": 2'))
    with pytest.raises(MismatchError, match="the journal was written by"):
        resume(finished)


def test_a_folder_without_a_run_is_refused(tmp_path: Path) -> None:
    for folder in (tmp_path, tmp_path / "none"):
        with pytest.raises(RunError, match=r"holds no run: there is no config\.json"):
            resume(folder)
    assert not (tmp_path / "none").exists()


def test_a_second_run_in_the_same_folder_is_refused_and_changes_nothing(finished: Path) -> None:
    before = outcome(finished)
    with pytest.raises(RunError, match="holds a run already; go on with `blackbox resume"):
        start(finished, seed=9)
    assert outcome(finished) == before


def test_objects_that_are_given_again_go_on_where_they_stood(tmp_path: Path) -> None:
    def make() -> CMAES:
        return CMAES(16, population_size=5, seed=3)

    with pytest.raises(RuntimeError):
        start(tmp_path / "run", optimizer=make(), backend=Breaking(12, RuntimeError()))
    resume(tmp_path / "run", optimizer=make(), backend=FakeBackend())
    start(tmp_path / "whole", optimizer=make())
    assert outcome(tmp_path / "run") == outcome(tmp_path / "whole")


@pytest.mark.parametrize("optimizer", ["cma-es", "random-search", "blockwise:random-search"])
def test_every_optimizer_goes_on_as_unbroken(optimizer: str, tmp_path: Path) -> None:
    with pytest.raises(RuntimeError):
        start(tmp_path / "run", optimizer=optimizer, backend=Breaking(11, RuntimeError()))
    go_on(tmp_path / "run")
    start(tmp_path / "whole", optimizer=optimizer)
    assert outcome(tmp_path / "run") == outcome(tmp_path / "whole")


def test_a_budget_of_seconds_counts_over_all_sessions(tmp_path: Path) -> None:
    result = start(tmp_path / "run", evaluations=100)
    again = resume(tmp_path / "run")
    assert again.summary.seconds >= result.history[-1].elapsed
