"""What prompts are without some of their parts."""

import numpy as np
import pytest

from blackbox.backends import DeepPrompt, Demonstration, FakeBackend, PrefixPrompt, SoftPrompt, TextPrompt
from blackbox.pruning.asking import prompt_digest
from blackbox.pruning.parts import Level, levels_of

RNG = np.random.default_rng(0)
VECTORS = RNG.normal(size=(3, 8)).astype(np.float32)
SHOWN = tuple(Demonstration(f"row {n}: ", "great", row=n) for n in range(3))
TEXT = TextPrompt("Read it. Is it good?\nAnswer 3.5 words\n\n", SHOWN, role="system", template="{text}: {label}")


def level(prompt: object, name: str) -> Level:
    return next(one for one in levels_of(prompt) if one.name == name)  # type: ignore[arg-type]


def test_a_soft_prompt_loses_tokens_with_their_vectors() -> None:
    prompt = SoftPrompt((5, 6, 7), VECTORS)
    tokens = level(prompt, "tokens")
    shorter = tokens.without(prompt, {1})
    assert isinstance(shorter, SoftPrompt)
    assert (tokens.count(prompt), shorter.token_ids) == (3, (5, 7))
    assert np.array_equal(shorter.vectors, VECTORS[[0, 2]])


def test_a_deep_prompt_loses_tokens_in_all_layers_and_layers_whole() -> None:
    prompt = DeepPrompt((5, 6, 7), {1: VECTORS, 3: 2 * VECTORS})
    shorter = level(prompt, "tokens").without(prompt, {0, 2})
    assert isinstance(shorter, DeepPrompt)
    assert shorter.token_ids == (6,)
    assert {layer: vectors.tolist() for layer, vectors in shorter.vectors.items()} == {
        1: VECTORS[[1]].tolist(),
        3: (2 * VECTORS[[1]]).tolist(),
    }
    layers = level(prompt, "layers")
    fewer = layers.without(prompt, {0})
    assert isinstance(fewer, DeepPrompt)
    assert (layers.count(prompt), list(fewer.vectors), fewer.token_ids) == (2, [3], (5, 6, 7))


def test_a_prefix_loses_positions_and_keeps_that_of_the_token_which_begins_every_text() -> None:
    pairs = RNG.normal(size=(2, 4, 6)).astype(np.float32)
    prompt = PrefixPrompt((5, 6, 7), {0: pairs, 2: -pairs})
    shorter = level(prompt, "tokens").without(prompt, {0})
    assert isinstance(shorter, PrefixPrompt)
    assert shorter.token_ids == (6, 7)
    assert np.array_equal(shorter.keys_values[2], -pairs[:, [0, 2, 3]])


def test_the_backend_takes_what_is_left() -> None:
    backend = FakeBackend()
    prefix = backend.prefix_of(backend.encode("abc"))
    shorter = level(prefix, "tokens").without(prefix, {1})
    assert backend.quality(shorter) == pytest.approx(backend.quality(TextPrompt("ac")))


def test_a_text_loses_shown_rows_sentences_and_words_and_keeps_the_rest_of_itself() -> None:
    shown, sentences, words = levels_of(TEXT)
    assert [one.count(TEXT) for one in (shown, sentences, words)] == [3, 3, 8]
    assert shown.without(TEXT, {0, 2}) == TextPrompt(TEXT.text, SHOWN[1:2], role="system", template=TEXT.template)
    assert sentences.without(TEXT, {0}).text == "Is it good?\nAnswer 3.5 words\n\n"  # type: ignore[union-attr]
    assert sentences.without(TEXT, {2}).text == "Read it. Is it good?\n\n"  # type: ignore[union-attr]
    assert words.without(TEXT, {1, 5}).text == "Read Is it good?\n3.5 words\n\n"  # type: ignore[union-attr]
    assert words.without(TEXT, set(range(8))).text == ""  # type: ignore[union-attr]
    assert sentences.without(TEXT, set()) == TEXT


def test_an_empty_text_has_no_parts() -> None:
    assert [one.count(TextPrompt("")) for one in levels_of(TextPrompt(""))] == [0, 0, 0]


def test_prompts_are_told_apart_by_all_that_they_are() -> None:
    prompts = [
        SoftPrompt((5, 6, 7), VECTORS),
        SoftPrompt((5, 6, 8), VECTORS),
        SoftPrompt((5, 6, 7), VECTORS + 1),
        DeepPrompt((5, 6, 7), {0: VECTORS}),
        DeepPrompt((5, 6, 7), {1: VECTORS}),
        TEXT,
        level(TEXT, "words").without(TEXT, {0}),
    ]
    assert len({prompt_digest(prompt) for prompt in prompts}) == len(prompts)
    assert prompt_digest(SoftPrompt((5, 6, 7), VECTORS.copy())) == prompt_digest(prompts[0])
