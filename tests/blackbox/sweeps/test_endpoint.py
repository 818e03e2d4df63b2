"""A sweep of a model behind an endpoint, a real HTTP server: runs share one file of answers."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from benchmarks.faulty import FaultyServer
from blackbox import run_sweep
from tests.blackbox.sweeps.small import small_sweep

pytestmark = pytest.mark.usefixtures("without_pictures")


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[FaultyServer]:
    monkeypatch.setenv("NO_PROXY", "*")
    monkeypatch.setenv("OPENAI_API_KEY", "sk-zanzibar-4711")
    with FaultyServer() as server:
        yield server


def test_runs_that_share_answers_count_what_the_server_has_counted_and_pay_for_nothing_again(
    server: FaultyServer, tmp_path: Path
) -> None:
    values = small_sweep(tmp_path, methods={"race": {"racing": "on"}, "all": {"racing": "off"}})
    values["settings"] |= {
        **{"backend": "openai", "model": "some", "base_url": server.base_url, "answers": str(tmp_path / "a.sqlite")},
        **{"space": "texts", "prompts": ["Say bad or great.\n", "zzz\n", "Which is it?\n"]},
        **{"usd_per_million_prompt_tokens": 1.0, "usd_per_million_completion_tokens": 2.0},
    }
    del values["settings"]["prompt"]
    result = run_sweep(values, folder=tmp_path / "sweep", workers=2)
    assert [record.error for record in result.records] == [None] * 4
    summaries = [record.summary for record in result.records if record.summary]
    assert sum(summary.requests for summary in summaries) == server.counts.requests
    assert sum(summary.prompt_tokens for summary in summaries) == server.counts.prompt_tokens
    asked = server.counts.requests
    again = run_sweep(values, folder=tmp_path / "again", workers=2)
    assert server.counts.requests == asked
    found = [[record.summary.test_after for record in one.records if record.summary] for one in (result, again)]
    assert found[0] == found[1]
