"""Babble is told from instructions as they are in real use, and from what is made of those."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from blackbox.backends import FakeBackend, Query, TextPrompt
from blackbox.proposing.babble import babble
from blackbox.proposing.refusal import Refusal
from tests.blackbox.proposing.instructions import CUT, GOOD, NUMBERS, POOR, REPEATED

good = st.sampled_from(GOOD)
words = st.text(st.characters(categories=["Ll"]), min_size=1, max_size=12)
BROKEN = {Refusal.REPEATED, Refusal.POOR}
BAD = {Refusal.REPEATED: REPEATED, Refusal.POOR: POOR, Refusal.NUMBERS: NUMBERS, Refusal.CUT: CUT}


@pytest.mark.parametrize("instruction", GOOD)
def test_an_instruction_from_real_use_is_no_babble(instruction: str) -> None:
    assert babble(instruction) is None


@pytest.mark.parametrize(("text", "refusal"), [(text, refusal) for refusal, texts in BAD.items() for text in texts])
def test_what_small_models_write_is_refused_with_the_reason(text: str, refusal: Refusal) -> None:
    assert babble(text) is refusal


@given(st.lists(good, min_size=2, max_size=4, unique=True))
def test_several_instructions_behind_each_other_are_no_babble(some: list[str]) -> None:
    whole = [one if one.endswith((".", "?", "。")) else f"{one}." for one in some]
    assert babble(" ".join(whole)) is None


@given(good, st.integers(2, 12), st.sampled_from([" ", "\n", " - "]))
def test_an_instruction_over_and_over_is_refused(one: str, times: int, between: str) -> None:
    whole = one if one.endswith((".", "?", "。")) else f"{one}."
    assert babble(between.join([whole] * times)) is not None


@given(words, st.integers(3, 60), st.sampled_from([" ", ", ", "\n", ". "]))
def test_one_word_over_and_over_is_refused(word: str, times: int, between: str) -> None:
    if len(word) * times >= 8:
        assert babble(between.join([word] * times)) is not None


@given(st.lists(words, min_size=2, max_size=6), st.integers(3, 20))
def test_one_phrase_over_and_over_is_refused(phrase: list[str], times: int) -> None:
    assert babble(" ".join(phrase * times)) in BROKEN


@given(good, words, st.integers(10, 60))
def test_an_instruction_that_ends_in_one_word_over_and_over_is_refused(one: str, word: str, times: int) -> None:
    tail = " ".join([word] * (times + len(one)))
    assert babble(f"{one} {tail}") in BROKEN


@given(st.lists(st.sampled_from(["answer", "question", "the"]), min_size=8, max_size=60))
def test_three_words_make_no_long_instruction(some: list[str]) -> None:
    assert babble(" ".join(some)) in BROKEN


@given(st.lists(st.integers(0, 10**6), min_size=1, max_size=40), st.sampled_from([" ", ", ", "\n", ". "]))
def test_a_list_of_numbers_is_refused(numbers: list[int], between: str) -> None:
    assert babble(between.join(map(str, numbers))) is Refusal.NUMBERS


@given(good)
def test_an_instruction_that_ends_inside_brackets_is_cut_off(one: str) -> None:
    assert babble(one.rstrip(".?。)(: ") + " (or") is Refusal.CUT


@given(st.integers(0, 10**6))
def test_what_the_fake_backend_writes_is_no_babble_where_it_says_something(number: int) -> None:
    [[written]] = FakeBackend().generate([TextPrompt(str(number))], [Query("Write.", ())]).written
    assert written is not None
    says_nothing = set(written.text.split()) <= {"and", "it", "the", "what"}
    assert babble(written.text) is (Refusal.POOR if says_nothing else None)
