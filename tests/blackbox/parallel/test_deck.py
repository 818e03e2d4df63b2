import pytest

from blackbox.errors import WorkersLostError
from blackbox.parallel.deck import DEATHS, Deck


def number(worker: object) -> int:
    return 0


def drawn(deck: Deck, count: int) -> list[int]:
    return [found[0] for _ in range(count) if (found := deck.draw())]


def test_answers_come_in_the_order_of_the_jobs() -> None:
    deck = Deck([number] * 3)
    assert drawn(deck, 4) == [0, 1, 2]
    deck.answer(2, "c")
    assert list(deck.ready()) == []
    deck.answer(0, "a")
    assert list(deck.ready()) == ["a"]
    assert not deck.is_done
    deck.answer(1, "b")
    assert list(deck.ready()) == ["b", "c"]
    assert deck.is_done


def test_jobs_are_drawn_from_their_source_one_by_one() -> None:
    seen = []
    deck = Deck(seen.append(n) or number for n in range(5))  # type: ignore[func-returns-value]
    drawn(deck, 2)
    assert seen == [0, 1]
    assert not deck.is_done


def test_a_deck_of_nothing_is_done_once_that_is_known() -> None:
    deck = Deck([])
    assert not deck.is_done
    assert deck.draw() is None
    assert deck.is_done


def test_a_job_that_comes_back_is_dealt_first_and_the_first_answer_counts() -> None:
    deck = Deck([number] * 3)
    drawn(deck, 2)
    deck.put_back(0, died=True, why="killed")
    assert drawn(deck, 1) == [0]
    deck.answer(0, "first")
    deck.answer(0, "second")
    assert list(deck.ready()) == ["first"]


def test_a_job_that_was_answered_is_not_dealt_again() -> None:
    deck = Deck([number] * 2)
    drawn(deck, 1)
    deck.put_back(0, died=False, why="lost on the way")
    deck.answer(0, "by another")
    assert drawn(deck, 2) == [1]
    deck.put_back(0, died=True, why="late")
    assert deck.draw() is None


def test_a_job_that_takes_its_workers_with_it_ends_the_run() -> None:
    deck = Deck([number])
    for _ in range(DEATHS - 1):
        assert drawn(deck, 1) == [0]
        deck.put_back(0, died=True, why="out of memory")
    assert drawn(deck, 1) == [0]
    with pytest.raises(WorkersLostError, match="taken 3 workers with it, the last one: out of memory"):
        deck.put_back(0, died=True, why="out of memory")


def test_lost_answers_are_forgiven_more_often_than_deaths() -> None:
    deck = Deck([number])
    for _ in range(DEATHS + 1):
        assert drawn(deck, 1) == [0]
        deck.put_back(0, died=False, why="unavailable")
    assert drawn(deck, 1) == [0]
