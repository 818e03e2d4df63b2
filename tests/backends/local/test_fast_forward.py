"""What is not computed: layers below, text in front, rows alike, columns and tokens that nobody asks for."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from operator import attrgetter

import pytest
import torch

from blackbox.backends import Query, TextPrompt
from blackbox.backends.local import LocalBackend
from tests.backends.local.candidates import deep, deep_sweep, prefix, prefix_sweep
from tests.backends.local.conftest import Load, Loaded
from tests.backends.local.rows import LABELS, TARGETS, WORDS

PROMPT = 4  # tokens that stand in front of the small Llama's rows: the beginning and three of the prompt
ROWS = 6 + 18 + 1  # tokens of the rows, and one answering token in each
Runs = list[tuple[int, tuple[int, int]]]
"""Of each run of a layer's part: the layer, and how many prompts and tokens it read."""


@contextmanager
def runs(loaded: Loaded, part: str, *, layers: str | None = None) -> Iterator[Runs]:
    """While open, the runs of a part of each layer."""
    seen: Runs = []
    with ExitStack() as hooks:
        for number, layer in enumerate(attrgetter(layers or loaded.kind.layers)(loaded.model)):

            def enter(_module: object, args: tuple[torch.Tensor, ...], number: int = number) -> None:
                n_prompts, n_tokens = args[0].shape[:2]
                seen.append((number, (n_prompts, n_tokens)))

            hooks.callback(attrgetter(part)(layer).register_forward_pre_hook(enter).remove)
        yield seen


class TestLeftToRight:
    @pytest.fixture(autouse=True)
    def _model(self, load: Load, loaded: Load) -> None:
        self.load, self.llama = load, loaded("llama")

    def runs_of(self, backend: LocalBackend, prompts: list, queries: list[Query]) -> Runs:
        with runs(self.llama, "mlp") as seen:
            backend.score(prompts, queries)
        return seen

    def test_candidates_of_a_layer_share_the_layers_below_and_the_next_ones_do_not_run_them(self) -> None:
        backend, slices = self.load(), deep_sweep()
        below = [(0, (1, PROMPT)), (1, (1, PROMPT))]
        own = [(2, (3, PROMPT))]  # what leaves the last layer at the prompt's tokens is of no use
        rows_below, rows = [(0, (1, ROWS)), (1, (1, ROWS))], [(2, (3, ROWS)), (3, (3, 3))]
        assert self.runs_of(backend, slices[2], LABELS) == [*below, *own, *rows_below, *rows]
        assert self.runs_of(backend, slices[2], LABELS) == [*own, *rows]

    def test_candidates_of_a_higher_layer_begin_where_those_of_a_lower_one_did(self) -> None:
        backend, slices = self.load(), deep_sweep()
        backend.score(slices[1], LABELS)
        seen = self.runs_of(backend, slices[3], LABELS)
        assert not [run for run in seen if run[0] == 0]
        assert [run for run in seen if run[1][0] == 3] == [(3, (3, 3))]

    def test_candidates_one_by_one_run_the_layers_from_where_they_part(self) -> None:
        backend, (prompts, *_) = self.load(), deep_sweep()[2:]
        first, second, third = (self.runs_of(backend, [prompt], LABELS) for prompt in prompts)
        assert [layer for layer, _ in first] == [layer for layer, _ in second] == [0, 1, 2, 0, 1, 2, 3]
        assert [layer for layer, _ in third] == [2, 2, 3]

    def test_prefixes_share_the_layers_below_and_are_not_read(self) -> None:
        backend = self.load()
        slices = prefix_sweep(backend)
        rows_below, rows = [(0, (1, ROWS)), (1, (1, ROWS))], [(2, (3, ROWS)), (3, (3, 3))]
        assert self.runs_of(backend, slices[2], LABELS) == [*rows_below, *rows]
        assert self.runs_of(backend, slices[2], LABELS) == rows

    def test_without_a_cache_all_layers_run_again(self) -> None:
        backend, slices = self.load(cache_bytes=0), deep_sweep()
        assert self.runs_of(backend, slices[2], LABELS) == self.runs_of(backend, slices[2], LABELS)

    def test_a_prompt_is_read_once_for_all_batches_of_rows(self) -> None:
        seen = self.runs_of(self.load(batch_tokens=1), [deep(1)], LABELS)
        assert [run for layer, run in seen if layer == 0] == [(1, PROMPT), (1, 1), (1, 6), (1, 18)]

    def test_prompts_share_a_pass_as_far_as_tokens_may_be_read_at_once(self) -> None:
        prompts = [deep(0, seed=seed) for seed in range(5)]
        for batch_tokens, parts in [(5 * ROWS, [5]), (2 * ROWS + 5, [2, 2, 1]), (ROWS, [1] * 5)]:
            seen = self.runs_of(self.load(batch_tokens=batch_tokens), prompts, LABELS)
            assert [n for layer, (n, n_tokens) in seen if layer == 1 and n_tokens == ROWS] == parts

    def test_equal_rows_and_equal_prompts_are_read_once(self) -> None:
        prompt = deep(1)
        seen = self.runs_of(self.load(), [prompt, prompt], [*LABELS, LABELS[1], LABELS[0]])
        assert [run for layer, run in seen if layer == 0] == [(1, PROMPT), (1, ROWS)]

    def test_options_of_several_tokens_share_the_text_in_front_of_them(self) -> None:
        """Of "great fun" and "long life and love" all tokens but the last are read behind each of three rows."""
        seen = self.runs_of(self.load(), [deep(1)], WORDS)
        assert [run for layer, run in seen if layer == 0] == [(1, PROMPT), (1, ROWS + 3 * (1 + 3))]
        assert seen[-1] == (3, (1, 3 * (1 + 1 + 3)))  # the end of the text and those tokens

    @pytest.mark.parametrize(("queries", "n_columns"), [(LABELS, 2), (TARGETS, None)])
    def test_the_head_answers_for_the_tokens_and_columns_that_are_asked_for(
        self, monkeypatch: pytest.MonkeyPatch, queries: list[Query], n_columns: int | None
    ) -> None:
        backend, asked = self.load(), []
        family = backend._forward._family
        logits = family.logits

        def look(finished: torch.Tensor, columns: torch.Tensor | None) -> torch.Tensor:
            asked.append((tuple(finished.shape), None if columns is None else len(columns)))
            return logits(finished, columns)

        monkeypatch.setattr(family, "logits", look)
        backend.score([deep(1), deep(2)], queries)
        n_read = 3 if n_columns else 1 + 4 + 2
        assert asked == [((2, n_read, 32), n_columns)]


class TestWithMasks:
    def test_the_first_layer_that_differs_makes_keys_of_the_rows_once_and_of_the_prompts_vectors(
        self, load: Load, loaded: Load
    ) -> None:
        rows = ROWS + 3 * (PROMPT + 2)  # with the beginning, the prompt, a mask and the end
        backend, prompts = load("bert"), deep_sweep()[1]
        with runs(loaded("bert"), "attention.self.key") as seen:
            backend.score(prompts, LABELS)
        assert [run for run in seen if run[0] == 0] == [(0, (1, rows))]
        assert [run for run in seen if run[0] == 1] == [(1, (1, rows)), (1, (3, 3)), (1, (1, 1))]
        assert [run for run in seen if run[0] == 2] == [(2, (3, rows))]

    def test_the_last_layer_makes_no_keys_and_answers_for_the_masks_only(self, load: Load, loaded: Load) -> None:
        backend = load("bert")
        with runs(loaded("bert"), "attention.self.key") as keys, runs(loaded("bert"), "intermediate") as inner:
            backend.score([deep(0), deep(0, seed=2)], LABELS)
        assert 3 not in [layer for layer, _ in keys]
        assert inner[-1] == (3, (2, 3))

    def test_a_layer_with_a_prefix_answers_for_the_masks_only(self, load: Load, loaded: Load) -> None:
        backend = load("roberta")
        prompts = [prefix(backend, 2), prefix(backend, 2, seed=2)]
        with runs(loaded("roberta"), "intermediate") as inner:
            backend.score(prompts, LABELS)
        assert inner[-1] == (3, (2, 3))


class TestEncoderDecoder:
    def test_options_look_at_the_text_without_its_keys_and_values(self, load: Load, loaded: Load) -> None:
        backend = load("t5")
        with (
            runs(loaded("t5"), "layer.1.EncDecAttention.k", layers="decoder.block") as keys,
            runs(loaded("t5"), "layer.1.EncDecAttention.v", layers="decoder.block") as values,
            runs(loaded("t5"), "layer.2.DenseReluDense.wi", layers="decoder.block") as inner,
        ):
            backend.score([deep(0), deep(0, seed=2)], LABELS)
        assert keys == values == []
        assert inner == [(0, (2, 6)), (1, (2, 6)), (2, (2, 3))]  # the opening of two tokens, and its last one

    def test_layers_of_the_encoder_below_do_not_run_again(self, load: Load, loaded: Load) -> None:
        backend, prompts = load("bart"), deep_sweep()[2]
        with runs(loaded("bart"), "fc1") as first:
            backend.score(prompts, LABELS)
        with runs(loaded("bart"), "fc1") as second:
            backend.score(prompts, LABELS)
        assert [layer for layer, _ in first] == [0, 1, 2, 3]
        assert [layer for layer, _ in second] == [2, 3]


@pytest.mark.parametrize("kind", ["llama", "roberta", "bart"])
def test_texts_without_end_are_answered_and_forgotten(load: Load, kind: str) -> None:
    backend, texts = load(kind), [TextPrompt(f"{one} {two}") for one in "abcdef" for two in "ghi"]
    found = backend.score(texts, LABELS).log_probabilities
    cold = [load(kind).score([text], LABELS).log_probabilities[0] for text in texts[-3:]]
    assert all((one == other).all() for one, other in zip(found[-3:], cold, strict=True))
    assert all(len(stacks) <= 10 for stacks in backend._forward._stacks.values())
