"""Training rows that are mixed from others of their label."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from blackbox import Task, resume, tune
from blackbox.environment import data_hash
from blackbox.errors import DataError, SettingError
from blackbox.files import read_json
from blackbox.mixing import joined_texts, mixed_rows, mixed_words
from tests.blackbox.small import QUICK, facts, make_rows, make_target_task, make_task

pytestmark = pytest.mark.usefixtures("without_pictures")


def test_words_are_the_first_texts_or_the_seconds_at_the_same_share() -> None:
    first, second = "a b c d e f", "x y z"
    there = {"a": "x", "b": "x", "c": "y", "d": "y", "e": "z", "f": "z"}
    for seed in range(20):
        mixed = mixed_words(first, second, 0.5, seed).split()
        assert all(word in (own, there[own]) for word, own in zip(mixed, first.split(), strict=True))
    assert mixed_words(first, second, 1.0, 0) == first
    assert mixed_words(first, second, 0.0, 0) == "x x y y z z"
    assert mixed_words("", second, 0.0, 0) == ""


@pytest.mark.parametrize("level", [0.2, 0.5, 0.9])
def test_the_share_of_a_texts_own_words_is_the_level(level: float) -> None:
    own = [mixed_words("a " * 50, "b " * 50, level, seed).count("a") for seed in range(200)]
    assert np.mean(own) / 50 == pytest.approx(level, abs=0.02)


def test_texts_are_joined_in_either_order() -> None:
    assert joined_texts("one. ", " two.", 0.7, 0) == "one. two."
    assert joined_texts("one. ", " two.", 0.2, 0) == "two. one."


def test_rows_are_mixed_with_others_of_their_label_and_keep_it() -> None:
    rows = [{"text": f"{'ab'[n % 2]}{n} {'ab'[n % 2]}{n}", "label": n % 2, "id": n} for n in range(10)]
    mixed = mixed_rows(rows, [n % 2 for n in range(10)], ["text"])
    assert [(row["label"], row["id"]) for row in mixed] == [(n % 2, n) for n in range(10)]
    assert all({word[0] for word in str(row["text"]).split()} == {"ab"[int(str(row["label"]))]} for row in mixed)
    lengths = [len(str(row["text"]).split()) for row in mixed]
    assert lengths == [2, 4, 4, 2, 2, 4, 4, 2, 2, 4]  # words of two texts, or two texts, in turns within a label
    assert mixed_rows(rows, [n % 2 for n in range(10)], ["text"]) == mixed


def test_a_row_alone_with_its_label_is_not_mixed() -> None:
    rows = [{"text": "a"}, {"text": "b"}, {"text": "c"}]
    assert [row["text"] in ("b c", "c b", "b", "c") for row in mixed_rows(rows, [0, 1, 1], ["text"])] == [True, True]


def test_pairs_are_joined_text_by_text() -> None:
    rows = [{"first": f"p{n}", "second": f"h{n}"} for n in range(6)]
    for row in mixed_rows(rows, [0] * 6, ["first", "second"]):
        one, other = str(row["first"]).split(), str(row["second"]).split()
        assert {word[0] for word in one} == {"p"} and {word[0] for word in other} == {"h"}
        assert {word[1:] for word in one} == {word[1:] for word in other}
        assert len(one) == 2


def test_a_task_has_its_mixed_rows_behind_the_given_ones_and_is_written_without_them() -> None:
    plain, task = make_task(), make_task(augment="mixpro")
    assert task.train.queries[:8] == plain.train.queries
    assert len(task.train) == 16
    assert task.train.labels.tolist() == [*plain.train.labels, *plain.train.labels]
    assert (task.dev.queries, task.test.queries) == (plain.dev.queries, plain.test.queries)
    written = task.to_dict()
    assert written["train"] == plain.to_dict()["train"]
    again = Task.from_dict(written)
    assert again.train.queries == task.train.queries
    assert data_hash(again) == data_hash(task) != data_hash(plain)
    assert "augment" not in plain.to_dict()


def test_a_run_with_mixed_rows_goes_on_as_the_unbroken_one(tmp_path: Path) -> None:
    whole = tune(make_task(augment="mixpro"), **QUICK, folder=tmp_path / "run")
    assert whole.history[0].rows == 16
    summary = tmp_path / "run" / "summary.json"
    summary.write_text(summary.read_text().replace("succeeded", "running"))
    assert facts(resume(tmp_path / "run").history) == facts(whole.history)
    assert len(read_json(tmp_path / "run" / "task.json")["train"]) == 8  # type: ignore[arg-type]


def test_only_given_rows_are_shown() -> None:
    settings: dict[str, Any] = {"space": "choices", "backend": "fake", "evaluations": 60, "demonstrations": 4}
    result = tune(make_task(augment="mixpro"), **settings)
    prompts = [found.prompt for found in result.history if found.prompt]
    rows = {shown["row"] for prompt in prompts for shown in prompt["demonstrations"]}  # type: ignore[attr-defined]
    assert rows
    assert max(rows) < 8


def test_what_cannot_be_mixed_is_refused() -> None:
    with pytest.raises(SettingError, match="must be none or mixpro"):
        make_task(augment="mix")
    with pytest.raises(SettingError, match="others of their label"):
        make_target_task(augment="mixpro")
    with pytest.raises(DataError, match="has no field 'text'"):
        Task(
            [{"label": "negative"}, *make_rows(4)],
            **{
                "template": "{text} {label}",
                "label_words": {"negative": "bad", "positive": "good"},
                "augment": "mixpro",
            },
        )
