"""A journal that was made of copies is as good as the one that they are of."""

from dataclasses import replace
from pathlib import Path

import pytest

from blackbox.backends import JournalError, Usage
from blackbox.backends.api.answers import Answers, Facts
from blackbox.backends.api.journal_copy import copied_since, make_of_copy
from blackbox.backends.api.ledger import Limits
from tests.backends.api.test_answers import ANSWER, COST, TASK, key


def test_a_copy_in_parts_has_all_answers_charges_and_notes(tmp_path: Path) -> None:
    path, made = tmp_path / "answers.sqlite", tmp_path / "made.sqlite"
    with Answers(path, run="r") as answers:
        answers.put(key(0), ANSWER, facts=TASK)
        answers.charge(COST, facts=Facts("failed"))
        first, _ = copied_since(path, 0)
        answers.put(key(1), replace(ANSWER, text="é\ud83d"), facts=TASK)
        answers.note("features", "yes")
        second, notes = copied_since(path, first[-1][0])
    assert (len(first), len(second)) == (2, 1)
    make_of_copy(made, [*first, *second], notes)
    with Answers(path, run="r") as one, Answers(made, run="r") as other:
        assert other.find(key(0)) == one.find(key(0)) is not None
        assert other.find(key(1)) == one.find(key(1)) is not None
        assert (other.spending(), other.spent(), other.elapsed) == (one.spending(), one.spent(), one.elapsed)
        assert other.noted("features") == "yes"
        other.put(key(2), ANSWER, facts=TASK)
    assert [number for number, _ in copied_since(made, second[-1][0])[0]] == [second[-1][0] + 1]


def test_what_was_in_flight_when_the_copy_was_made_counts_as_spent(tmp_path: Path) -> None:
    path, made = tmp_path / "answers.sqlite", tmp_path / "made.sqlite"
    most = Usage(requests=1, prompt_tokens=50, completion_tokens=5, usd=0.25)
    with Answers(path, run="r") as answers:
        answers.in_flight.begin(most)
        make_of_copy(made, *copied_since(path, 0))
    with Answers(made, run="r") as other:
        other.charge_lost(Limits())
        assert other.spent() == most


def test_a_copy_replaces_no_journal(tmp_path: Path) -> None:
    with Answers(tmp_path / "answers.sqlite", run="r"):
        pass
    with pytest.raises(JournalError, match="is there already"):
        make_of_copy(tmp_path / "answers.sqlite", [], {})
