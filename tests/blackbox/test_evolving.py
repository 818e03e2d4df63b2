"""Whole runs of searches in which a model writes new instructions."""

import logging
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from blackbox import Result, Summary, Task, resume, tune
from blackbox.backends import (
    FakeBackend,
    Generations,
    Prompt,
    Query,
    QuotaError,
    Scores,
    SpentError,
    TextPrompt,
    Writing,
)
from blackbox.backends.fake import HELPFUL_WORDS
from blackbox.backends.writing import GREEDY
from blackbox.config import make_config
from blackbox.journal import Journal
from blackbox.optimizers import Evolution
from blackbox.parts import Parts, make_parts
from blackbox.run import make_search
from blackbox.search import Search
from blackbox.spaces import ChoicesSpace
from tests.blackbox.proposing.writers import Scripted
from tests.blackbox.runs import outcome
from tests.blackbox.small import facts, make_target_task, make_task

pytestmark = pytest.mark.usefixtures("without_pictures")

OPTIMIZERS = ("evolution", "evolution:de", "reflective")
SETTINGS: dict[str, Any] = {
    "backend": "fake",
    "space": "choices",
    "demonstrations": 3,
    "population": 6,
    "evaluations": 80,
    "seed": 1,
}
GARBAGE = (
    "<prompt>Decide wheth##",
    "Sure! Here is a better instruction:",
    "I'm sorry, but I cannot help with that.",
    "",
    "<prompt>Day 3 was great.</prompt>",
    "<prompt>Instruction 1 and {text}</prompt>",
    "<prompt>Classify the text.</prompt>",
)


def searched(task: Task | None = None, backend: FakeBackend | None = None, **changes: Any) -> tuple[Search, Parts]:
    """A search that has ended."""
    parts = make_parts(make_config({**SETTINGS, **changes}), task or make_task(), backend=backend)
    with Journal(None) as journal:
        search = make_search(parts, journal)
        search.run()
    return search, parts


def instructions(parts: Parts) -> list[str]:
    assert isinstance(parts.space, ChoicesSpace)
    return parts.space.instructions


def garbage(text: str, writing: Writing) -> str:
    return GARBAGE[(len(text) + writing.seed) % len(GARBAGE)]


def lowest(search: Search) -> float:
    assert search.selection.train is not None
    return search.selection.train.evaluation.loss


@pytest.mark.parametrize("optimizer", OPTIMIZERS)
def test_a_model_that_writes_finds_better_instructions_than_the_given_ones(optimizer: str) -> None:
    search, parts = searched(optimizer=optimizer, demonstrations=0)
    given, fake = 6, FakeBackend()
    written = instructions(parts)[given:]
    assert len(written) > 10
    assert search.selection.train is not None
    best = int(search.selection.train.candidate[0])
    assert best >= given
    qualities = [fake.quality(TextPrompt(text)) for text in instructions(parts)]
    assert qualities[best] > max(qualities[:given])
    assert lowest(search) < search.history[0].loss - 1


@pytest.mark.parametrize("optimizer", OPTIMIZERS)
def test_a_model_that_writes_garbage_leaves_a_search_that_improves_and_adopts_none(
    optimizer: str, caplog: pytest.LogCaptureFixture
) -> None:
    search, parts = searched(backend=Scripted(garbage), optimizer=optimizer)
    assert len(instructions(parts)) == 6
    assert lowest(search) < search.history[0].loss - 0.5
    [warned] = [record.getMessage() for record in caplog.records if "has written no instruction" in record.getMessage()]
    assert "cut off" in warned
    assert "there already" in warned


@pytest.mark.parametrize("optimizer", OPTIMIZERS)
def test_without_a_model_that_writes_it_searches_all_else(optimizer: str) -> None:
    search, parts = searched(optimizer=optimizer, proposer_backend="none")
    assert len(instructions(parts)) == 6
    assert parts.writer is None
    assert lowest(search) < search.history[0].loss - 0.5


def test_a_model_that_cannot_write_is_spoken_of(caplog: pytest.LogCaptureFixture) -> None:
    class Mute(FakeBackend):
        capabilities = FakeBackend().capabilities - {"text that the model writes"}  # type: ignore[assignment]

    searched(backend=Mute(), optimizer="evolution", evaluations=20)
    assert "model 'fake' writes no text: no new instructions" in caplog.text


def test_no_prompt_is_asked_twice() -> None:
    search, parts = searched(optimizer="evolution")
    assert isinstance(parts.space, ChoicesSpace)
    assert isinstance(parts.optimizer, Evolution)
    asked = [parts.space.meaning(choice) for choice in parts.optimizer._told]
    assert len(set(asked)) == len(asked) == len({found.candidate for found in search.history if found.split == "train"})


def test_a_reflection_learns_from_targets() -> None:
    search, _ = searched(make_target_task(), optimizer="reflective")
    assert lowest(search) < search.history[0].loss - 0.5


@pytest.mark.parametrize("optimizer", OPTIMIZERS)
def test_the_same_seed_gives_the_same_run(optimizer: str) -> None:
    (one, parts), (other, again) = searched(optimizer=optimizer), searched(optimizer=optimizer)
    assert facts(one.history) == facts(other.history)
    assert instructions(parts) == instructions(again)


class Breaking(FakeBackend):
    """Raises an error at one of its calls, scores and texts counted together from 1."""

    def __init__(self, at: int, error: BaseException, *, only_writing: bool = False) -> None:
        super().__init__()
        self._left, self._error, self._only_writing = at, error, only_writing

    def score(self, prompts: Sequence[Prompt], queries: Sequence[Query]) -> Scores:
        if not self._only_writing:
            self._count()
        return super().score(prompts, queries)

    def generate(self, prompts: Sequence[Prompt], queries: Sequence[Query], writing: Writing = GREEDY) -> Generations:
        self._count()
        return super().generate(prompts, queries, writing)

    def _count(self) -> None:
        self._left -= 1
        if not self._left:
            raise self._error


class BreakingGarbage(Breaking):
    """Writes garbage until then."""

    def generate(self, prompts: Sequence[Prompt], queries: Sequence[Query], writing: Writing = GREEDY) -> Generations:
        self._count()
        return Scripted(garbage).generate(prompts, queries, writing)


def start(folder: Path, **changes: Any) -> Result:
    return tune(make_task(), **{**SETTINGS, "folder": folder, **changes})


@pytest.fixture(scope="module", params=OPTIMIZERS)
def unbroken(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> tuple[str, Path]:
    """An optimizer, and the folder of its run that nothing has stopped."""
    folder = tmp_path_factory.mktemp("unbroken") / "run"
    start(folder, optimizer=request.param)
    return request.param, folder


@pytest.mark.parametrize("at", [2, 9, 17, 30, 41])
def test_a_run_that_failed_at_any_call_ends_as_the_unbroken_run(
    at: int, unbroken: tuple[str, Path], tmp_path: Path
) -> None:
    optimizer, whole = unbroken
    folder = tmp_path / "run"
    with pytest.raises(RuntimeError, match="the model is gone"):
        start(folder, optimizer=optimizer, backend=Breaking(at, RuntimeError("the model is gone")))
    resume(folder, backend=FakeBackend())
    assert outcome(folder) == outcome(whole)


def test_a_run_without_its_checkpoint_is_replayed(unbroken: tuple[str, Path], tmp_path: Path) -> None:
    optimizer, whole = unbroken
    folder = tmp_path / "run"
    with pytest.raises(RuntimeError):
        start(folder, optimizer=optimizer, backend=Breaking(33, RuntimeError()))
    (folder / "checkpoint.json").unlink()
    resume(folder, backend=FakeBackend())
    assert outcome(folder) == outcome(whole)


@pytest.mark.parametrize("optimizer", OPTIMIZERS)
def test_a_proposal_that_the_budget_does_not_allow_ends_the_run_with_what_was_found(
    optimizer: str, caplog: pytest.LogCaptureFixture
) -> None:
    broke = Breaking(4, SpentError("the limit of 1 USD would be passed", limit="usd"), only_writing=True)
    with caplog.at_level(logging.WARNING):
        result = tune(make_task(), **{**SETTINGS, "optimizer": optimizer, "backend": broke})
    assert result.summary.stop_reason == "usd"
    assert result.summary.status == "succeeded"
    assert result.history[-1].split == "test"
    assert max(found.generation for found in result.history) >= 3
    assert "the budget is used up: the limit of 1 USD would be passed" in caplog.text


def test_a_proposer_without_money_stops_the_run_which_can_go_on(tmp_path: Path) -> None:
    folder = tmp_path / "run"
    with pytest.raises(QuotaError):
        start(folder, optimizer="evolution", backend=Breaking(4, QuotaError("nothing left"), only_writing=True))
    summary = Summary.read(folder / "summary.json")
    assert (summary.status, summary.stop_reason) == ("failed", "QuotaError: nothing left")
    assert summary.evaluations > 6
    resume(folder, backend=FakeBackend())
    start(tmp_path / "whole", optimizer="evolution")
    assert outcome(folder) == outcome(tmp_path / "whole")


class Unrepeatable(FakeBackend):
    """Writes no text twice, whatever it is asked, sometimes none, and is gone once behind so many calls for texts."""

    def __init__(self, gone_behind: int = 0) -> None:
        super().__init__()
        self.asked, self._texts, self._gone_behind = 0, 0, gone_behind

    def score(self, prompts: Sequence[Prompt], queries: Sequence[Query]) -> Scores:
        if self.asked and self.asked == self._gone_behind:
            self._gone_behind = 0
            raise RuntimeError("killed")
        return super().score(prompts, queries)

    def generate(self, prompts: Sequence[Prompt], queries: Sequence[Query], writing: Writing = GREEDY) -> Generations:
        self.asked += 1
        return Scripted(self._write).generate(prompts, queries, writing)

    def _write(self, text: str, writing: Writing) -> str | None:
        self._texts += 1
        word = HELPFUL_WORDS[self._texts % len(HELPFUL_WORDS)]
        return None if self._texts % 5 == 0 else f"<prompt>Mind rule {self._texts} and {word}.</prompt>"


@pytest.mark.parametrize("optimizer", OPTIMIZERS)
@pytest.mark.parametrize("behind", [1, 2, 4])
def test_a_kill_loses_no_proposal_and_pays_for_none_twice(optimizer: str, behind: int, tmp_path: Path) -> None:
    whole, killed = Unrepeatable(), Unrepeatable(behind)
    start(tmp_path / "whole", optimizer=optimizer, backend=whole)
    with pytest.raises(RuntimeError, match="killed"):
        start(tmp_path / "run", optimizer=optimizer, backend=killed)
    assert killed.asked == behind
    resume(tmp_path / "run", backend=killed)
    assert outcome(tmp_path / "run") == outcome(tmp_path / "whole")
    assert killed.asked == whole.asked > 4


def test_a_run_that_is_replayed_has_the_proposals_that_it_had(tmp_path: Path) -> None:
    writer, folder = Unrepeatable(), tmp_path / "run"
    start(folder, optimizer="evolution", backend=writer)
    before, asked = outcome(folder), writer.asked
    (folder / "checkpoint.json").unlink()
    journal = folder / "evaluations.jsonl"
    journal.write_bytes(b"".join(journal.read_bytes().splitlines(keepends=True)[:-3]))
    resume(folder, backend=writer)
    assert (outcome(folder), writer.asked) == (before, asked)


def test_what_was_refused_is_counted_over_all_sessions(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    folder = tmp_path / "run"
    with pytest.raises(RuntimeError):
        start(folder, optimizer="evolution", backend=BreakingGarbage(30, RuntimeError()))
    assert caplog.text.count("has written no instruction") == 1
    with caplog.at_level(logging.INFO):
        resume(folder, backend=Scripted(garbage))
    counts = [int(found) for found in re.findall(r"new instructions so far, (\d+) refused", caplog.text)]
    assert counts == sorted(counts)
    assert counts[0] > 12
