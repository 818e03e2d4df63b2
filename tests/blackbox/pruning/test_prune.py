"""Runs whose prompts are pruned: what goes, what stays, the account, and going on after a stop."""

import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from blackbox import Predictor, SavedPrompt, Task, prune, tune
from blackbox.backends import DeepPrompt, FakeBackend, Prompt, Query, Scores, SoftPrompt, TextPrompt
from blackbox.errors import BudgetError, MismatchError, RunError, SettingError
from blackbox.files import read_json
from blackbox.report.pruned import pruned_in_words
from blackbox.run_folder import RunFolder
from tests.backends.local.conftest import load, loaded, saved_model
from tests.blackbox.runs import finish, spawn
from tests.blackbox.small import QUICK, make_rows, make_task

__all__ = ["load", "loaded", "saved_model"]  # fixtures
pytestmark = pytest.mark.usefixtures("without_pictures")

LONG = "Please classify the sentiment. Read all of it! Then answer carefully now.\n"
TEXTS: dict[str, Any] = {"backend": "fake", "space": "texts", "prompts": [LONG, "x"], "evaluations": 20, "seed": 1}


class Counting(FakeBackend):
    def __init__(self, breaks_at: int = 0) -> None:
        super().__init__()
        self.prompts, self.calls, self._breaks_at = 0, 0, breaks_at

    def score(self, prompts: Sequence[Prompt], queries: Sequence[Query]) -> Scores:
        self.calls += 1
        if self.calls == self._breaks_at:
            raise RuntimeError("the model is gone")
        self.prompts += len(prompts)
        return super().score(prompts, queries)


@pytest.fixture(scope="module")
def of_text(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("text") / "run"
    tune(make_task(), **TEXTS, folder=folder)
    return folder


@pytest.fixture(scope="module")
def of_vectors(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("vectors") / "run"
    tune(make_task(), **{**QUICK, "prompt": "classify it"}, folder=folder)
    return folder


@pytest.fixture
def run(of_text: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(of_text, tmp_path / "run"))


def test_words_that_help_stay_and_words_that_do_not_go(run: Path) -> None:
    """The fake model knows four words; all others are worth nothing, and the whole prompt's loss is the lowest."""
    found = prune(run)
    assert isinstance(found.saved.prompt, TextPrompt)
    assert found.saved.prompt.text == "classify sentiment. answer carefully\n"
    assert found.after.train_loss == pytest.approx(found.before.train_loss)
    assert (found.before.parts["words"], found.after.parts["words"]) == (12, 4)
    assert found.after.row_prompt_tokens
    assert found.before.row_prompt_tokens == found.after.row_prompt_tokens + len(LONG) - len(found.saved.prompt.text)
    assert found.dev_change
    assert (found.dev_change.difference, found.dev_change.rows) == (0, 8)


def test_the_dev_score_is_not_worse_and_the_prompt_can_be_used(of_vectors: Path) -> None:
    found = prune(of_vectors)
    assert found.before.dev and found.after.dev
    assert found.after.dev.value >= found.before.dev.value
    assert found.after.parts["tokens"] <= found.before.parts["tokens"] == len("classify it")
    saved = SavedPrompt.load(of_vectors / "pruned")
    rows = make_rows(8, first=100)
    figure = Predictor(FakeBackend(), saved).evaluate(rows)
    assert figure
    assert figure.value == pytest.approx(found.after.dev.value)
    values = read_json(of_vectors / "pruned" / "pruned.json")
    assert values["after"]["parts"] == dict(found.after.parts)  # type: ignore[index, call-overload]
    assert f"tokens: 11 -> {found.after.parts['tokens']}" in pruned_in_words(found, of_vectors)


@pytest.mark.parametrize("kind", ["soft", "deep", "prefix"])
def test_tokens_that_say_nothing_go_from_vectors(kind: str, run: Path) -> None:
    """With zero vectors, and as the prefix of themselves, tokens are to the fake model the words that they spell."""
    backend = FakeBackend()
    tokens = backend.encode("xx classify sentiment xx")
    zeros = np.zeros((len(tokens), 8), dtype=np.float32)
    prompts: dict[str, Prompt] = {"soft": SoftPrompt(tokens, zeros), "prefix": backend.prefix_of(tokens),
                                  "deep": DeepPrompt(tokens, {0: zeros, 2: zeros})}  # fmt: skip
    saved = RunFolder(run).read_prompt()
    SavedPrompt(**{**vars(saved), "prompt": prompts[kind]}).save(run / "prompt")
    found = prune(run)
    assert found.saved.text == "classifysentiment"
    assert found.after.train_loss == pytest.approx(found.before.train_loss)
    assert found.before.parts["tokens"] - found.after.parts["tokens"] == 7
    if kind == "deep":
        assert (found.before.parts["layers"], found.after.parts["layers"]) == (2, 1)


@pytest.mark.parametrize("space", ["soft", "deep", "prefix"])
def test_vectors_of_a_model_get_shorter_and_so_do_its_rows(space: str, load: Any, tmp_path: Path) -> None:
    rows = [{"text": text, "label": label} for text, label in
            [("a quiet film about great love", "good"), ("it was bad and long", "poor"), ("great fun", "good"),
             ("the worst evening of my life", "poor")]]  # fmt: skip
    task = Task(rows, dev=rows, template="{text} . it was {label} .", label_words={"good": "great", "poor": "bad"})
    settings = {"prompt": "a quiet film it was long", "layers": "1-2", "dimension": 4, "population": 4, "seed": 3}
    tune(task, backend=load(), space=space, evaluations=24, folder=tmp_path / "run", **settings)
    found = prune(tmp_path / "run", backend=load())
    assert found.before.parts["tokens"] == 6
    assert 1 <= found.after.parts["tokens"] <= 6
    assert found.before.dev and found.after.dev
    assert found.after.dev.value >= found.before.dev.value
    assert found.before.row_prompt_tokens and found.after.row_prompt_tokens
    saved = found.before.parts["tokens"] - found.after.parts["tokens"]
    assert found.before.row_prompt_tokens - found.after.row_prompt_tokens == pytest.approx(saved)
    figure = Predictor(load(), SavedPrompt.load(tmp_path / "run" / "pruned")).evaluate(rows)
    assert figure
    assert figure.value == pytest.approx(found.after.dev.value)


def test_evaluations_are_counted_and_the_budget_is_kept(run: Path) -> None:
    for budget in (16, 17, 20, 30):
        shutil.rmtree(run / "pruned", ignore_errors=True)
        backend = Counting()
        monkey = prune(run, evaluations=budget, backend=backend)
        assert monkey.evaluations <= budget
        of_comparison = 2 if monkey.dev_change else 0
        assert backend.prompts - of_comparison == monkey.evaluations  # as many dev rows as training rows
    with pytest.raises(BudgetError, match="before 12 parts"):
        prune(run, evaluations=10)


@pytest.mark.parametrize("at", [1, 2, 4, 7])
def test_pruning_that_was_stopped_goes_on_and_pays_for_nothing_twice(at: int, run: Path, tmp_path: Path) -> None:
    other = Path(shutil.copytree(run, tmp_path / "other"))
    whole, counting = prune(other, backend=(first := Counting())), Counting()
    with pytest.raises(RuntimeError, match="the model is gone"):
        prune(run, backend=(broken := Counting(breaks_at=at)))
    found = prune(run, backend=counting)
    assert (found.saved.prompt, found.before, found.after) == (whole.saved.prompt, whole.before, whole.after)
    assert broken.prompts + counting.prompts == first.prompts
    assert (run / "pruned" / "pruned.json").read_text() == (other / "pruned" / "pruned.json").read_text()


def test_a_larger_budget_goes_on(run: Path) -> None:
    small = prune(run, evaluations=20)
    backend = Counting()
    large = prune(run, evaluations=300, backend=backend)
    assert len(large.saved.text) <= len(small.saved.text)
    known = len((run / "pruned" / "evaluations.jsonl").read_bytes().splitlines())
    assert backend.prompts - 2 < large.evaluations == known


def test_the_journal_of_another_prompt_is_refused(run: Path) -> None:
    prune(run)
    saved = RunFolder(run).read_prompt()
    SavedPrompt(**{**vars(saved), "prompt": TextPrompt("Answer.\n"), "text": "Answer.\n"}).save(run / "prompt")
    with pytest.raises(MismatchError, match="evaluation 0 of the journal"):
        prune(run)


def test_a_large_tolerance_leaves_it_to_the_metric(run: Path) -> None:
    """All dev rows are right with two of the words as well, at a higher loss."""
    found = prune(run, tolerance=10.0)
    assert found.after.parts["words"] < 4
    assert found.before.dev and found.after.dev
    assert found.after.dev.value == found.before.dev.value == 1.0
    assert found.after.train_loss > found.before.train_loss
    with pytest.raises(SettingError, match="must not be negative"):
        prune(run, tolerance=-1.0)


def test_without_dev_rows_the_training_loss_is_not_higher(tmp_path: Path) -> None:
    tune(make_task(dev=0), **TEXTS, folder=tmp_path / "run")
    found = prune(tmp_path / "run")
    assert found.after.train_loss <= found.before.train_loss + 0.01
    assert found.after.dev is None and found.dev_change is None
    assert len(found.saved.text) < len(LONG)


def test_a_calibrated_prompt_keeps_its_offsets(run: Path) -> None:
    saved = RunFolder(run).read_prompt()
    finished = type(saved.finished)(offsets=(0.5, -0.5))
    SavedPrompt(**{**vars(saved), "finished": finished}).save(run / "prompt")
    found = prune(run)
    assert found.saved.finished.offsets == (0.5, -0.5)
    assert found.before.train_loss != pytest.approx(prune_plain(run))


def prune_plain(run: Path) -> float:
    [(answers, _)] = make_task().grader.ask(FakeBackend(), [TextPrompt(LONG)], make_task().train)
    return float(np.mean(answers.losses))


@pytest.mark.parametrize("verbalizer", ["representative", "ridge"])
def test_labels_that_are_told_by_a_readout_are_pruned_with_one_of_their_own(verbalizer: str, tmp_path: Path) -> None:
    tune(make_task(), **{**QUICK, "prompt": "classify it", "verbalizer": verbalizer}, folder=tmp_path / "run")
    found = prune(tmp_path / "run")
    assert found.saved.readout is not None
    assert found.after.dev and found.before.dev
    assert found.after.dev.value >= found.before.dev.value
    task = make_task().changed(verbalizer=verbalizer)
    [(answers, _)] = task.grader.ask(FakeBackend(), [found.saved.prompt], task.test)
    saved = SavedPrompt.load(tmp_path / "run" / "pruned")
    assert Predictor(FakeBackend(), saved).evaluate(task.test.rows) == answers.measured()


def test_calibrated_label_words_are_pruned_with_the_offsets_that_they_have(tmp_path: Path) -> None:
    result = tune(
        make_task(), **{**QUICK, "prompt": "classify it", "verbalizer": "calibrated"}, folder=tmp_path / "run"
    )
    found = prune(tmp_path / "run")
    assert found.saved.finished.offsets == result.saved.finished.offsets is not None
    assert found.after.dev and found.before.dev
    assert found.after.dev.value >= found.before.dev.value


def test_an_average_of_prompts_is_refused(run: Path) -> None:
    saved = RunFolder(run).read_prompt()
    members = (TextPrompt("a"), TextPrompt("b"))
    SavedPrompt(**{**vars(saved), "finished": type(saved.finished)(members)}).save(run / "prompt")
    with pytest.raises(RunError, match="an average of 2 prompts"):
        prune(run)


def test_the_command_says_what_it_has_done(run: Path, capsys: pytest.CaptureFixture[str]) -> None:
    process = spawn("prune", run, "--evaluations", 200)
    said, _ = process.communicate(timeout=60)
    assert process.returncode == 0
    assert "words: 12 -> 4" in said
    assert "dev: accuracy" in said
    code, error = finish(spawn("prune", run.parent / "nothing"))
    assert code == 2
    assert "holds no run" in error
