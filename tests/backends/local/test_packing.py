"""Rows packed one behind the other, who sees whom, and what is read."""

from collections.abc import Callable

import numpy as np
import pytest
import torch

from blackbox.backends.local.packing import Packed, Row, pack, reads_of
from blackbox.backends.local.sequences import Batch, Target, TokenSequence

CPU = torch.device("cpu")
TREE = Row(
    (7, 8, 4, 5, 6), (3, 4, 5, 6, 5), (0, 0, 1, 1, 2), (0, 0)
)  # a trunk of two tokens, branches of two and of one
SHORT = Row((9,), (3,), (0,))
ASKS = [(1, 2, 3, 4), (0,)]


def packed(**settings: object) -> Packed:
    return pack([SHORT, TREE], [ASKS[1], ASKS[0]], device=CPU, **settings)


def sees(one: Packed, *, asked: bool = False, **settings: object) -> list[list[set[int]]]:
    """Of each sequence, and each of its tokens that look, the keys that it sees: those in front are -1, -2, ..."""
    n_before = settings.get("before", 0)
    sight = one.sight(**{"causal": True, "before": 0, "window": None, "asked": asked, **settings})
    visible = sight.visible
    if visible is None:
        visible = torch.ones(len(sight.queries), 1, sight.queries.shape[1], n_before + sight.keys.shape[1]).bool()
    numbers = [len(ASKS[1]), len(ASKS[0])] if asked else [1, 5]
    return [
        [{int(key) - n_before for key in visible[row, 0, query].nonzero()} for query in range(count)]
        for row, count in enumerate(numbers)
    ]


def expected(rule: Callable[[int, int], bool], n_before: int = 0, *, tokens: range = range(5)) -> list[list[set[int]]]:
    """The same from a rule for the tree's tokens; the short sequence has one token, which sees itself."""
    front = set(range(-n_before, 0))
    tree = [{key for key in range(5) if rule(query, key)} | {k for k in front if rule(query, k)} for query in tokens]
    return [[{0} | {key for key in front if rule(0, key)}], tree]


def of_a_tree(query: int, key: int) -> bool:
    """A token sees the trunk and its own branch, up to itself."""
    return key <= query and (key < 2 or TREE.branches[query] == TREE.branches[key])


class TestPacked:
    def test_tokens_and_positions_lie_one_behind_the_other(self) -> None:
        one = packed()
        assert one.ids.tolist() == [9, 7, 8, 4, 5, 6]
        assert one.positions.tolist() == [3, 3, 4, 5, 6, 5]

    def test_the_table_leads_to_every_token_and_back(self) -> None:
        one = packed()
        assert one.table.tolist() == [[0, 0, 0, 0, 0], [1, 2, 3, 4, 5]]
        assert one.table.flatten()[one.back].tolist() == [0, 1, 2, 3, 4, 5]
        assert one.real.tolist() == [[True, False, False, False, False], [True] * 5]

    def test_the_tokens_that_are_read_are_counted_among_all(self) -> None:
        one = packed()
        assert one.asks.tolist() == [0, 2, 3, 4, 5]
        assert one.asks[one.asks_table.flatten()[one.asks_back]].tolist() == [0, 2, 3, 4, 5]

    def test_a_prompts_places_are_the_same_in_every_sequence(self) -> None:
        assert packed().places is None
        rows = [Row((1, 2, 3, 4), (0, 1, 2, 3), (0,) * 4), Row((1, 2, 3), (0, 1, 2), (0,) * 3)]
        moved = pack(rows, [(), ()], adds=[[(1, 0), (2, 1)], [(2, 1)]], device=CPU)
        assert moved.places is not None
        assert moved.vectors is not None
        assert moved.places.tolist() == [1, 2, 6]
        assert moved.vectors.tolist() == [0, 1, 1]


class TestSight:
    def test_a_token_sees_the_trunk_and_its_own_branch_up_to_itself(self) -> None:
        assert sees(packed()) == expected(of_a_tree)
        assert expected(of_a_tree)[1] == [{0}, {0, 1}, {0, 1, 2}, {0, 1, 2, 3}, {0, 1, 4}]

    def test_tokens_that_are_read_see_as_they_would_among_all(self) -> None:
        assert sees(packed(), asked=True)[1] == expected(of_a_tree)[1][1:]

    def test_what_stands_in_front_is_seen_by_all(self) -> None:
        front = expected(lambda query, key: key < 0 or of_a_tree(query, key), 3)
        assert sees(packed(), before=3) == front
        assert sees(packed(), before=3, asked=True)[1] == front[1][1:]

    @pytest.mark.parametrize("window", [1, 2, 4, 100])
    def test_a_window_counts_positions_and_what_stands_in_front_has_the_first_ones(self, window: int) -> None:
        def near(query: int, key: int) -> bool:
            there = TREE.positions[key] if key >= 0 else key + 3
            visible = key < 0 or of_a_tree(query, key)
            return visible and TREE.positions[query] - there < window

        assert sees(packed(), before=3, window=window) == expected(near, 3)
        assert sees(packed(), before=3, window=window, asked=True)[1] == expected(near, 3)[1][1:]

    def test_tokens_of_an_encoder_see_all_of_their_own_sequence(self) -> None:
        assert sees(packed(), causal=False, before=2) == expected(lambda query, key: True, 2)

    def test_sequences_of_one_length_that_see_everything_have_no_mask(self) -> None:
        same = pack([SHORT, SHORT], [(0,), (0,)], device=CPU)
        assert same.sight(causal=False, before=2, window=None, asked=False).visible is None
        assert packed().sight(causal=False, before=0, window=None, asked=False).visible is not None

    def test_a_decoders_tokens_see_the_encoders_of_their_own_sequence(self) -> None:
        decoder = pack([SHORT, SHORT], [(0,), (0,)], device=CPU)
        for asked in (False, True):
            sight = decoder.across(packed(), asked=asked)
            assert sight.keys.tolist() == packed().table.tolist()
            assert sight.visible is not None
            assert sight.visible[:, 0, 0].tolist() == packed().real.tolist()

    def test_positions_for_a_bias_are_those_of_the_tokens(self) -> None:
        queries, keys = packed().bias_positions(asked=False)
        assert keys[1].tolist() == queries[1].tolist() == list(TREE.positions)
        asking, keys = packed().bias_positions(asked=True)
        assert asking[1].tolist() == list(TREE.positions[1:])
        assert keys[1].tolist() == list(TREE.positions)


class TestReads:
    def test_each_target_is_found_again_among_what_was_read(self) -> None:
        first = TokenSequence((1, 2), 0, (Target(0, 1, 30), Target(1, 1, 20)), (0, 0))
        second = TokenSequence((1, 2, 3), 4, (Target(1, 2, 30), Target(0, 0, 40), Target(1, 0, 20)), (0, 0, 0))
        reads = reads_of(Batch((first, second), normalised=True), CPU)
        assert reads.asks == [[1], [0, 2]]
        assert reads.columns.tolist() == [20, 30, 40]
        assert reads.columns[reads.column].tolist() == [30, 20, 30, 40, 20]
        assert reads.at.tolist() == [0, 0, 2, 1, 1]
        assert np.array_equal(reads.into, [[0, 0, 4, 4, 4], [0, 1, 1, 0, 1]])
