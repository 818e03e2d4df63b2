"""States at the blank: what the output head makes of them is what the model scores with, in every way of reading."""

from collections.abc import Callable

import numpy as np
import pytest

from blackbox.backends import (
    BlankStatesBackend,
    DeepPrompt,
    Query,
    SoftPrompt,
    TextPrompt,
    UnsupportedPromptError,
    VocabularyBackend,
)
from blackbox.backends.local import LocalBackend
from tests.backends.local.conftest import Load
from tests.backends.local.rows import BEFORE_A_TEXT, LABELS

KINDS = ["llama", "gpt2", "opt norm last", "gemma2", "neox", "bert", "roberta", "t5", "bart", "bloom"]


def prompts_of(backend: LocalBackend) -> list[TextPrompt | SoftPrompt | DeepPrompt]:
    rng, tokens = np.random.default_rng(0), backend.encode("a quiet film")
    vectors = [rng.normal(size=(3, 32)).astype(np.float32) for _ in range(3)]
    return [
        TextPrompt("a quiet film"),
        SoftPrompt(tokens, vectors[0]),
        DeepPrompt(tokens, {1: vectors[1], 3: vectors[2]}),
    ]


def relative(log_probabilities: np.ndarray) -> np.ndarray:
    return log_probabilities - np.logaddexp.reduce(log_probabilities, axis=-1, keepdims=True)


@pytest.mark.parametrize("kind", KINDS)
def test_the_head_makes_of_states_what_the_model_scores(kind: str, load: Load) -> None:
    backend = load(kind)
    assert isinstance(backend, VocabularyBackend)
    infill = kind in ("bert", "roberta", "t5", "bart")
    for queries in (LABELS, BEFORE_A_TEXT) if infill else (LABELS,):
        prompts = prompts_of(backend)
        words = {word: token for token, word in backend.whole_words(queries[0]).items()}
        columns = [words["great"], words["bad"]]
        found, scores = backend.blank_states(prompts, queries), backend.score(prompts, queries).log_probabilities
        for of_prompt, expected in zip(found.vectors, scores, strict=True):
            told = backend.token_log_probabilities(of_prompt)
            assert np.logaddexp.reduce(told, axis=-1) == pytest.approx(0, abs=1e-5)
            assert relative(told[:, columns]) == pytest.approx(expected, abs=1e-4)
        assert [one.prompt_tokens for one in found.usages] == [
            one.prompt_tokens for one in backend.score(prompts, queries).usages
        ]


@pytest.mark.parametrize("kind", KINDS)
def test_shortcuts_tell_the_same_of_the_vocabulary_as_the_whole_model(
    kind: str, load: Load, run_whole: Callable[[str], LocalBackend]
) -> None:
    fast, whole = load(kind), run_whole(kind)
    tables = [
        [one.token_log_probabilities(vectors) for vectors in one.blank_states(prompts_of(one), LABELS).vectors]
        for one in (fast, whole)
    ]
    assert np.array(tables[0]) == pytest.approx(np.array(tables[1]), abs=2e-3)


def test_states_do_not_depend_on_the_options(load: Load) -> None:
    backend, prompt = load("llama"), TextPrompt("a quiet film")
    others = [Query(query.before, ("long",)) for query in LABELS]
    assert np.array_equal(
        backend.blank_states([prompt], LABELS).vectors, backend.blank_states([prompt], others).vectors
    )


def test_equal_rows_have_equal_states_in_their_order(load: Load) -> None:
    backend, prompt = load("llama"), TextPrompt("fun")
    rows = [LABELS[1], LABELS[0], LABELS[1]]
    found = backend.blank_states([prompt], rows).vectors[0]
    assert np.array_equal(found[0], found[2])
    assert not np.array_equal(found[0], found[1])


def test_rows_that_do_not_fit_in_one_pass_have_the_same_states(load: Load) -> None:
    whole, parts = load("llama"), load("llama", batch_tokens=12)
    prompts = prompts_of(whole)
    expected = whole.blank_states(prompts, LABELS).vectors
    assert parts.blank_states(prompts, LABELS).vectors == pytest.approx(expected, abs=1e-4)


def test_words_are_tokens_of_letters_alone_behind_a_space(load: Load) -> None:
    backend = load("llama")
    words = backend.whole_words(LABELS[0])
    assert {"great", "bad", "film"} <= set(words.values())
    assert all(word.isalpha() and len(word) > 1 for word in words.values())
    assert backend.is_one_token(LABELS[0], "great")
    assert not backend.is_one_token(LABELS[0], "great bad")
    assert all(backend.encode(word) == (token,) for token, word in words.items())


def test_prompts_of_another_shape_are_refused(load: Load) -> None:
    with pytest.raises(UnsupportedPromptError):
        load("llama").blank_states([SoftPrompt((5,), np.zeros((1, 7), dtype=np.float32))], LABELS)
    assert isinstance(load("llama"), BlankStatesBackend)
