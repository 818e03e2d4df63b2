"""Tasks whose rows are sentences: every token is asked for, shots and figures go by sentences."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from blackbox import Task, resume, tune
from blackbox.backends import FakeBackend, TextPrompt
from blackbox.config import make_config
from blackbox.data import load_task
from blackbox.errors import DataError
from blackbox.prediction import Predictor
from blackbox.saved_prompt import SavedPrompt
from tests.blackbox.cli.conftest import Answer, blackbox  # noqa: F401 - the fixture
from tests.blackbox.small import QUICK, facts, write_toml

WORDS = {"NOUN": "cat", "VERB": "run", "X": "etc"}
TEMPLATE = "{token} is {label}"
SENTENCE = {"tokens": ["cats", "run"], "tags": ["NOUN", "VERB"], "genre": "news"}


def sentences(count: int, *, first: int = 0) -> list[dict[str, object]]:
    """Sentences of two to four tokens; no X among them."""
    kinds = ["NOUN", "VERB"]
    return [
        {
            "tokens": [f"{WORDS[kinds[place % 2]]}{number}" for place in range(2 + number % 3)],
            "tags": [kinds[place % 2] for place in range(2 + number % 3)],
        }
        for number in range(first, first + count)
    ]


def make_task(**settings: Any) -> Task:
    given = {"template": TEMPLATE, "label_words": WORDS, "tags_field": "tags", "test": sentences(9, first=200)}
    return Task(sentences(6), dev=sentences(6, first=100), **{**given, **settings})


def test_each_token_becomes_a_query_with_the_fields_of_its_sentence() -> None:
    task = Task(
        [SENTENCE], template="{genre}: {text}|{left}|{token}|{right} = {label}", label_words=WORDS, tags_field="tags"
    )
    assert [query.before for query in task.train.queries] == [
        "news: cats run||cats|run = ",
        "news: cats run|cats|run| = ",
    ]
    assert task.train.labels.tolist() == [0, 1]
    assert task.train.queries[0].options == ("cat", "run", "etc")


def test_a_sentence_may_bring_its_text() -> None:
    task = Task([{**SENTENCE, "text": "Cats run!"}], template="{text} {token} {label}", label_words=WORDS,
                tags_field="tags")  # fmt: skip
    assert task.train.queries[0].before == "Cats run! cats "


def test_a_task_comes_back_from_json_values_as_sentences() -> None:
    task = make_task()
    values = json.loads(json.dumps(task.to_dict()))
    assert values["train"][0] == {"text": "cat0 run0", "tokens": ["cat0", "run0"], "tags": ["NOUN", "VERB"]}
    again = Task.from_dict(values)
    assert again.to_dict() == task.to_dict()
    assert again.test.queries == task.test.queries


@pytest.mark.parametrize(
    ("row", "message"),
    [
        ({"tokens": "a b", "tags": ["X"]}, "train row 2 must have a list of texts in its field 'tokens', got 'a b'"),
        ({"tags": ["X"]}, "train row 2 must have a list of texts in its field 'tokens', got None"),
        ({"tokens": [], "tags": []}, "train row 2 has no token in its field 'tokens'"),
        ({"tokens": ["a"], "tags": ["X", "X"]}, "train row 2 has 1 tokens and 2 tags"),
        ({"tokens": ["a"]}, "train row 2 has no field 'tags' with its tags"),
        ({"tokens": ["a"], "tags": ["ADJ"]}, "train row 2 has tag 'ADJ', which is not in label_words: NOUN, VERB, X"),
        ({"tokens": ["a"], "tags": ["X"], "left": "b"}, "train row 2 has a field 'left' of its own"),
    ],
)
def test_what_is_no_sentence_is_refused_by_its_row(row: dict[str, object], message: str) -> None:
    with pytest.raises(DataError, match=message):
        Task([SENTENCE, row], template=TEMPLATE, label_words=WORDS, tags_field="tags")


def test_tags_and_numbers_exclude_each_other_and_tags_need_words() -> None:
    with pytest.raises(DataError, match="rows have numbers or tags"):
        make_task(number_field="n")
    with pytest.raises(DataError, match="a tags_field needs label_words: the words of the tags"):
        make_task(label_words=None)


def test_shots_are_sentences(tmp_path: Path) -> None:
    (tmp_path / "train.jsonl").write_text("".join(json.dumps(row) + "\n" for row in sentences(20)))
    settings = {"train": str(tmp_path / "train.jsonl"), "shots": 5, "template": TEMPLATE}
    task = load_task(make_config({**settings, "label_words": WORDS, "tags_field": "tags"}))
    for split in (task.train, task.dev):
        assert len({row["sentence number"] for row in split.rows}) == 5


def test_a_run_finds_a_better_prompt_and_is_resumed(tmp_path: Path) -> None:
    task = make_task(class_weights="balanced")
    result = tune(task, folder=tmp_path / "run", **QUICK)
    before, after = result.summary.test_before, result.summary.test_after
    assert before is not None
    assert after is not None
    assert after.rows == len(task.test) == sum(2 + number % 3 for number in range(200, 209))
    assert after.value > before.value
    assert facts(resume(tmp_path / "run").history) == facts(result.history)


def test_a_saved_prompt_predicts_the_tags_of_sentences(tmp_path: Path) -> None:
    task, backend = make_task(tokens_field="tokens"), FakeBackend()
    saved = SavedPrompt.of(TextPrompt("classify sentiment carefully answer"), backend=backend, task=task, scores={})
    saved.save(tmp_path)
    predictor = Predictor(backend, SavedPrompt.load(tmp_path))
    found = predictor.predict([{"tokens": ["cat1", "run1", "cat2"]}, {"tokens": ["run3"], "tags": ["no tag"]}])
    assert [one.answer for one in found] == [["NOUN", "VERB", "NOUN"], ["VERB"]]
    assert predictor.predict([]) == []
    figure = predictor.evaluate(sentences(4))
    assert figure is not None
    assert (figure.metric, figure.value, figure.rows) == ("accuracy", 1.0, 2 + 3 + 4 + 2)


def test_the_command_line_tunes_and_predicts_sentences(
    tmp_path: Path,
    blackbox: Callable[..., Answer],  # noqa: F811
    without_pictures: None,
) -> None:
    for name, first in {"train": 0, "dev": 100, "test": 200}.items():
        lines = "".join(json.dumps(row) + "\n" for row in sentences(6, first=first))
        (tmp_path / f"{name}.jsonl").write_text(lines)
    files = {name: f"{name}.jsonl" for name in ("train", "dev", "test")}
    of_task = {"template": TEMPLATE, "label_words": WORDS, "tags_field": "tags", "metric": "macro-f1"}
    config = write_toml(tmp_path / "task.toml", **files, **of_task, **QUICK)
    assert blackbox("tune", config, "--runs", tmp_path, "--name", "run").code == 0
    lines = json.dumps({"tokens": ["cat7", "run7"], "id": 3}) + "\n"
    answer = blackbox("predict", tmp_path / "run", stdin=lines)
    assert answer.code == 0
    [row] = [json.loads(line) for line in answer.out.splitlines()]
    assert row["id"] == 3
    assert len(row["predicted"]) == 2
    assert set(row["predicted"]) <= {*WORDS}
    answer = blackbox("predict", tmp_path / "run", stdin=lines + '{"tokens": "cat"}\n')
    assert answer.code == 2
    assert "stdin line 2 must have a list of texts in its field 'tokens'" in answer.err


def test_a_race_meets_tokens_and_gives_the_order_of_the_whole() -> None:
    task = make_task()
    prompts = {"space": "texts", "prompts": ["nothing", "classify", "classify sentiment carefully"]}
    raced = tune(task, backend="fake", evaluations=20, racing="on", **prompts)
    whole = tune(task, backend="fake", evaluations=20, racing="off", **prompts)
    assert raced.prompt == whole.prompt
    assert np.isfinite(raced.summary.train_loss or np.nan)
