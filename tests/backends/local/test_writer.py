"""What a local model writes is what its own forward pass would choose, token by token."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pytest
import torch

from blackbox.backends import (
    DeepPrompt,
    ModelMemoryError,
    Prompt,
    Query,
    QueryError,
    SoftPrompt,
    TextPrompt,
    UnsupportedPromptError,
    Writing,
)
from blackbox.backends.local import LocalBackend
from blackbox.backends.local.continuing import Answering, LeftToRight
from blackbox.backends.local.next_token import drawn, most_probable
from blackbox.backends.local.writer import Writer
from blackbox.backends.local.writing_loop import Line, Rules, write
from tests.backends.local.candidates import TOKENS, decomposed, deep, prefix, vectors
from tests.backends.local.conftest import Load, Loaded
from tests.backends.local.models import CAUSAL, ENCODER_DECODER, WITHOUT_FAMILY
from tests.backends.local.reference import expected_text, next_logits
from tests.backends.local.rows import LABELS

EMBEDDINGS_CHANGE = {"bloom", "opt norm last"}
"""Models that normalise or project embeddings in front of the first layer, behind which a soft prompt is added."""
WRITERS = sorted({**CAUSAL, **ENCODER_DECODER, **WITHOUT_FAMILY})


def of_every_kind(backend: LocalBackend) -> list[Prompt]:
    """Texts, and vectors that share passes: some in the same layers, some in others, a prompt of its own between."""
    prefixes = [prefix(backend, 0, 1, 3), prefix(backend, 2)] if backend.shape.key_value_width else []
    added = [SoftPrompt(TOKENS, vectors(1)), deep(0, 2, 3), deep(1, 2), deep(0, 2, 3, seed=2)]
    moved = [decomposed(positions=2), decomposed(positions=50), decomposed(positions=50, seed=2)]
    return [TextPrompt("it was"), *added, *moved, *prefixes, TextPrompt("")]


def texts_of(backend: LocalBackend, prompts: Sequence[Prompt], queries: Sequence[Query], **settings: Any) -> list[str]:
    written = backend.generate(prompts, queries, Writing(**{"max_tokens": 8, **settings})).written
    return [one.text for line in written for one in line if one]


@pytest.mark.parametrize(
    ("kind", "batch_tokens"),
    [*((kind, 60) for kind in WRITERS), *((kind, size) for kind in ("llama", "mistral", "t5") for size in (1, 1000))],
)
def test_a_greedy_text_is_that_of_a_slow_loop_over_the_models_own_forward_pass(
    load: Load, loaded: Callable[[str], Loaded], kind: str, batch_tokens: int
) -> None:
    backend = load(kind, batch_tokens=batch_tokens)
    prompts = of_every_kind(backend)
    expected = [expected_text(loaded(kind), prompt, row, max_tokens=6) for prompt in prompts for row in LABELS]
    assert texts_of(backend, prompts, LABELS, max_tokens=6) == expected
    assert len(set(expected)) > 1


@pytest.mark.parametrize("kind", sorted({**CAUSAL, **WITHOUT_FAMILY}.keys() - EMBEDDINGS_CHANGE))
def test_a_text_behind_a_soft_prompt_is_what_transformers_itself_generates_from_embeddings(
    load: Load, loaded: Callable[[str], Loaded], kind: str
) -> None:
    backend, of_transformers = load(kind), loaded(kind)
    model, tokenizer, begin = of_transformers.model, of_transformers.tokenizer, backend._encoder.prefix
    texts = []
    for query in LABELS:
        row = tokenizer.encode(query.before.rstrip(), add_special_tokens=False)
        with torch.inference_mode():
            embedded = model.get_input_embeddings()(torch.tensor([[*begin, *TOKENS, *row]]))
            embedded[0, len(begin) : len(begin) + len(TOKENS)] += torch.tensor(vectors(1))
            written = model.generate(
                inputs_embeds=embedded,
                attention_mask=torch.ones(embedded.shape[:2], dtype=torch.long),
                max_new_tokens=6,
                do_sample=False,
                pad_token_id=0,
            )
        texts.append(tokenizer.decode(written[0], skip_special_tokens=True).strip())
    assert texts_of(backend, [SoftPrompt(TOKENS, vectors(1))], LABELS, max_tokens=6) == texts
    assert any(texts)


@pytest.mark.parametrize("kind", WRITERS)
def test_the_logits_behind_tokens_that_went_before_are_those_of_the_models_own_forward_pass(
    load: Load, loaded: Callable[[str], Loaded], kind: str
) -> None:
    """Random models write one token over and over; behind other tokens a fault in what is kept would show."""
    backend, rng, vocabulary_size = load(kind), np.random.default_rng(1), 80
    decodes = backend.model.config.is_encoder_decoder
    groups: list[list[Prompt]] = [[TextPrompt("it was")], [deep(0, 2, 3), deep(1, 2)]]
    groups.append([decomposed(positions=15), decomposed(positions=15, seed=2)])
    if backend.shape.key_value_width:
        groups.append([prefix(backend, 0, 1, 3), prefix(backend, 2)])
    rows = backend._encoder.openings(LABELS[:1] if getattr(backend.model.config, "sliding_window", None) else LABELS)
    for group in groups:
        prompts = group[:1] if decodes else group
        ids, placed = [row.ids for row in rows], [backend._placed(prompt) for prompt in prompts]
        continuing = (
            Answering(backend._whole, placed[0], ids, rows[0].decoder_ids)
            if decodes
            else LeftToRight(backend._whole, placed, ids)
        )
        pairs = [(prompt, LABELS[row.query]) for prompt in prompts for row in rows]
        forced = rng.integers(5, vocabulary_size, size=(len(pairs), 6))
        with torch.inference_mode():
            found = continuing.begin()
            for step in range(6):
                expected = [
                    next_logits(loaded(kind), prompt, query, [int(token) for token in forced[number, :step]])
                    for number, (prompt, query) in enumerate(pairs)
                ]
                assert torch.allclose(found, torch.stack(expected), atol=1e-4), (step, prompts)
                if step == 3:
                    continuing.keep([0])
                    pairs, forced = pairs[:1], forced[:1]
                found = continuing.go_on([int(token) for token in forced[:, step]])


@pytest.mark.parametrize("kind", ["bert", "roberta"])
def test_a_model_that_fills_masks_does_not_write(load: Load, kind: str) -> None:
    with pytest.raises(UnsupportedPromptError, match="has no text that the model writes"):
        load(kind).generate([TextPrompt("it")], LABELS)


class Told:
    """Sequences whose most probable tokens are told."""

    def __init__(self, *lines: Sequence[int]) -> None:
        self.lines, self.place = list(lines), 0
        self.kept: list[list[int]] = []

    def begin(self) -> torch.Tensor:
        tokens = [line[self.place] for line in self.lines]
        logits = torch.zeros(len(tokens), 10)
        for row, token in enumerate(tokens):
            logits[row, 0 if token == OVERFLOWN else token] = torch.nan if token == OVERFLOWN else 1.0
        return logits

    def go_on(self, tokens: Sequence[int]) -> torch.Tensor:
        assert list(tokens) == [line[self.place] for line in self.lines], "each goes on behind its own token"
        self.place += 1
        return self.begin()

    def keep(self, places: Sequence[int]) -> None:
        self.lines = [self.lines[place] for place in places]
        self.kept.append(list(places))


OVERFLOWN, END = -1, 9


def test_each_sequence_ends_by_itself_and_is_left_out_from_then_on() -> None:
    told = Told([1, 2, END], [1, 1, 1, 1, 1], [3, OVERFLOWN], [END], [1, 2, 5, 5], [4, 4, 4, 4])
    rules = Rules(most_probable, frozenset({END}), [6, 4, 6, 6, 6, 2], lambda tokens: list(tokens[-2:]) == [5, 5])
    assert write(told, rules) == [
        Line((1, 2, END)),
        Line((1, 1, 1, 1), cut=True),
        Line((3,), failed=True),
        Line((END,)),
        Line((1, 2, 5, 5)),
        Line((4, 4), cut=True),
    ]
    assert told.kept == [[0, 1, 2, 4, 5], [0, 1, 3], [1, 2]]


def test_tokens_are_drawn_as_often_as_they_are_probable() -> None:
    logits, temperature = torch.tensor([[0.0, 1.0, 2.0, -torch.inf]]), 0.7
    choose = drawn(temperature, 1, [(5, 6)])
    count = 4000
    counts = np.bincount([choose(logits, [0])[0] for _ in range(count)], minlength=4)
    weights = np.exp(np.array([0.0, 1.0, 2.0]) / temperature)
    expected = weights / weights.sum()
    assert counts[3] == 0
    assert np.abs(counts[:3] / count - expected).max() < 5 * np.sqrt(0.25 / count)


def test_what_is_drawn_depends_on_the_seed_and_on_what_is_read_alone() -> None:
    logits = torch.zeros(2, 1000)

    def tokens(seed: int, *read: tuple[int, ...]) -> list[list[int]]:
        choose = drawn(1.0, seed, read)
        return [choose(logits[: len(read)], range(len(read))) for _ in range(3)]

    both, first = tokens(1, (5, 6), (7,)), tokens(1, (5, 6))
    assert [line[:1] for line in both] == first
    assert [line[1:] for line in both] == tokens(1, (7,))
    assert tokens(2, (5, 6)) != first
    assert [line[0] for line in both] != [line[1] for line in both]


def test_rows_that_are_the_same_text_are_written_once_and_have_the_same_text(load: Load) -> None:
    backend = load()
    twice = [LABELS[0], Query(LABELS[0].before, ("other", "options", "here")), LABELS[1]]
    generations = backend.generate([TextPrompt("it was")], twice, Writing(max_tokens=4))
    [line], [usage] = generations.written, generations.usages
    assert line[0] == line[1]
    assert usage.requests == 3
    alone = backend.generate([TextPrompt("it was")], [LABELS[0], LABELS[1]], Writing(max_tokens=4)).usages[0]
    assert (usage.prompt_tokens, usage.completion_tokens) == (alone.prompt_tokens, alone.completion_tokens)


def test_prompt_tokens_are_those_of_the_prompt_with_every_row(load: Load) -> None:
    """Llama's rows of 5 and 1 words behind the token that begins a text and a prompt of 2."""
    rows = [Query("a quiet film . it", ()), Query("fun", ())]
    [usage] = load().generate([TextPrompt("it was")], rows, Writing(max_tokens=2)).usages
    assert usage.prompt_tokens == (1 + 2 + 5) + (1 + 2 + 1)


@pytest.mark.parametrize("kind", ["llama", "t5"])
def test_vectors_too_large_for_the_precision_leave_their_rows_without_a_text_and_say_why(load: Load, kind: str) -> None:
    overflown = DeepPrompt(TOKENS, {2: np.full((3, 32), np.inf, np.float32)})
    generations = load(kind).generate([deep(2), overflown], LABELS, Writing(max_tokens=4))
    assert all(generations.written[0])
    assert generations.written[1] == (None,) * len(LABELS)
    assert {(failure.prompt, failure.query) for failure in generations.failures} == {(1, row) for row in range(3)}
    assert all("no finite numbers" in failure.reason for failure in generations.failures)


def test_a_text_ends_where_the_model_reads_no_more_and_is_cut(load: Load) -> None:
    """Of 64 positions 1 + 1 + 57 are read before the text; its last token is not read."""
    row = Query("great " * 57, ())
    [[written]] = load().generate([TextPrompt("it")], [row], Writing(max_tokens=50)).written
    [usage] = load().generate([TextPrompt("it")], [row], Writing(max_tokens=50)).usages
    assert written is not None
    assert written.cut
    assert usage.completion_tokens == 64 - 59 + 1


def test_a_row_longer_than_the_model_reads_and_one_without_text_are_refused(load: Load) -> None:
    with pytest.raises(QueryError, match=r"row 2 of this call .* is 10\d tokens long .* the model reads 64"):
        load().generate([TextPrompt("it")], [LABELS[0], Query("great " * 100, ())])
    with pytest.raises(QueryError, match="row 1 of this call has no text"):
        load().generate([TextPrompt("it")], [Query(" ", ())])


@pytest.mark.parametrize("kind", ["llama", "t5"])
def test_where_memory_runs_out_a_batch_is_halved_and_every_text_is_as_before(
    load: Load, kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    backend = load(kind, batch_tokens=1000)
    prompts = [deep(0, 2, 3), deep(1, 2)]
    expected = texts_of(backend, prompts, LABELS)
    small = Writer._run

    def run(self: Writer, some: Sequence[Any], rows: Sequence[Any], writing: Writing) -> Any:
        if len(some) * len(rows) > 1:
            raise torch.OutOfMemoryError("no memory")
        return small(self, some, rows, writing)  # type: ignore[arg-type]

    monkeypatch.setattr(Writer, "_run", run)
    assert texts_of(backend, prompts, LABELS) == expected

    def never(*_: Any) -> Any:
        raise torch.OutOfMemoryError("no memory")

    monkeypatch.setattr(Writer, "_run", never)
    with pytest.raises(ModelMemoryError, match="a text of .* tokens does not fit in free memory"):
        backend.generate(prompts, LABELS)
