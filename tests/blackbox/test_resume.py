"""A run that was stopped ends as the unbroken run does."""

import json
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from blackbox import Callback, Progress, Result, SavedPrompt, Summary, resume, tune
from blackbox.backends import FakeBackend, Prompt, Query, Scores
from blackbox.errors import DamagedFileError, MismatchError, RunError
from blackbox.files import read_json, write_json
from blackbox.journal import Journal
from blackbox.optimizers import CMAES, StateError
from blackbox.run_folder import RunFolder
from blackbox.spaces import DeepSpace
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


@pytest.fixture
def unfinished(finished: Path) -> Path:
    """A copy that a kill has kept from saying that it has ended."""
    write_json(finished / "summary.json", {**read_json(finished / "summary.json"), "status": "running"})
    return finished


def lines(folder: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (folder / "evaluations.jsonl").read_text().splitlines()]


def outcome(folder: Path) -> dict[str, object]:
    """All that a run has found and counted, but for time and its measure."""
    timeless = [{key: line[key] for key in line if key not in ("elapsed", "usage")} for line in lines(folder)]
    summary = {key: value for key, value in vars(Summary.read(folder / "summary.json")).items() if key != "seconds"}
    vectors = {path.name: path.read_bytes() for path in (folder / "prompt").glob("*.safetensors")}
    return {"lines": timeless, "summary": summary, "vectors": vectors}


def contents(folder: Path) -> dict[Path, bytes]:
    return {file: file.read_bytes() for file in folder.rglob("*") if file.is_file()}


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


@pytest.mark.parametrize("optimizer", ["islands:cma-es", "blockwise:islands:cma-es"])
@pytest.mark.parametrize("checkpoint", [True, False])
def test_a_run_on_islands_that_failed_ends_as_the_unbroken_run(
    optimizer: str, checkpoint: bool, tmp_path: Path
) -> None:
    settings = {"optimizer": optimizer, "islands": 2, "migration_interval": 1, "evaluations": 60}
    whole = start(tmp_path / "whole", **settings)
    with pytest.raises(RuntimeError, match="the model is gone"):
        start(tmp_path / "run", backend=Breaking(12, RuntimeError("the model is gone")), **settings)
    if not checkpoint:
        (tmp_path / "run" / "checkpoint.json").unlink()
    assert facts(go_on(tmp_path / "run").history) == facts(whole.history)
    assert outcome(tmp_path / "run") == outcome(tmp_path / "whole")


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


def test_the_result_of_a_run_that_has_ended_is_read_without_a_search(finished: Path) -> None:
    (finished / "checkpoint.json").write_text("not even read")
    before = contents(finished)
    result = resume(finished)
    assert contents(finished) == before
    assert result.summary == Summary.read(finished / "summary.json")
    assert [json.loads(json.dumps(found.to_dict())) for found in result.history] == lines(finished)
    assert len(result.predict(make_task().test.rows)) == len(make_task().test)


@pytest.mark.parametrize("seed", range(6))
def test_a_journal_that_lost_its_end_is_filled_again(seed: int, finished: Path, unbroken: Path) -> None:
    """Cut at any byte, with a checkpoint that may be ahead of what is left."""
    journal = finished / "evaluations.jsonl"
    content = journal.read_bytes()
    journal.write_bytes(content[: int(np.random.default_rng(seed).integers(0, len(content)))])
    resume(finished)
    assert outcome(finished) == outcome(unbroken)


def test_a_run_without_its_checkpoint_is_replayed_and_pays_for_nothing(unfinished: Path, unbroken: Path) -> None:
    (unfinished / "checkpoint.json").unlink()
    resume(unfinished, backend=Breaking(1, RuntimeError("nothing is left to pay for")))
    assert outcome(unfinished) == outcome(unbroken)


def test_a_run_that_lost_journal_and_checkpoint_begins_again(finished: Path, unbroken: Path) -> None:
    (finished / "checkpoint.json").unlink()
    (finished / "evaluations.jsonl").unlink()
    resume(finished)
    assert outcome(finished) == outcome(unbroken)


def test_a_damaged_checkpoint_is_refused_and_nothing_is_changed(unfinished: Path) -> None:
    path = unfinished / "checkpoint.json"
    path.write_bytes(path.read_bytes()[:-30])
    before = contents(unfinished)
    with pytest.raises(DamagedFileError, match="delete it and resume"):
        resume(unfinished)
    assert contents(unfinished) == before


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


def test_another_optimizer_than_the_runs_is_refused(unfinished: Path) -> None:
    with pytest.raises(StateError, match="optimizer is 'Blockwise' in the state"):
        resume(unfinished, optimizer=CMAES(16, seed=1))


def test_a_journal_of_another_search_is_refused(unfinished: Path) -> None:
    (unfinished / "checkpoint.json").unlink()
    path = unfinished / "config.json"
    path.write_text(path.read_text().replace('"sigma": 1.0', '"sigma": 2.0'))
    with pytest.raises(MismatchError, match="the journal was written by"):
        resume(unfinished)


def test_another_space_is_refused(unfinished: Path) -> None:
    path = unfinished / "config.json"
    path.write_text(path.read_text().replace('"seed": 1', '"seed": 2'))
    with pytest.raises(MismatchError, match="began with another space hash"):
        resume(unfinished)


@pytest.mark.parametrize("part", ["backend", "space", "optimizer"])
def test_a_run_that_was_started_with_an_object_is_refused_without_it_before_a_model_is_loaded(
    part: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    space = DeepSpace(FakeBackend().encode("ab"), {1: 1.0}, 8, dimension=16, seed=1)
    parts = {"backend": FakeBackend(), "space": space, "optimizer": CMAES(16, population_size=4, seed=1)}
    start(tmp_path / "run", **parts)
    monkeypatch.setattr("blackbox.build.FakeBackend", lambda: pytest.fail("a model was loaded"))
    with pytest.raises(RunError, match=rf"started with a {part} object; give it to resume\(\) again"):
        resume(tmp_path / "run", **{name: given for name, given in parts.items() if name != part})  # type: ignore[arg-type]


def test_a_folder_that_is_taken_is_refused_before_a_model_is_loaded(
    finished: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("blackbox.build.FakeBackend", lambda: pytest.fail("a model was loaded"))
    with pytest.raises(RunError, match="holds a run already"):
        start(finished)


def test_a_run_that_another_process_is_working_on_is_refused_and_not_changed(unfinished: Path) -> None:
    before = contents(unfinished)
    with Journal(unfinished / "evaluations.jsonl"), pytest.raises(RunError, match="another process is working"):
        resume(unfinished)
    assert contents(unfinished) == before


def test_a_running_run_says_after_each_generation_how_far_it_is(tmp_path: Path) -> None:
    class Reader(Callback):
        def on_generation(self, progress: Progress) -> None:
            summary = Summary.read(tmp_path / "run" / "summary.json")
            assert (summary.status, summary.evaluations) == ("running", progress.evaluations)

    start(tmp_path / "run", callbacks=[Reader()])


def test_a_run_that_goes_on_says_so_with_the_figures_that_it_had(tmp_path: Path) -> None:
    class Reader(Callback):
        def on_start(self, progress: Progress) -> None:
            summary = Summary.read(tmp_path / "run" / "summary.json")
            assert (summary.status, summary.evaluations) == ("running", progress.evaluations)
            assert summary.evaluations > 0

    with pytest.raises(KeyboardInterrupt):
        start(tmp_path / "run", backend=Breaking(8, KeyboardInterrupt()))
    go_on(tmp_path / "run", callbacks=[Reader()])


def test_the_prompt_is_written_only_when_another_is_selected(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    written: list[float] = []
    save = SavedPrompt.save

    def count(self: SavedPrompt, folder: Path) -> None:
        written.append(float(str(self.scores["train_loss"])))
        save(self, folder)

    monkeypatch.setattr(SavedPrompt, "save", count)
    start(tmp_path / "run")
    *kept, last = written
    assert last == kept[-1]  # once more at the end
    assert len(set(kept)) == len(kept) > 1


def test_a_prompt_that_a_kill_kept_from_being_written_is_there_when_the_run_goes_on(tmp_path: Path) -> None:
    folder, found = tmp_path / "run", []

    class Stops(Callback):
        def on_generation(self, progress: Progress) -> None:
            raise KeyboardInterrupt

    class Looks(Callback):
        def on_start(self, progress: Progress) -> None:
            found.append(RunFolder(folder).prompt.exists())

    with pytest.raises(KeyboardInterrupt):
        start(folder, callbacks=[Stops()])
    shutil.rmtree(RunFolder(folder).prompt)  # as if the kill had come behind the checkpoint
    resume(folder, callbacks=[Looks()])
    assert found == [True]


def test_an_error_while_a_failure_is_written_down_does_not_hide_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def full(*_: object) -> None:
        raise RunError("no space left")

    monkeypatch.setattr(RunFolder, "write_report", full)
    with pytest.raises(RuntimeError, match="the model is gone"):
        start(tmp_path / "run", backend=Breaking(3, RuntimeError("the model is gone")))
    assert "could not be written down: no space left" in caplog.text


def test_the_settings_of_a_task_that_was_built_in_code_are_kept_with_the_run(tmp_path: Path) -> None:
    task = make_task(metric="macro-f1", loss="hinge", margin=1.5)
    tune(task, **QUICK, folder=tmp_path / "run")
    kept = read_json(tmp_path / "run" / "config.json")
    assert {key: kept[key] for key in task.terms} == task.terms
    assert kept["metric"] == "macro-f1"


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


@pytest.mark.parametrize(
    "settings",
    [
        {"space": "soft"},
        {"space": "prefix"},
        {"space": "low-rank", "prompt_rank": 2},
        {"space": "low-rank", "prompt_rank": 2, "layers": "0"},
        {"space": "multi-space", "subspaces": 2},
        {"space": "decomposed", "dimension": 10, "row_positions": 5, "prompt_rank": 2},
        {"space": "soft", "prompt": None, "init": "label-words"},
        {"space": "soft", "prompt": None, "init": "vocabulary"},
    ],
    ids=str,
)
def test_every_space_goes_on_as_unbroken(settings: dict[str, Any], tmp_path: Path) -> None:
    with pytest.raises(RuntimeError):
        start(tmp_path / "run", **settings, backend=Breaking(11, RuntimeError()))
    go_on(tmp_path / "run")
    start(tmp_path / "whole", **settings)
    assert outcome(tmp_path / "run") == outcome(tmp_path / "whole")


def test_a_budget_of_seconds_counts_over_all_sessions(tmp_path: Path) -> None:
    result = start(tmp_path / "run", evaluations=100)
    again = resume(tmp_path / "run")
    assert again.summary.seconds >= result.history[-1].elapsed
