"""Two models behind endpoints, one of which writes instructions for the other: one budget, one journal."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any
from zlib import crc32

import pytest

from benchmarks.faulty import Body, FaultyServer, Plan, chat
from blackbox import Result, resume, tune
from blackbox.backends.api import Answers
from blackbox.errors import SettingError
from tests.blackbox.small import make_task

pytestmark = pytest.mark.usefixtures("without_pictures")

PRICES = {
    "usd_per_million_prompt_tokens": 1.0,
    "usd_per_million_completion_tokens": 2.0,
    "proposer_usd_per_million_prompt_tokens": 10.0,
    "proposer_usd_per_million_completion_tokens": 40.0,
}


def write(body: Mapping[str, Any], path: str) -> Body:
    """A chat answer with an instruction that depends on what is asked."""
    text = "".join(str(message["content"]) for message in body["messages"])
    said = f"1. Crossed.\n2. <prompt>Mind rule {crc32(text.encode())} above all.</prompt>"
    answer = chat(body)
    answer["choices"][0]["message"]["content"] = said
    answer["usage"] |= {"completion_tokens": len(said) // 4, "total_tokens": 0}
    return answer


@pytest.fixture
def servers(monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[FaultyServer, FaultyServer]]:
    """The task's and the writer's."""
    monkeypatch.setenv("NO_PROXY", "*")
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    plan = Plan(share=0.03, faults=("500", "slow", "429"), seed=1)
    with FaultyServer(plan) as task, FaultyServer(plan, answer=write) as writer:
        yield task, writer


def run(servers: tuple[FaultyServer, FaultyServer], folder: Path, **changes: Any) -> Result:
    task, writer = servers
    settings: dict[str, Any] = {
        "backend": "openai",
        "model": "small",
        "base_url": task.base_url,
        "proposer_model": "large",
        "proposer_base_url": writer.base_url,
        "space": "choices",
        "optimizer": "evolution",
        "demonstrations": 2,
        "population": 4,
        "evaluations": 40,
        "seed": 1,
        "folder": folder,
        **PRICES,
    }
    return tune(make_task(dev=4, test=4), **{**settings, **changes})


def usd(server: FaultyServer, prompt: float, completion: float) -> float:
    return (server.counts.prompt_tokens * prompt + server.counts.completion_tokens * completion) / 1e6


def test_a_larger_model_elsewhere_writes_and_all_is_in_one_account(
    servers: tuple[FaultyServer, FaultyServer], tmp_path: Path
) -> None:
    task, writer = servers
    result = run(servers, tmp_path / "run")
    assert writer.counts.requests > 10
    assert result.summary.requests == task.counts.requests + writer.counts.requests
    assert result.summary.usd == pytest.approx(usd(task, 1.0, 2.0) + usd(writer, 10.0, 40.0), rel=0.05)
    with Answers(tmp_path / "run" / "answers.sqlite") as answers:
        assert any("You improve" in str(row) for row in answers._file.read("SELECT candidate FROM calls", ()))


@pytest.mark.parametrize("limit", [{"max_requests": 120}, {"max_usd": 0.02}, {"max_prompt_tokens": 8000}])
def test_no_limit_is_passed_by_both_together(
    servers: tuple[FaultyServer, FaultyServer], limit: dict[str, float], tmp_path: Path
) -> None:
    task, writer = servers
    result = run(servers, tmp_path / "run", evaluations=400, **limit)
    [(name, most)] = limit.items()
    name = name.removeprefix("max_")
    counted = {
        "requests": task.counts.requests + writer.counts.requests,
        "usd": usd(task, 1.0, 2.0) + usd(writer, 10.0, 40.0),
        "prompt_tokens": task.counts.prompt_tokens + writer.counts.prompt_tokens,
    }
    assert result.summary.stop_reason == name
    assert counted[name] <= getattr(result.summary, name) * (1 + 1e-9) <= most * (1 + 1e-9)


def test_a_run_that_goes_on_pays_for_no_proposal_twice(
    servers: tuple[FaultyServer, FaultyServer], tmp_path: Path
) -> None:
    task, writer = servers
    run(servers, tmp_path / "run")
    answered = task.counts.answered, writer.counts.answered
    (tmp_path / "run" / "checkpoint.json").unlink()
    summary = tmp_path / "run" / "summary.json"
    summary.write_text(summary.read_text().replace("succeeded", "running"))
    resume(tmp_path / "run")
    assert (task.counts.answered, writer.counts.answered) == answered


def test_a_limit_in_usd_needs_the_writers_price(servers: tuple[FaultyServer, FaultyServer], tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="needs the model's price"):
        without: dict[str, Any] = {name: None for name in PRICES if name.startswith("proposer")}
        run(servers, tmp_path / "run", max_usd=1.0, **without)


def test_another_backend_needs_its_models_name(servers: tuple[FaultyServer, FaultyServer], tmp_path: Path) -> None:
    with pytest.raises(SettingError, match="proposer_backend 'anthropic' needs `proposer_model`"):
        run(servers, tmp_path / "run", proposer_backend="anthropic", proposer_model=None)
