"""Rows that begin alike are read as one tree, in which none sees another."""

import pytest

from blackbox.backends import DeepPrompt, Query
from blackbox.backends.local.encoding import option_tree
from blackbox.backends.local.packing import reads_of
from blackbox.backends.local.sequences import Batch, TokenSequence, needs_normalising, unrolled
from blackbox.backends.local.shared_fronts import with_shared_fronts
from tests.backends.local.candidates import deep
from tests.backends.local.conftest import Load

FRONT = tuple(range(100, 110))
ONE, TWO = [(7,), (8,)], [(7, 5), (8,)]


def row(query: int, *ids: int, options: list[tuple[int, ...]] = ONE) -> TokenSequence:
    tree = option_tree(ids, options)
    return TokenSequence(tree.ids, query, tree.targets, tree.branches, stems=tree.stems)


def paths(sequence: TokenSequence) -> set[tuple[int, ...]]:
    """What is read up to each token that is asked for, with its query, option and the token."""
    found = set()
    for tokens, places in unrolled(sequence):
        for target in sequence.targets:
            if target.place in places:
                query = sequence.query if target.query is None else target.query
                found.add((query, target.option, target.token, *tokens[: places[target.place] + 1]))
    return found


@pytest.mark.parametrize("options", [ONE, TWO, [(7, 5, 1), (7, 5, 2), (7, 6)]])
def test_joined_rows_ask_the_same_behind_the_same(options: list[tuple[int, ...]]) -> None:
    ends = [(1, 2), (), (3,), (1,), (1, 2, 4)]
    rows = [row(number, *FRONT, *end, options=options) for number, end in enumerate(ends)]
    [joined] = with_shared_fronts(rows)
    assert paths(joined) == set().union(*map(paths, rows))
    assert joined.n_tokens == len(FRONT) + sum(one.n_tokens - len(FRONT) for one in rows)
    assert needs_normalising([joined]) == needs_normalising(rows)


def test_tokens_count_on_from_the_end_of_the_front() -> None:
    [joined] = with_shared_fronts([row(0, *FRONT, 1, 2), row(1, *FRONT, 3, options=TWO)])
    assert joined.positions == (*range(10), 10, 11, 10, 11)


def test_what_is_read_counts_for_its_query() -> None:
    joined = with_shared_fronts([row(0, *FRONT, 1), row(1, *FRONT, 2)])
    into = reads_of(Batch(tuple(joined), normalised=False), "cpu").into  # type: ignore[arg-type]
    assert into.tolist() == [[0, 0, 1, 1], [0, 1, 0, 1]]


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ((1, 2, 3), (1, 2, 4)),  # too little to be worth it
        (FRONT, (*FRONT[:4], 1, 2, 3, 4, 5, 6)),  # less than half
        (FRONT, (*FRONT, *range(20))),  # less than half of the second
        (FRONT, tuple(range(10))),
    ],
)
def test_rows_that_have_little_in_common_stay_as_they_are(first: tuple[int, ...], second: tuple[int, ...]) -> None:
    rows = [row(0, *first), row(1, *second)]
    assert with_shared_fronts(rows) == rows


def test_a_tree_has_its_limit() -> None:
    long = tuple(range(1000, 1300))
    rows = [row(number, *long, *([number] * 100)) for number in range(4)]
    joined = with_shared_fronts(rows)
    assert [one.n_tokens for one in joined] == [500, 500]
    assert set().union(*map(paths, joined)) == set().union(*map(paths, rows))


def test_nothing_is_nothing() -> None:
    assert with_shared_fronts([]) == []


def test_the_front_is_read_once_and_that_is_what_a_row_costs(load: Load) -> None:
    backend = load("llama")
    passage = "the worst evening of my long life and it was bad , "
    queries = [Query(f"{passage}{word} ", ("great", "bad")) for word in ("a", "film", "love")]
    prompt: DeepPrompt = deep(0, 1)
    alone = sum(backend.score([prompt], [query]).usages[0].prompt_tokens for query in queries)
    together = backend.score([prompt], queries).usages[0].prompt_tokens
    begin, passage_tokens = 1, 12
    assert together == alone - 2 * (begin + len(prompt.token_ids) + passage_tokens)
