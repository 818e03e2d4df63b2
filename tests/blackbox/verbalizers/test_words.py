"""Label words that are searched: by a model, on training rows, paid for once."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from blackbox import Task, resume, tune
from blackbox.backends import Demonstration, TextPrompt, Usage
from blackbox.backends.errors import UnsupportedPromptError
from blackbox.backends.local import LocalBackend
from blackbox.environment import data_hash
from blackbox.errors import BudgetError, DamagedFileError, SettingError
from blackbox.files import read_json
from blackbox.report.finished import words_in_words
from blackbox.verbalizers.words import FoundWords, find_words, most_evaluations
from tests.backends.local.conftest import load, loaded, saved_model
from tests.blackbox.small import QUICK, facts, make_target_task, make_task

__all__ = ["load", "loaded", "saved_model"]  # fixtures
pytestmark = pytest.mark.usefixtures("without_pictures")

ROWS = [
    {"text": "a quiet film about great love", "label": "good"},
    {"text": "it was bad and long", "label": "poor"},
    {"text": "great fun", "label": "good"},
    {"text": "the worst evening of my life", "label": "poor"},
]
WORDS = {"good": "great", "poor": "bad"}
SETTINGS: dict[str, Any] = {"prompt": "a quiet film", "space": "soft", "optimizer": "cma-es", "dimension": 8,
                            "population": 4, "evaluations": 40, "seed": 3, "verbalizer": "search"}  # fmt: skip


def make(**settings: Any) -> Task:
    return Task(ROWS, **{"dev": ROWS, "template": "{text} . it was {label} .", "label_words": WORDS, **settings})


@pytest.fixture(scope="module")
def backend(load: Any) -> LocalBackend:
    model: LocalBackend = load()
    return model


def test_the_words_found_have_the_lowest_loss_of_all_that_were_scored(backend: LocalBackend) -> None:
    task, prompt = make(), TextPrompt("a quiet film")
    found = find_words(backend, task, prompt)
    assert found.given == ("great", "bad")
    assert found.loss == min(found.loss, found.given_loss, *(loss for _, loss in found.scored))
    assert found.loss < found.given_loss
    assert found.evaluations == 2 + len(found.scored) + 1 <= most_evaluations()
    words = backend.whole_words(task.train.queries[0]).values()
    assert set(found.words) <= set(words)
    assert FoundWords.from_dict(found.to_dict()) == found
    again = task.changed(label_words=dict(zip(task.labels, found.words, strict=True)))
    [(answers, _)] = again.grader.ask(backend, [prompt], again.train)
    assert answers.losses.mean() == pytest.approx(found.loss)


def test_no_pair_of_words_of_a_small_vocabulary_is_much_better(backend: LocalBackend) -> None:
    """Every other word is tried in the place of each: the search changes one at a time, and has done so."""
    task, prompt = make(), TextPrompt("a quiet film")
    found = find_words(backend, task, prompt)
    for word in set(backend.whole_words(task.train.queries[0]).values()) - set(found.words):
        for words in ((word, found.words[1]), (found.words[0], word)):
            [(answers, _)] = task.grader.ask(backend, [prompt], task.train.with_words(words))
            assert answers.losses.mean() > found.loss - 1e-6


def test_neither_dev_nor_test_rows_are_read(backend: LocalBackend) -> None:
    others = [{**row, "label": "good"} for row in ROWS]
    found = [find_words(backend, make(dev=dev, test=dev), TextPrompt("a film")) for dev in (ROWS, others, ())]
    first, second, third = (replace(one, usage=Usage()) for one in found)
    assert first == second == third


def test_a_run_with_words_found_counts_them_and_uses_them(backend: LocalBackend, tmp_path: Path) -> None:
    result = tune(make(), backend=backend, folder=tmp_path / "run", **SETTINGS)
    found = FoundWords.from_dict(read_json(tmp_path / "run" / "label_words.json"))
    assert result.history[0].loss == pytest.approx(found.loss)
    assert dict(result.saved.label_words) == dict(zip(WORDS, found.words, strict=True))
    of_search = sum(2 if one.number == 0 else 1 for one in result.history if one.split == "train") - 1
    looks = sum(one.split == "dev" for one in result.history)
    assert result.summary.evaluations == found.evaluations + of_search + looks <= 40
    assert result.summary.requests == sum(one.usage.requests for one in result.history) + found.usage.requests
    assert read_json(tmp_path / "run" / "environment.json")["data_hash"] == data_hash(make())
    assert {one.label for one in result.predict(ROWS)} <= set(WORDS)
    page = (tmp_path / "run" / "report.html").read_text()
    assert all(f"label_words.{label}" in page and word in page for label, word in zip(WORDS, found.words, strict=True))
    told = words_in_words(found)
    assert told.startswith(f"label words found: {', '.join(found.words)}, given: great, bad")


@pytest.mark.parametrize("checkpoint", [True, False])
def test_a_run_that_was_stopped_ends_as_the_unbroken_run_and_searches_no_words_again(
    backend: LocalBackend, tmp_path: Path, checkpoint: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = tune(make(), backend=backend, folder=tmp_path / "whole", **SETTINGS)
    calls = 0
    score = backend.score

    def failing(*given: Any) -> Any:
        nonlocal calls
        calls += 1
        if calls == 18:
            raise KeyboardInterrupt
        return score(*given)

    monkeypatch.setattr(backend, "score", failing)
    with pytest.raises(KeyboardInterrupt):
        tune(make(), backend=backend, folder=tmp_path / "run", **SETTINGS)
    monkeypatch.undo()
    monkeypatch.setattr("blackbox.parts.find_words", lambda *_: pytest.fail("the words were found already"))
    if not checkpoint:
        (tmp_path / "run" / "checkpoint.json").unlink()
    result = resume(tmp_path / "run", backend=backend)
    assert facts(result.history) == facts(whole.history)
    assert vars(result.summary) | {"seconds": 0} == vars(whole.summary) | {"seconds": 0}
    assert result.saved.label_words == whole.saved.label_words
    (tmp_path / "run" / "label_words.json").write_text("{}")
    with pytest.raises(DamagedFileError, match="it holds no label words"):
        resume(tmp_path / "run", backend=backend)


def test_rows_that_the_start_shows_are_not_asked(backend: LocalBackend) -> None:
    shown = TextPrompt("", (Demonstration("great fun . it was ", "great", " .", row=2),))
    with_it = find_words(backend, make(), shown)
    assert with_it.usage.requests == 3 * with_it.evaluations
    all_shown = TextPrompt("", tuple(Demonstration("fun", "great", row=row) for row in (0, 2)))
    with pytest.raises(SettingError, match="does not show"):
        find_words(backend, make(), all_shown)


def test_words_for_what_has_none_or_a_model_that_does_not_tell_are_refused() -> None:
    with pytest.raises(SettingError, match="the task has targets"):
        tune(make_target_task(), **QUICK, verbalizer="search")
    with pytest.raises(UnsupportedPromptError, match="no probabilities of all tokens at the blank; those need 'local'"):
        tune(make_task(), **QUICK, verbalizer="search")
    with pytest.raises(BudgetError):
        tune(make_task(), **{**QUICK, "evaluations": 5, "verbalizer": "search"})
