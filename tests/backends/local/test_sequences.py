"""Trees of answering tokens, and the batches that sequences are read in."""

import pytest

from blackbox.backends.local.sequences import (
    Batch,
    Target,
    TokenSequence,
    cut_batches,
    needs_normalising,
    unrolled,
)

TREE = TokenSequence(
    ids=(1, 2, 3, 10, 11, 20),  # a trunk of three, "10 11 x" and "20 y" behind it
    query=0,
    targets=(Target(0, 2, 10), Target(0, 3, 11), Target(0, 4, 5), Target(1, 2, 20), Target(1, 5, 6), Target(2, 2, 30)),
    branches=(0, 0, 0, 1, 1, 2),
    stems=(0, 0),
)


def row(n_tokens: int, *, query: int = 0, places: tuple[tuple[int, ...], ...] = ((0,), (0,))) -> TokenSequence:
    """A row whose options are read at these places."""
    targets = tuple(Target(option, place, 7) for option, of_option in enumerate(places) for place in of_option)
    return TokenSequence(tuple(range(n_tokens)), query, targets, (0,) * n_tokens)


class TestTrees:
    def test_a_branch_goes_on_where_the_trunk_ends(self) -> None:
        assert TREE.positions == (0, 1, 2, 3, 4, 3)

    def test_a_decoder_answers_where_there_is_one(self) -> None:
        both = TokenSequence((1, 2, 3), 0, (Target(0, 1, 9),), (0, 0, 1), decoder_ids=(0, 4, 5), stems=(0,))
        assert both.answering == (0, 4, 5)
        assert both.positions == (0, 1, 2)
        assert both.n_tokens == 6
        assert TREE.answering == TREE.ids

    def test_each_branch_unrolled_is_the_trunk_and_the_branch(self) -> None:
        assert list(unrolled(TREE)) == [
            ((1, 2, 3, 10, 11), {0: 0, 1: 1, 2: 2, 3: 3, 4: 4}),
            ((1, 2, 3, 20), {0: 0, 1: 1, 2: 2, 5: 3}),
        ]

    def test_a_branch_may_grow_from_another(self) -> None:
        nested = TokenSequence((1, 2, 10, 20, 30), 0, (), (0, 0, 1, 2, 3), stems=(0, 1, 1))
        assert nested.positions == (0, 1, 2, 3, 3)
        assert [tokens for tokens, _ in unrolled(nested)] == [(1, 2, 10, 20), (1, 2, 10, 30)]

    def test_a_trunk_without_branches_unrolled_is_itself(self) -> None:
        assert list(unrolled(row(2))) == [((0, 1), {0: 0, 1: 1})]


class TestNormalising:
    def test_options_read_at_the_same_place_differ_from_log_probabilities_by_a_constant(self) -> None:
        assert not needs_normalising([row(3), row(4, query=1)])

    def test_options_of_several_masks_are_read_at_the_same_places(self) -> None:
        assert not needs_normalising([row(4, places=((1, 2), (1, 2)))])

    @pytest.mark.parametrize("places", [((2,), (2, 3)), ((1, 2), (1, 3)), ((2,), (3,))])
    def test_options_read_at_different_places_need_it(self, places: tuple[tuple[int, ...], ...]) -> None:
        assert needs_normalising([row(4), row(5, query=1, places=places)])

    def test_options_read_in_different_sequences_need_it(self) -> None:
        first = TokenSequence((1, 2), 0, (Target(0, 1, 7),), (0, 0))
        second = TokenSequence((1, 2), 0, (Target(1, 1, 8),), (0, 0))
        assert needs_normalising([first, second])

    def test_a_single_option_needs_it(self) -> None:
        assert needs_normalising([row(3, places=((2,),))])

    def test_no_sequences_need_nothing(self) -> None:
        assert not needs_normalising([])


class TestBatches:
    def cut(self, lengths: list[int], *, extra: int, batch_tokens: int) -> list[list[int]]:
        rows = [row(length, query=number) for number, length in enumerate(lengths)]
        batches = list(cut_batches(rows, extra=extra, batch_tokens=batch_tokens))
        assert sorted(one.query for batch in batches for one in batch.sequences) == list(range(len(lengths)))
        return [[len(one.ids) for one in batch.sequences] for batch in batches]

    def test_rows_that_fit_are_one_batch_shortest_first(self) -> None:
        assert self.cut([5, 2, 9], extra=0, batch_tokens=16) == [[2, 5, 9]]

    def test_rows_that_do_not_fit_are_cut_evenly(self) -> None:
        assert self.cut([4] * 6, extra=0, batch_tokens=20) == [[4, 4, 4], [4, 4, 4]]

    def test_a_row_longer_than_a_batch_is_one_of_its_own(self) -> None:
        assert self.cut([2, 50, 3], extra=0, batch_tokens=10) == [[2, 3], [50]]

    def test_what_is_read_with_each_row_counts(self) -> None:
        assert self.cut([2, 2, 2, 2], extra=8, batch_tokens=20) == [[2, 2], [2, 2]]
        assert self.cut([2, 2, 2, 2], extra=0, batch_tokens=20) == [[2, 2, 2, 2]]

    @pytest.mark.parametrize("batch_tokens", [1, 7, 13, 40, 1000])
    @pytest.mark.parametrize("extra", [0, 5])
    def test_no_batch_of_several_rows_is_larger_than_asked_for(self, batch_tokens: int, extra: int) -> None:
        lengths = [(7 * number) % 19 + 1 for number in range(40)]
        for batch in self.cut(lengths, extra=extra, batch_tokens=batch_tokens):
            assert len(batch) == 1 or sum(length + extra for length in batch) <= batch_tokens

    def test_no_rows_are_no_batches(self) -> None:
        assert self.cut([], extra=3, batch_tokens=10) == []

    def test_a_row_of_a_call_that_needs_normalising_makes_all_its_batches_need_it(self) -> None:
        rows = [row(3), row(9, query=1, places=((1,), (2,)))]
        assert [batch.normalised for batch in cut_batches(rows, extra=0, batch_tokens=9)] == [True, True]

    def test_halves_are_the_same_sequences_in_two(self) -> None:
        rows = tuple(row(length) for length in (1, 2, 3))
        first, second = Batch(rows, normalised=True).halves()
        assert first.sequences + second.sequences == rows
        assert len(first.sequences) == 1
        assert first.normalised and second.normalised

    def test_tokens_of_a_batch_count_the_decoders_too(self) -> None:
        both = TokenSequence((1, 2, 3), 0, (Target(0, 1, 9),), (0, 0), decoder_ids=(0, 4))
        assert Batch((both, row(4)), normalised=False).n_tokens(10) == (10 + 5) + (10 + 4)
