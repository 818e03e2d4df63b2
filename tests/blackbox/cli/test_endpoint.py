"""The command line on a model behind an endpoint, a real HTTP server."""

import json
import re
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from benchmarks.faulty import FaultyServer
from tests.blackbox.cli.conftest import Answer
from tests.blackbox.small import TEMPLATE, make_rows

Blackbox = Callable[..., Answer]
KEY = "sk-zanzibar-4711"


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[FaultyServer]:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("NO_PROXY", "*")
    monkeypatch.setenv("OPENAI_API_KEY", KEY)
    monkeypatch.setenv("COLUMNS", "200")
    with FaultyServer() as server:
        yield server


def write_rows(path: Path, count: int, *, first: int = 0) -> Path:
    path.write_text("".join(json.dumps(row) + "\n" for row in make_rows(count, first=first)))
    return path


def endpoint(server: FaultyServer) -> list[str]:
    words = "negative=bad,positive=great"
    prices = ["--usd-per-million-prompt-tokens", "1", "--usd-per-million-completion-tokens", "2"]
    named = ["--backend", "openai", "--model", "some", "--base-url", server.base_url]
    return [*named, "--template", TEMPLATE, "--label-words", words, *prices]


@pytest.fixture
def tune(tmp_path: Path, server: FaultyServer) -> list[str]:
    (tmp_path / "prompts.txt").write_text("Say bad or great.\nzzz\nWhich is it?\n")
    files = [("train", 8, 0), ("dev", 6, 100), ("test", 6, 200)]
    rows = [(f"--{name}", str(write_rows(tmp_path / f"{name}.jsonl", n, first=first))) for name, n, first in files]
    given = [part for pair in rows for part in pair]
    prompts = ["--space", "texts", "--prompts", str(tmp_path / "prompts.txt")]
    return ["tune", *endpoint(server), *given, *prompts, "--runs", str(tmp_path / "runs"), "--name", "it"]


def test_a_dry_run_asks_few_rows_and_bounds_what_the_run_costs(
    blackbox: Blackbox, tune: list[str], server: FaultyServer, tmp_path: Path
) -> None:
    forecast = blackbox(*tune, "--dry-run")
    assert forecast.code == 0
    asked = server.counts.requests
    assert asked <= 4 + 3  # rows and the probe
    assert not (tmp_path / "runs").exists()
    text = " ".join(forecast.out.split())
    assert f"{asked} requests" in text
    probe = asked - 4
    most = probe + (1 + 3) * 8 + (1 + 3) * 6 + 2 * 6
    assert f"at most {most}, and failed attempts" in text
    assert blackbox(*tune, "--racing", "off").code == 0
    assert server.counts.requests - asked <= most
    tokens = re.search(r"prompt tokens │ about [\d,]+, at most ([\d,]+)", text)
    assert tokens is not None
    assert server.counts.prompt_tokens <= int(tokens[1].replace(",", ""))


def test_what_was_spent_is_shown_by_prompt_and_adds_up_to_what_the_server_has_counted(
    blackbox: Blackbox, tune: list[str], server: FaultyServer, tmp_path: Path, without_pictures: None
) -> None:
    assert blackbox(*tune).code == 0
    shown = blackbox("journal", tmp_path / "runs" / "it")
    assert shown.code == 0
    for said in ("probe", "Say bad or great.", "zzz", "Which is it?", f"{server.counts.prompt_tokens:,}"):
        assert said in shown.out
    for file in (tmp_path / "runs").rglob("*"):
        assert file.is_dir() or KEY.encode() not in file.read_bytes()


def test_a_local_run_has_no_journal_of_answers(blackbox: Blackbox, run: Path) -> None:
    shown = blackbox("journal", run)
    assert shown.code == 2
    assert "there are no answers of an endpoint; the run's backend is 'fake'" in shown.err


def test_the_example_runs_on_an_endpoint_that_serves_a_model_of_any_name(
    blackbox: Blackbox, server: FaultyServer, tmp_path: Path
) -> None:
    example = Path(__file__).parents[3] / "examples" / "endpoint.toml"
    assert blackbox("tune", example, "--base-url", server.base_url, "--dry-run").code == 0
    assert server.counts.requests > 4


def test_a_model_must_be_named(blackbox: Blackbox, tune: list[str], server: FaultyServer) -> None:
    place = tune.index("--model")
    answer = blackbox(*tune[:place], *tune[place + 2 :])
    assert answer.code == 2
    assert "needs `model`" in answer.err


def test_a_prompt_is_used_after_its_run_has_spent_its_budget_and_no_answer_is_paid_twice(
    blackbox: Blackbox, tune: list[str], server: FaultyServer, tmp_path: Path, without_pictures: None
) -> None:
    assert blackbox(*tune, "--max-requests", "40").code == 0
    data = write_rows(tmp_path / "more.jsonl", 5, first=300)
    first = blackbox("evaluate", tmp_path / "runs" / "it", data)
    assert first.code == 0
    paid = server.counts.requests
    assert blackbox("evaluate", tmp_path / "runs" / "it", data) == first
    assert server.counts.requests == paid


def test_prompts_are_scored_side_by_side_without_a_search(
    blackbox: Blackbox, server: FaultyServer, tmp_path: Path
) -> None:
    data = write_rows(tmp_path / "rows.jsonl", 12)
    prompts = ["--prompt", "Say bad or great.", "--prompt", "zzz"]
    first = blackbox("evaluate", data, *prompts, *endpoint(server))
    assert first.code == 0
    for said in ("accuracy", "Say bad or great.", "zzz", "points", "p = "):
        assert said in first.out
    paid = server.counts.requests
    assert paid >= 2 * 12
    assert blackbox("evaluate", data, *prompts, *endpoint(server)).out == first.out
    assert server.counts.requests == paid


def test_a_budget_that_ends_in_an_evaluation_is_no_wrong_input(
    blackbox: Blackbox, server: FaultyServer, tmp_path: Path
) -> None:
    data = write_rows(tmp_path / "rows.jsonl", 12)
    answer = blackbox("evaluate", data, "--prompt", "zzz", *endpoint(server), "--max-requests", "9")
    assert answer.code == 1
    assert "SpentError: the limit of 9 requests" in " ".join(answer.err.split())
    assert server.counts.requests <= 9


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        (["--template", "{txt} It was {label}."], "has no field 'txt'"),
        (["--label-words", "other=x,another=y"], "label 'negative'"),
        (["--target-field", "text"], "a task has label_words or a target_field, got both"),
        (["--metric", "f2"], "unknown metric 'f2'"),
    ],
)
def test_wrong_input_is_refused_before_the_endpoint_is_asked(
    blackbox: Blackbox, server: FaultyServer, tmp_path: Path, wrong: list[str], said: str
) -> None:
    data = write_rows(tmp_path / "rows.jsonl", 12)
    answer = blackbox("evaluate", data, "--prompt", "zzz", *endpoint(server), *wrong)
    assert answer.code == 2
    assert said in answer.err
    assert server.counts.requests == 0


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["only.jsonl"], "evaluate needs RUN and DATA, or --prompt and DATA"),
        (["run", "rows.jsonl", "--model", "other"], "a run has its own 'model'"),
        (["run", "rows.jsonl", "--prompt", "a"], "scored on one file of rows, got 2 paths"),
    ],
)
def test_evaluate_refuses_what_it_cannot_tell_apart(blackbox: Blackbox, arguments: list[str], said: str) -> None:
    answer = blackbox("evaluate", *arguments)
    assert answer.code == 2
    assert said in answer.err
