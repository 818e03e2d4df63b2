import json
import os
import subprocess
import sys
import threading
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pytest

from benchmarks import text_peers
from benchmarks.data import MissingDataError
from benchmarks.faulty import Body, FaultyServer, RefusalError
from benchmarks.text_peers import comparison
from benchmarks.text_peers.comparison import PROGRAMS, summary, worst_on
from benchmarks.text_peers.environments import environment
from benchmarks.text_peers.grading import alike, between, first_word, right
from benchmarks.text_peers.programs.exchange import Brief, Example, Found, ask, ended, left
from benchmarks.text_peers.programs.own import messages_of
from benchmarks.text_peers.proxy import COUNTS, MeteringProxy, calls_of, metering_proxy
from benchmarks.text_peers.scoring import answers, filled, graded
from benchmarks.text_peers.tasks import DESCRIPTIONS, PeerTask
from benchmarks.text_search.tasks import SOURCES
from blackbox.backends import Demonstration, TextPrompt
from blackbox.form import Form
from tests.blackbox.small import make_target_task, make_task

ROOT = Path(__file__).parents[2]
ROW = [{"role": "user", "content": "good film"}]


def echo(body: Mapping[str, Any], path: str) -> Body:
    """Repeats the last message in capitals; 7 tokens were read and 2 written."""
    text = str(body["messages"][-1]["content"])
    if "too long" in text:
        raise RefusalError(400, {"error": {"message": "exceeds the context", "code": 400}})
    return {
        "choices": [{"index": 0, "message": {"role": "assistant", "content": text.upper()}, "finish_reason": "stop"}],
        "usage": {"prompt_tokens": 7, "completion_tokens": 2, "total_tokens": 9},
    }


@pytest.fixture
def proxy() -> Iterator[MeteringProxy]:
    with FaultyServer(answer=echo) as server, metering_proxy(server.base_url) as proxy:
        yield proxy


def brief_of(base_url: str, *, limit: int = 3) -> Brief:
    row = Example("Review: good film\nSentiment:", "good")
    return Brief("gepa", base_url, "m", limit, 1, "Say.", ["Say."], ["bad", "good"], "<<text>>", [row], [row], {}, 8, 9)


def test_calls_and_tokens_are_counted_by_name(proxy: MeteringProxy) -> None:
    (one_url, one), (_, other) = proxy.meter("one", 5), proxy.meter("other", None)
    assert ask(one_url, ROW) == "GOOD FILM"
    ask(one_url, ROW)
    assert one.figures() == dict(zip(COUNTS, (5, 2, 0, 0, 14, 4), strict=True))
    assert other.figures() == dict(zip(COUNTS, (None, 0, 0, 0, 0, 0), strict=True))


def test_what_passes_the_limit_is_refused_and_never_reaches_the_endpoint() -> None:
    with FaultyServer(answer=echo) as server, metering_proxy(server.base_url) as proxy:
        url, meter = proxy.meter("tool", 8)
        refused: list[int] = []

        def many() -> None:
            for _ in range(5):
                try:
                    ask(url, ROW)
                except urllib.error.HTTPError as error:
                    refused.append(error.code)
                    assert json.load(error)["error"]["code"] == "limit_reached"

        threads = [threading.Thread(target=many) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert (meter.calls, meter.refused, refused) == (8, 12, [403] * 12)
        assert server.counts.requests == 8


def test_several_answers_in_one_request_are_as_many_calls(proxy: MeteringProxy) -> None:
    url, meter = proxy.meter("tool", 4)
    ask(url, ROW, n=3)
    with pytest.raises(urllib.error.HTTPError, match="403"):
        ask(url, ROW, n=2)
    ask(url, ROW)
    assert (meter.calls, meter.refused) == (4, 1)
    assert calls_of({"prompt": ["a", "b"], "n": 2}) == 4
    assert calls_of({"prompt": [1, 2, 3]}) == calls_of({"prompt": "a", "n": None}) == 1


def test_a_failed_call_counts_and_comes_back_as_the_endpoint_sent_it(proxy: MeteringProxy) -> None:
    url, meter = proxy.meter("tool", 4)
    with pytest.raises(urllib.error.HTTPError) as raised:
        ask(url, [{"role": "user", "content": "too long"}])
    assert raised.value.code == 400
    assert json.load(raised.value)["error"]["message"] == "exceeds the context"
    assert (meter.calls, meter.failed, meter.prompt_tokens) == (1, 1, 0)


def test_an_endpoint_that_is_gone_is_a_502() -> None:
    with FaultyServer(answer=echo) as server:
        gone = server.base_url
    with metering_proxy(gone) as proxy:
        url, meter = proxy.meter("tool", 4)
        with pytest.raises(urllib.error.HTTPError, match="502"):
            ask(url, ROW)
        assert (meter.calls, meter.failed) == (1, 1)


@pytest.mark.parametrize(
    ("path", "settings", "status"),
    [
        ("tool/v1/embeddings", {}, 404),
        ("nobody/v1/chat/completions", {}, 404),
        ("tool/v1/completions", {"stream": True}, 400),
    ],
)
def test_what_cannot_be_counted_is_not_passed_on(
    proxy: MeteringProxy, path: str, settings: dict[str, object], status: int
) -> None:
    _, meter = proxy.meter("tool", 4)
    request = urllib.request.Request(f"http://127.0.0.1:{proxy.port}/{path}", json.dumps(settings).encode())
    with pytest.raises(urllib.error.HTTPError, match=str(status)):
        urllib.request.urlopen(request, timeout=5)
    assert meter.calls == 0


def test_a_program_can_ask_what_is_left_without_a_call(proxy: MeteringProxy) -> None:
    url, meter = proxy.meter("tool", 1)
    assert (left(brief_of(url)), ended(brief_of(url)), meter.calls) == (1, "itself", 0)
    ask(url, ROW)
    assert (left(brief_of(url)), ended(brief_of(url))) == (0, "limit")


def test_a_brief_survives_its_way_as_json() -> None:
    brief = brief_of("http://localhost/v1")
    assert Brief.of(json.loads(json.dumps(asdict(brief)))) == brief


@pytest.mark.parametrize(
    ("text", "found"),
    [("[[a]]\ngood\n[[b]]", "good"), ("good", "good"), ("say [[a]] x [[a]] good", "good"), ("good [[b]]", "good")],
)
def test_an_answer_stands_between_its_markers_or_is_all(text: str, found: str) -> None:
    assert between(text, "[[a]]", "[[b]]") == found
    assert between(f" {found} ", "", "") == found


@pytest.mark.parametrize(
    ("answer", "word"),
    [
        ("The sentiment is Positive, not negative.", "positive"),
        ("nonpositive", None),
        ("very positive indeed", "very positive"),
        ("", None),
    ],
)
def test_the_first_label_word_counts_whole_and_in_any_case(answer: str, word: str | None) -> None:
    assert first_word(answer, ["negative", "positive", "very positive"]) == word


def test_labels_are_read_in_the_answer_and_targets_are_the_answer() -> None:
    assert right("It is good.", "good", ["bad", "good"])
    assert not right("It is good.", "good", [])
    assert right("The Good.", "good", [])
    assert alike("the", "The")
    assert not alike("the", "a")


def test_rows_are_filled_in_asked_and_graded_alike_whatever_the_tool_s_own_words_are(proxy: MeteringProxy) -> None:
    url, meter = proxy.meter("test", None)
    found = Found([{"role": "user", "content": "<<text>> <<more>>"}], ["no", "yes"])
    rows = [{"text": "well", "more": 'yes "<<text>>"'}, {"text": "yes", "more": ""}, {"text": "no", "more": "?"},
            {"text": "well", "more": ""}, {"text": "too long", "more": ""}]  # fmt: skip
    written = answers(found, rows, url, max_tokens=3)
    assert written == ['WELL YES "<<TEXT>>"', "YES ", "NO ?", "WELL ", None]
    figures = graded(found, written, ["good", "good", "good", "bad", "bad"], ["bad", "good"])
    assert figures == {"test": 2 / 5, "exact": 1 / 5, "unread": 1, "too_long": 1}
    assert meter.calls == 5


def test_slots_of_other_fields_stay() -> None:
    assert filled([{"role": "user", "content": "<<a>> <<b>>"}], {"a": "1"}) == [{"role": "user", "content": "1 <<b>>"}]


def test_this_project_s_messages_have_slots_where_a_row_stands() -> None:
    task = make_task(train=8, dev=4)
    prompt = TextPrompt("Decide. ", (Demonstration("Film: dull =>", " bad"),), template="Film: {text} => {label}")
    said = messages_of(prompt, Form(task.template, task.blank))
    assert [one["role"] for one in said] == ["user", "assistant", "user"]
    assert said[0]["content"].startswith("Decide. Film: dull")
    assert said[1]["content"] == "bad"
    assert said[2]["content"] == "Film: <<text>> =>"


def test_every_task_says_what_there_is_to_do() -> None:
    assert set(DESCRIPTIONS) == set(SOURCES)


def test_a_program_gets_rows_as_they_are_asked_and_no_test_row() -> None:
    task = PeerTask("plural", 13, make_target_task(train=8, dev=6, test=5), [], DESCRIPTIONS["plural"])
    brief = task.brief("gepa", "http://localhost/v1", 5)
    values = task.task.to_dict()
    assert (len(brief.train), len(brief.dev), brief.task["test"]) == (8, 6, [])
    question = values["train"][0]["question"]
    assert brief.train[0] == Example(question, values["train"][0]["target"])
    assert brief.slots == "<<question>>"
    assert len(set(brief.instructions)) == 5
    assert all(DESCRIPTIONS["plural"] in one for one in brief.instructions)
    assert task.start[0]["content"] == f"{brief.instructions[0]}\n\n{brief.slots}"


def of(test: float) -> dict[str, object]:
    return {"test": test}


def test_comparisons_are_by_task_and_seed_and_the_worst_is_named() -> None:
    found = [
        {"task": "a", "seed": 1, "start": of(0.1), "categorical": of(0.5), "gepa": of(0.4), "capo": of(0.45)},
        {"task": "a", "seed": 2, "start": of(0.3), "categorical": of(0.7), "gepa": of(0.4), "capo": of(0.45)},
        {"task": "b", "seed": 1, "start": of(0.1), "categorical": of(0.2), "gepa": of(0.4), "capo": of(0.45)},
    ]
    figures = json.loads(json.dumps(summary(found), allow_nan=False))
    assert figures["means"]["categorical"] == pytest.approx({"a": 0.6, "b": 0.2, "mean": 0.4})
    gepa = figures["against"]["gepa"]
    assert (gepa["mean_points"], gepa["searches"]) == (pytest.approx((10 + 30 - 20) / 3), 3)
    assert gepa["low"] < gepa["mean_points"] < gepa["high"]
    assert figures["worst_on"] == ["b"]
    assert worst_on({"categorical": {"b": 0.4}, "gepa": {"b": 0.4}, "start": {"b": 0.1}}) == []


def test_a_program_that_breaks_off_says_why(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(PROGRAMS, "gepa", ("own", None))
    told = comparison.program(brief_of("http://127.0.0.1:9/v1"))
    assert list(told) == ["broken"]
    assert "Error" in told["broken"]


def test_programs_need_nothing_of_this_project_to_be_imported() -> None:
    code = (
        "import sys, benchmarks.text_peers.programs.exchange, benchmarks.text_peers.grading; "
        "print([name for name in ('numpy', 'blackbox', 'pydantic') if name in sys.modules])"
    )
    said = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert said.stdout == "[]\n"


def test_an_environment_that_cannot_be_made_is_missing_data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in {"BLACKBOX_PEERS": str(tmp_path), "PIP_NO_INDEX": "1", "PIP_CONFIG_FILE": os.devnull}.items():
        monkeypatch.setenv(name, value)
    monkeypatch.delenv("PIP_FIND_LINKS", raising=False)
    with pytest.raises(MissingDataError, match="the environment of gepa cannot be made: .*gepa"):
        environment("gepa")
    assert not list(tmp_path.glob("*/complete"))


def test_every_environment_has_pinned_packages_only() -> None:
    tools = {tool for _, tool in PROGRAMS.values() if tool}
    files = {path.stem.removeprefix("requirements-"): path for path in (ROOT / "benchmarks/text_peers").glob("*.txt")}
    assert set(files) == tools
    assert all("==" in line for path in files.values() for line in path.read_text().splitlines())
    assert text_peers.CALLS == 500
