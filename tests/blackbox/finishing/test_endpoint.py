"""Finishing behind an endpoint: looks at the dev rows that were paid for are not paid for again."""

from collections.abc import Iterator, Mapping
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest

from benchmarks.faulty import Body, FaultyServer, Plan, chat
from blackbox import Result, resume, tune
from tests.blackbox.small import make_task

pytestmark = pytest.mark.usefixtures("without_pictures")

TEXTS = [f"Rule {number}: classify." for number in range(1, 7)]


def say(body: Mapping[str, Any], path: str) -> Body:
    """A label that depends on the text: right by chance, and not behind the same prompts for all rows."""
    answer = chat(body)
    text = "".join(str(message["content"]) for message in body["messages"])
    answer["choices"][0]["message"]["content"] = ("negative", "positive")[sha256(text.encode()).digest()[0] % 2]
    return answer


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[FaultyServer]:
    """One that answers by what it reads."""
    monkeypatch.setenv("NO_PROXY", "*")
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    with FaultyServer(Plan(), answer=say) as server:
        yield server


def run(server: FaultyServer, folder: Path, **changes: Any) -> Result:
    settings: dict[str, Any] = {
        "backend": "openai", "model": "small", "base_url": server.base_url, "space": "texts", "prompts": TEXTS,
        "population": 6, "evaluations": 60, "racing": "on", "finalists": 3, "seed": 1, "folder": folder,
    }  # fmt: skip
    words = {"negative": "negative", "positive": "positive"}
    return tune(make_task(dev=8, test=4, label_words=words), **{**settings, **changes})


def test_an_ensemble_pays_for_no_look_at_the_dev_rows_again(server: FaultyServer, tmp_path: Path) -> None:
    alone = run(server, tmp_path / "plain").saved.text
    plain = server.counts.answered
    result = run(server, tmp_path / "run", ensemble=3)
    paid = server.counts.answered - plain - plain  # the probe, the search, the looks and the test rows once more
    tested = {TEXTS[0], *(member.text for member in result.saved.finished.members or (result.saved.prompt,))}
    assert paid == 4 * (len(tested) - len({TEXTS[0], alone}))
    assert any(found.tried for found in result.history)


def test_a_run_that_goes_on_pays_for_nothing_twice(server: FaultyServer, tmp_path: Path) -> None:
    result = run(server, tmp_path / "run", ensemble=3, calibration="auto")
    answered = server.counts.answered
    (tmp_path / "run" / "evaluations.jsonl").unlink()
    (tmp_path / "run" / "checkpoint.json").unlink()
    again = resume(tmp_path / "run")
    assert server.counts.answered == answered
    assert again.saved.finished == result.saved.finished


def test_a_limit_that_ends_in_the_finishing_leaves_what_was_found(
    server: FaultyServer, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    whole = run(server, tmp_path / "plain")
    result = run(server, tmp_path / "run", calibration="contextual", max_requests=whole.summary.requests)
    assert result.summary.requests <= whole.summary.requests
    assert result.saved.prompt == whole.saved.prompt
    assert "a calibration is not scored on the dev rows" in caplog.text
    assert not result.saved.finished
