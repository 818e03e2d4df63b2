import logging
from collections.abc import Sequence

import numpy as np
import pytest

from blackbox import Task
from blackbox.backends import FakeBackend, Prompt, Query, Scores, SpentError, TextPrompt, Writing
from blackbox.errors import SettingError
from blackbox.optimizers import Request
from blackbox.proposing import Refusal
from blackbox.proposing.answering import Answering
from blackbox.proposing.meta_prompts import HEAD
from tests.blackbox.proposing.writers import INSTRUCTIONS, Scripted, proposer_of, small_space
from tests.blackbox.small import make_target_task, make_task

MUTATE = Request("mutate", (1,), seed=7)
START = (0,) * small_space().dimension


def counted(text: str, writing: Writing) -> str:
    """An answer of its own for each question and seed."""
    return f"<prompt>Take care of rule {abs(hash((text, writing.seed))) % 10**9} above all.</prompt>"


def test_what_a_model_writes_becomes_an_instruction_of_the_space() -> None:
    space = small_space()
    proposer = proposer_of(Scripted(lambda text, writing: "<prompt>Weigh every word.</prompt>"), space)
    assert proposer([MUTATE]) == [3]
    assert space.instructions == [*INSTRUCTIONS, "Weigh every word."]
    assert proposer.accepted == 1


def test_all_requests_of_a_generation_are_written_in_one_call() -> None:
    writer = Scripted(counted)
    requests = [
        Request("cross", (1, 2), seed=5),
        Request("mutate", (2,), seed=5),
        Request("differ", (0, 1, 2, 1), seed=5),
    ]
    assert proposer_of(writer)(requests) == [3, 4, 5]
    [(texts, writing)] = writer.calls
    assert len(texts) == 3
    assert (writing.seed, writing.max_tokens) == (5, 512)
    assert writing.temperature > 0


def test_the_same_request_again_asks_for_another_version_in_the_same_call() -> None:
    writer = Scripted(counted)
    assert proposer_of(writer)([MUTATE, MUTATE, Request("mutate", (2,), seed=7)]) == [3, 4, 5]
    [(texts, writing)] = writer.calls
    assert writing.seed == 7
    assert texts[1] == f"{texts[0]}This is version 2: it must differ from the earlier ones.\n"


def test_the_same_requests_have_the_same_answers() -> None:
    requests = [Request("cross", (0, 1), seed=3), MUTATE, MUTATE]
    one, other = small_space(), small_space()
    assert proposer_of(FakeBackend(), one)(requests) == proposer_of(FakeBackend(), other)(requests)
    assert one.instructions == other.instructions


def test_a_refused_proposal_never_becomes_an_instruction_and_is_counted(caplog: pytest.LogCaptureFixture) -> None:
    texts = {
        "Instruction 1": "<prompt>Decide wheth##",
        "Judge the day.": "Judge the day.",
        "Say how it was.": "<prompt>Day 3 was great.</prompt>",
    }
    space = small_space()
    writer = Scripted(lambda text, writing: next(answer for part, answer in texts.items() if part in text))
    proposer = proposer_of(writer, space)
    with caplog.at_level(logging.INFO):
        assert proposer([Request("cross", (1, 2)), Request("mutate", (1,)), Request("mutate", (2,))]) == [None] * 3
    assert space.instructions == list(INSTRUCTIONS)
    assert proposer.refused == {Refusal.CUT: 1, Refusal.KNOWN: 1, Refusal.COPIED: 1}
    assert "0 new instructions so far, 3 refused (1 cut off, 1 there already, 1 copies a training row)" in caplog.text


def test_the_same_instruction_twice_in_one_generation_is_taken_in_once() -> None:
    space = small_space()
    proposer = proposer_of(Scripted(lambda text, writing: "<prompt>Weigh every word.</prompt>"), space)
    assert proposer([MUTATE, Request("mutate", (2,))]) == [3, None]


def test_a_call_without_an_answer_is_none() -> None:
    proposer = proposer_of(Scripted(lambda text, writing: None))
    assert proposer([MUTATE]) == [None]
    assert proposer.refused == {Refusal.MISSING: 1}


def test_a_model_that_writes_nothing_of_use_is_spoken_of_once_with_the_reasons(
    caplog: pytest.LogCaptureFixture,
) -> None:
    proposer = proposer_of(Scripted(lambda text, writing: "Sure! Here are the steps:"))
    for _ in range(10):
        proposer([MUTATE, MUTATE])
    warned = [record.getMessage() for record in caplog.records if record.levelno == logging.WARNING]
    assert warned == [
        "model 'fake' has written no instruction that can be used in 12 tries (12 no instruction to be found); the "
        "search goes on by changes that need no model; another model can write for it: proposer_model"
    ]


def test_a_model_that_writes_some_of_use_is_not_spoken_of(caplog: pytest.LogCaptureFixture) -> None:
    answers = iter(["<prompt>Weigh every word.</prompt>", *["Sure!"] * 50])
    proposer = proposer_of(Scripted(lambda text, writing: next(answers)))
    for _ in range(20):
        proposer([MUTATE])
    assert not [record for record in caplog.records if record.levelno == logging.WARNING]


def test_a_budget_that_is_used_up_is_told_and_nothing_is_taken_in() -> None:
    def spent(text: str, writing: Writing) -> str:
        raise SpentError("the limit would be passed", limit="usd")

    space = small_space()
    with pytest.raises(SpentError):
        proposer_of(Scripted(spent), space)([MUTATE])
    assert space.instructions == list(INSTRUCTIONS)


def test_every_question_begins_alike_and_says_what_the_instructions_are_for() -> None:
    writer = Scripted(counted)
    proposer_of(writer)([MUTATE])
    [([text], _)] = writer.calls
    assert text.startswith(
        'The instruction stands in front of an input with the fields "text". The model answers with one of: bad, great.'
    )
    assert HEAD


def test_a_reflection_shows_failed_rows_with_what_was_answered_and_what_is_right() -> None:
    task = make_task()
    text = proposer_of(FakeBackend(), task=task).meta_prompt(Request("reflect", (0,), START, (2, 3, 0, 1, 5, 4)))
    assert text.count("Case ") == 4
    assert "Day 2 was bad" in text
    assert "The model answered: great\nThe right answer: bad" in text


def test_a_request_that_does_not_fit_its_kind_is_refused() -> None:
    with pytest.raises(SettingError, match="kind 'cross' cannot come from 1 instructions"):
        proposer_of(FakeBackend())([Request("cross", (1,))])


def start_of(task: Task) -> TextPrompt:
    space = small_space(task)
    [prompt] = space.decode(np.zeros((1, space.dimension)))
    assert isinstance(prompt, TextPrompt)
    return prompt


class TestAnswering:
    def test_rows_with_labels_are_answered_with_the_words_of_the_task(self) -> None:
        task = make_task()
        answering = Answering(FakeBackend(), task)
        bad = start_of(task)
        assert answering(bad, (0, 1)) == ["great", "bad"]  # without helpful words it is always wrong
        assert [answering.right(row) for row in (0, 1)] == ["bad", "great"]

    def test_rows_without_an_answer_and_with_none_of_the_words_are_told_apart(self) -> None:
        class Odd(FakeBackend):
            def score(self, prompts: Sequence[Prompt], queries: Sequence[Query]) -> Scores:
                scores = super().score(prompts, queries)
                scores.log_probabilities[0, 0] = float("nan")
                scores.log_probabilities[0, 1] = -5.0
                return scores

        task = make_task()
        prompt = start_of(task)
        assert Answering(Odd(), task)(prompt, (0, 1)) == ["(no answer)", "(none of the possible answers)"]

    def test_rows_with_targets_are_answered_in_writing(self) -> None:
        task = make_target_task()
        answering = Answering(FakeBackend(), task)
        prompt = start_of(task)
        assert answering(prompt, (0,)) == ["no idea"]
        assert answering.right(0) == "The sum is 1."
        assert answering.is_right(0, " the sum is 1. ")
        assert not answering.is_right(0, "no idea")
        assert "What is 0 + 1?" in answering.row(0)
