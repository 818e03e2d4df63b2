"""Calls of several clients that are done as one have the bits that each would have alone."""

import numpy as np
import pytest

from blackbox.backends import DeepPrompt, FakeBackend, Prompt, TextPrompt
from blackbox.backends.local import LocalBackend
from blackbox.model_server.calls import Call, OtherCall, ScoreCall
from blackbox.model_server.together import joined, scored, seams
from tests.backends.local.candidates import TOKENS, deep, deep_sweep, of_every_kind, prefix, vectors
from tests.backends.local.conftest import Load
from tests.backends.local.rows import LABELS, WORDS

ROWS, OTHER_ROWS = tuple(LABELS), tuple(WORDS)
MANY = 1000


def texts(*words: str) -> ScoreCall:
    return ScoreCall([TextPrompt(word) for word in words], ROWS)


def numbers(backend: LocalBackend, *calls: Call, exact: bool = True, most: int = MANY) -> list[int]:
    return joined(calls, seams(backend, exact=exact), most_prompts=most)


def other_tokens(prompts: list[Prompt]) -> list[Prompt]:
    """The same vectors on other tokens, as a search from another text has them."""
    return [DeepPrompt((41, *TOKENS[1:]), prompt.vectors) for prompt in prompts if isinstance(prompt, DeepPrompt)]


def test_calls_on_the_same_rows_behind_other_tokens_go_together(load: Load) -> None:
    backend, (first, second, *_) = load(), deep_sweep()
    calls = [ScoreCall(first, ROWS), ScoreCall(other_tokens(second), ROWS), ScoreCall(second, ROWS)]
    assert numbers(backend, *calls) == [0, 1, 2]


def test_calls_that_would_share_a_pass_do_not_unless_throughput_is_wanted(load: Load) -> None:
    backend, (first, second, *_) = load(), deep_sweep()
    calls = [ScoreCall(first, ROWS), ScoreCall(second, ROWS), texts("it was"), ScoreCall([TextPrompt("it was")], ROWS)]
    assert numbers(backend, *calls) == [0, 2]
    assert numbers(backend, *calls, exact=False) == [0, 1, 2, 3]


def test_a_text_shares_passes_with_vectors_on_its_tokens(load: Load) -> None:
    backend = load()
    text = "it was great"
    on_it = DeepPrompt(backend.encode(text), {1: vectors(1)})
    assert numbers(backend, ScoreCall([on_it], ROWS), texts(text)) == [0]
    assert numbers(backend, ScoreCall([deep(1)], ROWS), ScoreCall([prefix(backend, 1)], ROWS)) == [0, 1]


def test_calls_on_other_rows_and_other_calls_are_done_alone(load: Load) -> None:
    backend = load()
    other, none = OtherCall(lambda backend: b""), ScoreCall([], ROWS)
    strange = ScoreCall([TextPrompt("a")], OTHER_ROWS)
    assert numbers(backend, texts("it"), strange, other, none, texts("was")) == [0, 4]
    assert numbers(backend, other, texts("it"), other) == [0]
    assert numbers(backend, none, texts("it")) == [0]


def test_no_more_prompts_go_together_than_a_call_may_have(load: Load) -> None:
    calls = [texts("it", "was"), texts("a", "film", "great"), texts("fun"), texts("bad")]
    assert numbers(load(), *calls, most=4) == [0, 2, 3]


@pytest.mark.parametrize("kind", ["llama", "roberta", "t5", "falcon"])
@pytest.mark.parametrize("batch_tokens", [25, 1000])
def test_each_call_has_its_own_bits(load: Load, kind: str, batch_tokens: int) -> None:
    backend = load(kind, batch_tokens=batch_tokens)
    first, second, third, *_ = deep_sweep()
    calls: list[Call] = [
        ScoreCall(first, ROWS),
        ScoreCall(second, ROWS),
        ScoreCall(other_tokens(third), ROWS),
        ScoreCall(of_every_kind(backend), ROWS),
        texts("a film", "it was great"),
    ]
    chosen = numbers(backend, *calls)
    assert len(chosen) > 2
    together = [call for number in chosen if isinstance(call := calls[number], ScoreCall)]
    for call, found in zip(together, scored(together, backend), strict=True):
        alone = load(kind, batch_tokens=batch_tokens).score(call.prompts, call.queries)
        assert found.log_probabilities.tobytes() == alone.log_probabilities.tobytes()
        assert [one.requests for one in found.usages] == [one.requests for one in alone.usages]
        assert [one.prompt_tokens for one in found.usages] == [one.prompt_tokens for one in alone.usages]


def test_failures_stay_with_the_call_that_has_them(load: Load) -> None:
    wild = deep(0, seed=2)
    wild = DeepPrompt(TOKENS, {0: np.full_like(wild.vectors[0], 3e38), 1: np.full_like(wild.vectors[0], 3e38)})
    calls = [texts("it", "was"), ScoreCall([deep(1), wild], ROWS)]
    first, second = scored(calls, load("gpt2"))
    assert first.failures == ()
    assert {(one.prompt, one.query) for one in second.failures} == {(1, 0), (1, 1), (1, 2)}
    assert np.isnan(second.log_probabilities[1]).all()


def test_a_backend_whose_prompts_never_share_anything_has_no_seams() -> None:
    shares = seams(FakeBackend(), exact=True)
    assert joined([texts("it"), texts("it")], shares, most_prompts=MANY) == [0, 1]
