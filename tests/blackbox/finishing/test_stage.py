"""Runs to their end: what is tried after the search, what is kept, and what a kill or a budget makes of it."""

import json
import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

from blackbox import Predictor, Result, SavedPrompt, resume, tune
from blackbox.backends import FakeBackend, Prompt, Query, Scores, SoftPrompt, TextPrompt
from blackbox.backends.errors import SpentError
from blackbox.evaluation import Evaluation
from blackbox.selection import dev_rank
from tests.blackbox.small import QUICK, facts, make_rows, make_task

pytestmark = pytest.mark.usefixtures("without_pictures")

PROMPTS = ["classify a", "classify b", "classify c", "nothing"]
TEXTS: dict[str, Any] = {"space": "texts", "prompts": PROMPTS, "population": 4, "evaluations": 60, "racing": "on",
                         "slice_size": 4, "finalists": 4, "seed": 1}  # fmt: skip


class Leaning(FakeBackend):
    """Leans to the first label by so many nats, and is right by one more behind all prompts but "nothing"."""

    def __init__(self, lean: float) -> None:
        super().__init__()
        self.lean = lean

    def score(self, prompts: Sequence[Prompt], queries: Sequence[Query]) -> Scores:
        scores = super().score(prompts, queries)
        logits = np.zeros_like(scores.log_probabilities)
        knows = [float(not isinstance(prompt, TextPrompt) or "classify" in prompt.whole) for prompt in prompts]
        for row, query in enumerate(queries):
            logits[:, row, self.right_option(query)] += knows
        logits[..., 0] += self.lean
        return Scores(logits - np.logaddexp.reduce(logits, axis=-1, keepdims=True), scores.usages)


class Erring(FakeBackend):
    """Each prompt is sure, and wrong on the rows of every third day, those of its own: two of three are always right.

    The fourth prompt knows nothing.
    """

    def __init__(self, breaks_at: int = 0, error: BaseException | None = None) -> None:
        super().__init__()
        self.calls, self._breaks_at, self._error = 0, breaks_at, error

    def score(self, prompts: Sequence[Prompt], queries: Sequence[Query]) -> Scores:
        self.calls += 1
        if self._error and self.calls == self._breaks_at:
            raise self._error
        scores = super().score(prompts, queries)
        logits = np.zeros_like(scores.log_probabilities)
        for number, prompt in enumerate(prompts):
            place = PROMPTS.index(prompt.whole.strip()) if isinstance(prompt, TextPrompt) else place_of(prompt)
            for row, query in enumerate(queries):
                day = int("".join(filter(str.isdigit, query.before)) or 0)
                wrong = (day // 2) % 3 == place
                logits[number, row, self.right_option(query)] = 0.0 if place == 3 else (-1.0 if wrong else 3.0 + place)
        return Scores(logits - np.logaddexp.reduce(logits, axis=-1, keepdims=True), scores.usages)


def place_of(prompt: Prompt) -> int:
    """The number of a prompt of `OfVectors`."""
    assert isinstance(prompt, SoftPrompt)
    return int(prompt.vectors[0, 0])


class OfVectors:
    """Four soft prompts to choose from, told apart by their vectors."""

    dimension, blocks, sizes = 1, (1,), (4,)

    def decode(self, candidates: npt.NDArray[np.float64]) -> list[Prompt]:
        return [SoftPrompt((97,), np.full((1, 8), number, dtype=np.float32)) for number in candidates[:, 0]]


VECTORS: dict[str, Any] = {"space": OfVectors(), "optimizer": "enumerate", "prompts": None}


def run(backend: FakeBackend, **changes: Any) -> Result:
    return tune(make_task(train=12, dev=12, test=12), backend=backend, **{**TEXTS, **changes})


def tried(result: Result, split: str = "dev") -> list[Evaluation]:
    return [found for found in result.history if found.tried and found.split == split]


def alone(result: Result) -> Evaluation:
    """The look at the dev rows of the selected prompt."""
    selected = tried(result)[0].tried.members[0]  # type: ignore[union-attr]
    return next(found for found in result.history if (found.split, found.candidate) == ("dev", selected))


def test_an_ensemble_that_is_better_on_the_dev_rows_is_what_is_handed_out() -> None:
    """Each member is right on two thirds of the rows; where one errs, the two others are surer."""
    result = run(Erring(), ensemble=3)
    [ensemble] = tried(result)
    assert alone(result).measured.value == pytest.approx(2 / 3)  # type: ignore[union-attr]
    assert ensemble.measured.value == 1.0  # type: ignore[union-attr]
    assert result.summary.dev == ensemble.measured
    assert [member.text for member in result.saved.finished.members] == ["classify a", "classify c", "classify b"]
    [tested] = tried(result, "test")
    assert (result.summary.test_after, result.summary.test_loss_after) == (tested.measured, tested.loss)
    rows = make_rows(12, first=200)
    assert [found.label for found in result.predict(rows)] == [row["label"] for row in rows]
    assert result.predictor.evaluate(rows) == tested.measured


def test_an_ensemble_of_vectors_is_handed_out_saved_and_asked_in_one_call(tmp_path: Path) -> None:
    result = run(Erring(), ensemble=3, **VECTORS, folder=tmp_path / "run")
    [ensemble] = tried(result)
    assert ensemble.measured.value == 1.0 > alone(result).measured.value  # type: ignore[union-attr]
    assert [place_of(member) for member in result.saved.finished.members] == [2, 1, 0]
    assert place_of(result.prompt) == 2
    backend, rows = Erring(), make_rows(12, first=200)
    there = Predictor(backend, SavedPrompt.load(tmp_path / "run" / "prompt"))
    assert there.predict(rows) == result.predict(rows)
    assert [found.label for found in there.predict(rows)] == [row["label"] for row in rows]
    assert backend.calls == 2
    assert there.evaluate(rows) == result.summary.test_after
    assert backend.calls == 3


def test_a_run_with_an_ensemble_of_vectors_ends_as_the_unbroken_run(tmp_path: Path) -> None:
    whole = Erring()
    run(whole, ensemble=3, **VECTORS, folder=tmp_path / "whole")
    expected = outcome(tmp_path / "whole")
    for at in (whole.calls - 2, whole.calls - 1, whole.calls):
        folder = tmp_path / str(at)
        with pytest.raises(RuntimeError):
            run(Erring(at, RuntimeError("gone")), ensemble=3, **VECTORS, folder=folder)
        resume(folder, backend=Erring(), space=OfVectors())
        assert outcome(folder) == expected


def test_the_best_deep_prompts_of_a_search_are_tried_together() -> None:
    result = tune(make_task(), **{**QUICK, "ensemble": 3, "evaluations": 120})
    [ensemble] = tried(result)
    looks = sorted((one for one in result.history if one.split == "dev" and not one.tried), key=dev_rank)
    assert list(ensemble.tried.members) == [look.candidate for look in looks[:3]]  # type: ignore[union-attr]
    assert ensemble.loss < looks[2].loss


def test_the_ensemble_costs_the_tokens_of_all_its_members_a_row() -> None:
    plain, result = run(Erring()), run(Erring(), ensemble=3)
    assert result.summary.row_prompt_tokens == 3 * (plain.summary.row_prompt_tokens or math.nan)
    chars = len("classify c") + len("Day 200 was bad. It was .")
    assert plain.summary.row_prompt_tokens == chars + 1  # "great" in every other row


def test_an_ensemble_that_is_no_better_is_not_kept() -> None:
    """Of the same margin behind each prompt, the average is the one: no better."""
    result = run(Leaning(0.0), prompts=PROMPTS[::-1], ensemble=3)
    [ensemble] = tried(result)
    assert ensemble.loss == pytest.approx(alone(result).loss)
    plain = run(Leaning(0.0), prompts=PROMPTS[::-1])
    assert not result.saved.finished
    assert result.saved.prompt == plain.saved.prompt
    assert result.summary.test_after == plain.summary.test_after


def test_one_prompt_alone_is_no_ensemble(caplog: pytest.LogCaptureFixture) -> None:
    """None is better than the start on the training rows, so that no other is looked at."""
    result = run(Leaning(0.0), ensemble=3)
    assert not tried(result)
    assert "no ensemble: the search has looked at one prompt only" in caplog.text


def test_prompts_that_are_the_same_are_one_member_and_one_is_no_ensemble() -> None:
    result = tune(
        make_task(), backend="fake", space="choices", optimizer="random-search", instructions=["classify"],
        demonstrations=0, population=4, evaluations=60, ensemble=5, seed=1,
    )  # fmt: skip
    for found in tried(result):
        members = result.saved.finished.members
        assert len(found.tried.members) == len(set(found.tried.members))  # type: ignore[union-attr]
        assert len(set(members)) == len(members)


def test_a_model_that_leans_is_put_straight_and_offsets_are_what_it_leans_by() -> None:
    """Even rows without content: leaning by 3 nats, calibration adds -1.5 and +1.5, if the fake's own hash is even."""
    result = run(Leaning(3.0), calibration="batch")
    [batch] = tried(result)
    assert alone(result).measured.value == 0.5  # type: ignore[union-attr]
    assert batch.measured.value == 1.0  # type: ignore[union-attr]
    assert result.saved.finished.offsets == batch.tried.offsets == pytest.approx((-1.5, 1.5))  # type: ignore[union-attr]
    assert result.summary.test_after.value == 1.0  # type: ignore[union-attr]
    assert [found.label for found in result.predict(make_rows(4))] == [row["label"] for row in make_rows(4)]


def test_calibration_does_not_depend_on_the_company_of_a_row() -> None:
    result = run(Leaning(3.0), calibration="batch")
    rows = make_rows(6, first=300)
    one_by_one = [result.predict([row])[0] for row in rows]
    assert one_by_one == result.predict(rows)


@pytest.mark.parametrize("way", ["contextual", "batch", "auto"])
def test_calibration_that_does_not_help_is_not_kept(way: str) -> None:
    """Batch offsets of a model that leans to nothing are 0, but for rounding, on rows of both labels."""
    result = run(Erring(), calibration=way)
    assert result.summary.dev_loss == alone(result).loss
    assert result.saved.finished.offsets is None


def test_auto_tries_both_and_keeps_the_first_of_two_that_help_as_much() -> None:
    result = run(Leaning(3.0), calibration="auto")
    contextual, batch = tried(result)
    assert [found.tried.calibration for found in (contextual, batch)] == ["contextual", "batch"]  # type: ignore[union-attr]
    assert result.summary.dev_loss == contextual.loss
    assert result.saved.finished.offsets == contextual.tried.offsets  # type: ignore[union-attr]


def test_an_ensemble_that_is_kept_is_what_is_calibrated() -> None:
    result = run(Erring(), ensemble=3, calibration="auto")
    ensemble, *calibrations = tried(result)
    assert [found.tried.members for found in calibrations] == [ensemble.tried.members] * 2  # type: ignore[union-attr]


def test_the_label_scores_of_a_deep_prompt_can_be_calibrated() -> None:
    settings = {**QUICK, "backend": Leaning(3.0), "calibration": "batch"}
    result = tune(make_task(), **settings)
    assert result.saved.finished.offsets == pytest.approx((-1.5, 1.5))
    assert result.summary.test_after.value == 1.0  # type: ignore[union-attr]


def test_the_history_adds_up_and_the_budget_holds() -> None:
    result = run(Erring(), ensemble=3, calibration="auto", evaluations=30)
    assert result.summary.evaluations <= 30
    assert result.summary.requests == sum(found.usage.requests for found in result.history)
    plain = run(Erring(), evaluations=30)
    counted = result.summary.evaluations - plain.summary.evaluations
    assert counted == 3 + 2 * 3 * 2  # looks at as many dev rows as there are training rows, and two calibrations of 3
    assert facts(result.history)[: len(plain.history) - 1] == facts(plain.history)[:-1]


def outcome(folder: Path) -> dict[str, Any]:
    lines = [json.loads(line) for line in (folder / "evaluations.jsonl").read_text().splitlines()]
    summary = json.loads((folder / "summary.json").read_text())
    return {
        "lines": [{key: value for key, value in line.items() if key not in ("elapsed", "usage")} for line in lines],
        "summary": {key: value for key, value in summary.items() if key != "seconds"},
        "prompt": json.loads((folder / "prompt" / "prompt.json").read_text()),
    }


def test_a_run_that_is_stopped_at_any_call_ends_as_the_unbroken_run(tmp_path: Path) -> None:
    settings = {"ensemble": 3, "calibration": "auto"}
    whole = Erring()
    run(whole, **settings, folder=tmp_path / "whole")
    expected = outcome(tmp_path / "whole")
    assert len([line for line in expected["lines"] if "tried" in line]) == 4
    for at in range(1, whole.calls + 1):
        folder = tmp_path / str(at)
        with pytest.raises(RuntimeError):
            run(Erring(at, RuntimeError("gone")), **settings, folder=folder)
        paid = (folder / "evaluations.jsonl").read_bytes()
        resume(folder, backend=Erring())
        assert (folder / "evaluations.jsonl").read_bytes().startswith(paid)
        assert outcome(folder) == expected


@pytest.mark.parametrize("lost", range(1, 5))
def test_a_journal_that_lost_its_end_is_filled_again(lost: int, tmp_path: Path) -> None:
    run(Erring(), ensemble=3, calibration="auto", folder=tmp_path / "run")
    expected, path = outcome(tmp_path / "run"), tmp_path / "run" / "evaluations.jsonl"
    path.write_text("".join(path.read_text().splitlines(keepends=True)[:-lost]))
    resume(tmp_path / "run", backend=Erring())
    assert outcome(tmp_path / "run") == expected


def test_a_run_that_has_ended_hands_out_the_same_again(tmp_path: Path) -> None:
    result = run(Erring(), ensemble=3, folder=tmp_path / "run")
    again = resume(tmp_path / "run", backend=Erring(1, RuntimeError("nothing is left to pay for")))
    assert again.saved.finished == result.saved.finished
    assert again.history == result.history


class Poor(Erring):
    """Has no money left from some call on."""

    def score(self, prompts: Sequence[Prompt], queries: Sequence[Query]) -> Scores:
        if self.calls >= self._breaks_at:
            raise SpentError("nothing is left", limit="usd")
        return super().score(prompts, queries)


def test_a_budget_that_no_longer_allows_it_leaves_the_plain_prompt_with_a_warning(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    plain = Erring()
    expected = run(plain)
    poor = run(Poor(plain.calls - 1), ensemble=3, calibration="auto", folder=tmp_path / "run")
    assert "an ensemble is not scored on the dev rows" in caplog.text
    assert not poor.saved.finished
    assert poor.saved.prompt == expected.saved.prompt
    assert facts(poor.history) == facts(expected.history)[:-1]
    assert SavedPrompt.load(tmp_path / "run" / "prompt").finished == poor.saved.finished


def test_a_saved_ensemble_answers_as_the_run_does(tmp_path: Path) -> None:
    result = run(Erring(), ensemble=3, calibration="auto", folder=tmp_path / "run")
    saved, rows = SavedPrompt.load(tmp_path / "run" / "prompt"), make_rows(9, first=400)
    assert Predictor(Erring(), saved).predict(rows) == result.predict(rows)
    report = (tmp_path / "run" / "report.html").read_text()
    assert "an average of 3 prompts" in report
    assert "with batch calibration" in report
