"""What every family keeps: derive a test class and name a kind of `models.KINDS` that is of your family."""

from collections.abc import Callable

import numpy as np
import pytest

from blackbox.backends import DecomposedPrompt, Prompt, Query, SoftPrompt, TextPrompt
from blackbox.backends.local import LocalBackend
from blackbox.backends.local.fast_forward import FastForward
from tests.backends.local.candidates import (
    SIZE,
    TOKENS,
    Sweep,
    decomposed,
    deep,
    deep_sweep,
    frozen,
    of_every_kind,
    prefix,
    prefix_sweep,
    scores_of,
    vectors,
)
from tests.backends.local.conftest import Load, Loaded
from tests.backends.local.reference import expected_scores
from tests.backends.local.rows import LABELS, WORDS, asked_in_every_way


class FamilyContract:
    """A family answers as the model's own forward pass does. `tolerance` is the rounding of float32, nats."""

    kind: str
    tolerance = 1e-4

    @pytest.fixture(autouse=True)
    def _models(self, load: Load, run_whole: Load, loaded: Callable[[str], Loaded]) -> None:
        self._load, self._run_whole, self._loaded = load, run_whole, loaded(self.kind)

    def fast(self, **settings: object) -> LocalBackend:
        """Run layer by layer."""
        return self._load(self.kind, **settings)

    def whole(self) -> LocalBackend:
        """Run whole, by the model's own code."""
        return self._run_whole(self.kind)

    def assert_equal(self, prompts: list[Prompt], rows: dict[str, list[Query]], *, batch_tokens: int) -> None:
        """Both score prompts alike."""
        fast, whole = self.fast(batch_tokens=batch_tokens), self.whole()
        for name, queries in rows.items():
            found, expected = (one.score(prompts, queries).log_probabilities for one in (fast, whole))
            assert np.allclose(found, expected, atol=self.tolerance), name

    def test_it_is_run_layer_by_layer(self) -> None:
        assert isinstance(self.fast()._forward, FastForward)

    @pytest.mark.parametrize("rows", ["labels", "words", "targets", "words before a text", "rows that begin alike"])
    def test_the_model_run_whole_scores_as_its_own_forward_pass_does_row_by_row(self, rows: str) -> None:
        whole = self.whole()
        if rows not in asked_in_every_way(whole):
            pytest.skip("this way of reading has no such rows")
        queries = asked_in_every_way(whole)[rows][-2:]
        prompts: list[Prompt] = [TextPrompt("it was"), deep(0, 2, 3), decomposed(), decomposed(positions=100)]
        if whole.shape.key_value_width:
            prompts.append(prefix(whole, 0, 1, 3))
        expected = expected_scores(self._loaded, prompts, queries)
        assert np.allclose(whole.score(prompts, queries).log_probabilities, expected, atol=self.tolerance)

    def test_prompts_of_every_kind_score_as_with_the_model_run_whole(self) -> None:
        fast = self.fast()
        self.assert_equal(of_every_kind(fast), asked_in_every_way(fast), batch_tokens=1000)

    def test_prompts_and_rows_in_passes_of_their_own_score_as_with_the_model_run_whole(self) -> None:
        prompts = [deep(0, 1), deep(0, 1, seed=2), TextPrompt("it was")]
        self.assert_equal(prompts, {"words": WORDS}, batch_tokens=1)

    def test_vectors_of_one_layer_alone_change_scores_as_with_the_model_run_whole(self) -> None:
        prompts = [deep(), *(deep(layer) for layer in range(4)), deep(3, seed=2)]
        found, expected = (one.score(prompts, LABELS).log_probabilities for one in (self.fast(), self.whole()))
        assert np.allclose(found, expected, atol=self.tolerance)
        apart = np.abs(found[:, None] - found[None]).max(axis=(2, 3))
        assert apart[~np.eye(len(prompts), dtype=bool)].min() > 10 * self.tolerance

    def test_prompts_that_share_some_layers_or_none_score_as_with_the_model_run_whole(self) -> None:
        shared = deep(0, 1, 2, 3)
        others = [deep(0, 1, 2, 3, seed=seed) for seed in (2, 3)]
        from_two = [type(shared)(shared.token_ids, {**other.vectors, 0: shared.vectors[0]}) for other in others]
        self.assert_equal([shared, *others, *from_two, shared], {"words": WORDS}, batch_tokens=100)

    def test_a_search_that_moves_rows_scores_as_with_the_model_run_whole(self) -> None:
        fast = self.fast()
        prompts = [decomposed(seed=seed) for seed in range(4)]
        same_front = [
            DecomposedPrompt(TOKENS, frozen(np.concatenate([vectors(1), vectors(seed, 9)]))) for seed in range(2, 5)
        ]
        plain = [SoftPrompt(TOKENS, prompt.vectors[: len(TOKENS)]) for prompt in same_front]
        self.assert_equal([*prompts, *same_front, *plain], asked_in_every_way(fast), batch_tokens=200)

    def test_vectors_of_zeros_for_rows_change_nothing(self) -> None:
        fast, zeros = self.fast(), np.zeros((5, SIZE))
        soft = SoftPrompt(TOKENS, vectors(1))
        moved = DecomposedPrompt(TOKENS, frozen(np.concatenate([vectors(1), zeros])))
        found, expected = fast.score([moved], LABELS), fast.score([soft], LABELS)
        assert np.allclose(found.log_probabilities, expected.log_probabilities, atol=self.tolerance)
        assert found.usages[0].prompt_tokens == expected.usages[0].prompt_tokens

    def test_a_search_scores_as_with_the_model_run_whole_and_the_same_bits_without_a_cache(self) -> None:
        self.assert_searches_alike(deep_sweep(), batch_tokens=20)

    def test_a_search_for_prefixes_scores_as_with_the_model_run_whole_and_the_same_bits_without_a_cache(self) -> None:
        if not self.whole().shape.key_value_width:
            pytest.skip("this model takes no prefixes")
        self.assert_searches_alike(prefix_sweep(self.whole()), batch_tokens=1000)

    def assert_searches_alike(self, slices: Sweep, *, batch_tokens: int) -> None:
        cached = scores_of(self.fast(batch_tokens=batch_tokens), slices, LABELS)
        plain = scores_of(self.fast(batch_tokens=batch_tokens, cache_bytes=0), slices, LABELS)
        assert cached.tobytes() == plain.tobytes()
        expected = scores_of(self.whole(), slices[-2:], LABELS)  # by then states of earlier slices are begun at
        assert np.allclose(cached[-len(expected) :], expected, atol=self.tolerance)

    def test_a_population_is_ranked_as_with_the_model_run_whole(self) -> None:
        population = [deep(0, 1, 2, 3, seed=seed) for seed in range(20)]
        losses = [
            -one.score(population, LABELS).log_probabilities[..., 0].mean(axis=1) for one in (self.fast(), self.whole())
        ]
        assert np.argsort(losses[0]).tolist() == np.argsort(losses[1]).tolist()
