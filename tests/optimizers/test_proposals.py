from collections.abc import Sequence

import pytest

from blackbox.optimizers.proposals import PATIENCE, Proposals, Request

REQUEST = Request("mutate", (0,))


class Answering:
    """A proposer that gives what it is told to, and remembers how much it was asked for at once."""

    def __init__(self, number: int | None) -> None:
        self.number = number
        self.asked: list[int] = []

    def __call__(self, requests: Sequence[Request]) -> list[int | None]:
        self.asked.append(len(requests))
        return [self.number] * len(requests)


def test_all_requests_of_a_generation_go_in_one_call() -> None:
    proposer = Answering(5)
    assert Proposals(proposer)([REQUEST] * 7) == [5] * 7
    assert proposer.asked == [7]


def test_without_a_proposer_there_is_nothing() -> None:
    assert Proposals(None)([REQUEST] * 2) == [None, None]


def test_without_requests_nobody_is_asked() -> None:
    proposer = Answering(5)
    assert Proposals(proposer)([]) == []
    assert proposer.asked == []


def test_after_many_refusals_in_a_row_one_is_asked_at_a_time_until_one_can_be_used() -> None:
    proposer = Answering(None)
    proposals = Proposals(proposer)
    for _ in range(5):
        assert proposals([REQUEST] * 10) == [None] * 10
    assert proposals.refused == 32 > PATIENCE
    assert proposer.asked == [10, 10, 10, 1, 1]
    proposer.number = 7
    assert proposals([REQUEST] * 10) == [7, *[None] * 9]
    assert proposals.refused == 0
    assert proposals([REQUEST] * 10) == [7] * 10


def test_refusals_in_a_row_are_counted_from_the_last_that_could_be_used() -> None:
    proposals = Proposals(lambda requests: [None, 3, None, None])
    proposals([REQUEST] * 4)
    assert proposals.refused == 2


def test_what_a_proposer_raises_changes_nothing() -> None:
    def fails(requests: Sequence[Request]) -> list[int | None]:
        raise RuntimeError("no money")

    proposals = Proposals(fails, refused=3)
    with pytest.raises(RuntimeError, match="no money"):
        proposals([REQUEST])
    assert proposals.refused == 3
