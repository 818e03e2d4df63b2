"""The benchmark of faults sees what it looks for: a limit that is passed, an answer paid twice, a row that is lost."""

from collections.abc import Iterator
from dataclasses import replace

import pytest
import requests

from benchmarks import outages
from benchmarks.faults import kills, overshoot, together
from benchmarks.faults.endpoint import Endpoint
from benchmarks.faults.searches import SEARCHES
from benchmarks.faults.task import BEST, ROWS, STYLE, WORDS, answer, task
from benchmarks.faulty import Plan
from blackbox import Evaluation, Measured, tune
from blackbox.backends import TextPrompt, Usage

LIMITS = {"requests": 10.0, "prompt_tokens": 100.0, "completion_tokens": 10.0, "usd": 1.0}
AS_MANY = overshoot.Ran("requests", 1, LIMITS, bill=LIMITS, spent=LIMITS)


@pytest.fixture(autouse=True)
def no_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_PROXY", "*")


@pytest.fixture(scope="module")
def endpoint() -> Iterator[Endpoint]:
    with Endpoint() as one:
        yield one


def test_a_count_above_the_limit_or_above_what_is_written_down_is_seen() -> None:
    one_more = replace(AS_MANY, bill={**LIMITS, "requests": 11.0})
    figure = overshoot.of_limit("requests", [AS_MANY, one_more])
    assert (figure["overshoot"], figure["overshoot_where_tight"], figure["not_written_down"]) == (1.0, 1.0, 1.0)
    figure = overshoot.of_limit("requests", [AS_MANY])
    assert (figure["overshoot"], figure["not_written_down"], figure["share_of_a_tight_limit_spent"]) == (0.0, 0.0, 1.0)


def test_the_endpoint_counts_an_answer_to_the_same_question_as_paid_again(endpoint: Endpoint) -> None:
    endpoint.begin(Plan.of("ok", "500", "ok", "ok"))
    for text in ("a", "a", "a", "b"):
        body = {"messages": [{"role": "user", "content": text}]}
        requests.post(f"{endpoint.base_url}/chat/completions", json=body, timeout=10)
    bill = endpoint.bill()
    assert (bill.requests, bill.answers, bill.again) == (4, 3, 1)
    assert (bill.prompt_tokens, bill.completion_tokens) == (3, 3)
    assert bill.usd == pytest.approx((3 * 2.0 + 3 * 8.0) / 1e6)


@pytest.mark.parametrize("name", SEARCHES)
def test_a_search_finds_a_prompt_that_is_better_than_the_first(name: str, endpoint: Endpoint) -> None:
    endpoint.begin(Plan())
    searched = SEARCHES[name]
    result = tune(task(searched.rows), **searched.settings, base_url=endpoint.base_url)
    assert isinstance(result.prompt, TextPrompt)
    assert result.prompt.text
    assert not result.prompt.text.startswith(STYLE.format(0))
    assert 200 < endpoint.bill().answers < 1500
    assert endpoint.bill().again == 0
    if name.startswith(("evolution", "reflective")):
        assert any("Mind sign" in (one.prompt or {}).get("text", "") for one in result.history)


def test_a_run_compared_with_itself_is_the_same(endpoint: Endpoint) -> None:
    endpoint.begin(Plan())
    result = outages.searched(endpoint, Plan())
    assert outages.compared(result, result, endpoint) == {
        "same_ranking": True,
        "same_evaluations": True,
        "rows_more_wrong": 0,
        "rows_without_an_answer": 0,
        "requests": endpoint.bill().requests,
        "seconds": round(result.summary.seconds, 1),
    }


def test_the_model_answers_by_the_text_alone_and_the_last_prompt_is_right_more_often() -> None:
    def right(prompt: str) -> float:
        rows = task(ROWS).train
        asked = [{"messages": [{"content": prompt + query.before}]} for query in rows.queries]
        words = [answer(body, "")["choices"][0]["message"]["content"] for body in asked]
        return (
            sum(bool(word == WORDS[row["label"]]) for word, row in zip(words, rows.rows, strict=True)) / ROWS["train"]
        )

    assert right(STYLE.format(BEST)) > right(STYLE.format(0)) + 0.1


def test_rows_that_count_as_wrong_are_those_with_an_answer() -> None:
    measured = Measured("accuracy", 0.75, 0.0, 1.0, 8)
    assert outages.wrong(Evaluation(0, "train", 0, None, "c", 1.0, measured, 10, 2, Usage(), 0.0)) == 2


def test_more_paid_twice_than_was_in_flight_is_seen() -> None:
    chain: dict[str, object] = {
        "kills": 2,
        "same_result": True,
        "answers": 108,
        "written_down": 100,
        "paid_twice": 8,
        "most_beyond_in_flight": 0,
    }
    assert kills.figures([chain], 100)["never_more_than_in_flight"]
    figures = kills.figures([chain, {**chain, "most_beyond_in_flight": 1, "same_result": False}], 100)
    assert (figures["kills"], figures["paid_twice"], figures["paid_twice_a_kill"]) == (4, 16, 4.0)
    assert not figures["never_more_than_in_flight"]
    assert not figures["all_results_the_same"]


def test_an_answer_that_is_not_written_down_or_twice_is_seen() -> None:
    chain = {"kills": 1, "same_result": True, "answers": 9, "paid_twice": 2, "most_beyond_in_flight": 0}
    each = [kills.figures([{**chain, "written_down": written}], 7) for written in (6, 7, 8)]
    assert [one["every_answer_written_down_once"] for one in each] == [False, True, False]


def test_one_search_that_fails_is_seen_over_all() -> None:
    limits = {"runs": 6, "kills": 3, "no_limit_passed": True, "all_written_down": True}
    killed = {
        "kills": 5,
        "paid_twice": 10,
        "never_more_than_in_flight": True,
        "every_answer_written_down_once": True,
        "all_results_the_same": True,
    }
    good = {"limits": limits, "kills": killed}
    figures = together({"a": good, "b": good})
    assert (figures["runs_with_limits"], figures["kills"], figures["paid_twice_a_kill"]) == (12, 10, 2.0)
    for part, name in (("limits", "no_limit_passed"), ("kills", "all_results_the_same")):
        bad = {**good, part: {**good[part], name: False}}
        assert (figures[name], together({"a": good, "b": bad})[name]) == (True, False)
