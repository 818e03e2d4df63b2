"""The benchmark of faults sees what it looks for: a limit that is passed, an answer paid twice, a row that is lost."""

from collections.abc import Iterator
from dataclasses import replace

import pytest
import requests

from benchmarks.faults import kills, outages, overshoot
from benchmarks.faults.endpoint import Endpoint
from benchmarks.faults.task import PROMPTS, ROWS, SETTINGS, WORDS, answer, task
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


def test_the_run_finds_a_prompt_that_is_better_than_the_first(endpoint: Endpoint) -> None:
    endpoint.begin(Plan())
    result = tune(task(), **SETTINGS, base_url=endpoint.base_url)
    assert isinstance(result.prompt, TextPrompt)
    assert result.prompt.whole in PROMPTS[1:]
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
        rows = task().train
        asked = [{"messages": [{"content": prompt + query.before}]} for query in rows.queries]
        words = [answer(body, "")["choices"][0]["message"]["content"] for body in asked]
        return (
            sum(bool(word == WORDS[row["label"]]) for word, row in zip(words, rows.rows, strict=True)) / ROWS["train"]
        )

    assert right(PROMPTS[-1]) > right(PROMPTS[0]) + 0.1


def test_rows_that_count_as_wrong_are_those_with_an_answer() -> None:
    measured = Measured("accuracy", 0.75, 0.0, 1.0, 8)
    assert outages.wrong(Evaluation(0, "train", 0, None, "c", 1.0, measured, 10, 2, Usage(), 0.0)) == 2


def test_more_paid_twice_than_was_in_flight_is_seen() -> None:
    chain: dict[str, object] = {"kills": 2, "same_result": True, "paid_twice": 8, "most_beyond_in_flight": 0}
    assert kills.figures([chain], 100)["never_more_than_in_flight"]
    figures = kills.figures([chain, {**chain, "most_beyond_in_flight": 1, "same_result": False}], 100)
    assert (figures["kills"], figures["paid_twice"], figures["paid_twice_a_kill"]) == (4, 16, 4.0)
    assert not figures["never_more_than_in_flight"]
    assert not figures["all_results_the_same"]
