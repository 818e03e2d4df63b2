"""What every backend keeps: derive a test class from one of these and name your backend in `make`."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from blackbox.backends import (
    Backend,
    Capability,
    DecomposedPrompt,
    DeepPrompt,
    GeneratingBackend,
    PrefixBackend,
    PrefixPrompt,
    Prompt,
    Query,
    QueryError,
    SoftPrompt,
    StatesBackend,
    TextPrompt,
    UnsupportedPromptError,
    Usage,
    VectorBackend,
    Writing,
    Written,
)
from blackbox.backends.states import MOST_STATES


class StrangePrompt:
    """A prompt of a kind that no backend knows."""


class BackendContract:
    """A backend that takes text prompts at least. `tolerance` is the rounding of its device, nats."""

    tolerance = 1e-4
    texts: Sequence[str] = ("Classify the review.", "Say it.", "")
    queries: Sequence[Query] = (
        Query("The film was great fun. It was ", ("bad", "great")),
        Query("A bad day, and a long one at that, from its first hour to its last. It was ", ("bad", "great")),
        Query("Not great. It was ", ("bad", "great")),
    )

    def make(self) -> Backend:
        """The backend; it may be the same object each time."""
        raise NotImplementedError

    def prompts(self) -> list[Prompt]:
        """Prompts of every kind that the backend takes, no two alike."""
        return [TextPrompt(text) for text in self.texts]

    def test_it_is_a_backend(self) -> None:
        backend = self.make()
        assert isinstance(backend, Backend)
        assert Capability.LABEL_SCORES in backend.capabilities

    def test_its_name_and_hash_do_not_change(self) -> None:
        first, second = self.make(), self.make()
        assert first.name
        assert first.model_hash
        assert (first.name, first.model_hash) == (second.name, second.model_hash)

    def test_scores_have_a_place_for_every_prompt_query_and_option(self) -> None:
        scores = self.make().score(self.prompts(), self.queries)
        assert scores.log_probabilities.shape == (len(self.prompts()), len(self.queries), 2)
        assert scores.log_probabilities.dtype == np.float64
        assert len(scores.usages) == len(self.prompts())

    def test_no_prompts_have_no_scores(self) -> None:
        scores = self.make().score([], self.queries)
        assert scores.log_probabilities.shape == (0, len(self.queries), 2)
        assert scores.usages == ()

    def test_the_options_of_a_query_share_all_the_probability(self) -> None:
        scores = self.make().score(self.prompts(), self.queries)
        assert np.allclose(np.exp(scores.log_probabilities).sum(axis=-1), 1.0, atol=1e-9)

    def test_the_same_call_gives_the_same_scores_bit_for_bit(self) -> None:
        backend = self.make()
        first, second = (backend.score(self.prompts(), self.queries).log_probabilities for _ in range(2))
        assert first.tobytes() == second.tobytes()

    def test_scores_do_not_depend_on_the_order_of_the_prompts(self) -> None:
        forth = self.make().score(self.prompts(), self.queries).log_probabilities
        back = self.make().score(self.prompts()[::-1], self.queries).log_probabilities
        assert np.allclose(forth, back[::-1], atol=self.tolerance)

    def test_scores_of_a_prompt_do_not_depend_on_its_company(self) -> None:
        together = self.make().score(self.prompts(), self.queries).log_probabilities
        alone = [self.make().score([prompt], self.queries).log_probabilities[0] for prompt in self.prompts()]
        assert np.allclose(together, alone, atol=self.tolerance)

    def test_scores_of_a_query_do_not_depend_on_its_company(self) -> None:
        together = self.make().score(self.prompts(), self.queries).log_probabilities
        alone = [self.make().score(self.prompts(), [query]).log_probabilities[:, 0] for query in self.queries]
        assert np.allclose(together, np.stack(alone, axis=1), atol=self.tolerance)

    def test_options_in_another_order_have_the_same_scores_in_that_order(self) -> None:
        turned = [Query(query.before, query.options[::-1], query.after) for query in self.queries]
        scores = self.make().score(self.prompts(), self.queries).log_probabilities
        assert np.allclose(
            scores, self.make().score(self.prompts(), turned).log_probabilities[..., ::-1], atol=self.tolerance
        )

    def test_options_of_several_words_are_scored(self) -> None:
        longer = [Query("A bad day. It was ", ("a very bad thing", "great", "so so"))]
        scores = self.make().score(self.prompts(), longer)
        assert scores.log_probabilities.shape == (len(self.prompts()), 1, 3)
        assert np.isfinite(scores.log_probabilities).all()

    def test_usage_counts_a_request_for_every_query_of_a_prompt(self) -> None:
        scores = self.make().score(self.prompts(), self.queries)
        assert [usage.requests for usage in scores.usages] == [len(self.queries)] * len(self.prompts())

    def test_usage_is_counted_for_each_prompt_on_its_own(self) -> None:
        short, long = TextPrompt(self.texts[0]), TextPrompt(" ".join([self.texts[0]] * 3))
        usages = self.make().score([short, long], self.queries).usages
        assert 0 < usages[0].prompt_tokens < usages[1].prompt_tokens
        alone = self.make().score([short], self.queries).usages[0]
        assert usages[0].prompt_tokens == alone.prompt_tokens

    def test_usage_is_never_negative(self) -> None:
        for usage in self.make().score(self.prompts(), self.queries).usages:
            assert isinstance(usage, Usage)
            assert min(vars(usage).values()) >= 0

    def test_a_prompt_of_an_unknown_kind_is_refused_by_name(self) -> None:
        with pytest.raises(UnsupportedPromptError, match="StrangePrompt"):
            self.make().score([TextPrompt("Say it."), StrangePrompt()], self.queries)  # type: ignore[list-item]

    def test_queries_with_different_numbers_of_options_are_refused(self) -> None:
        with pytest.raises(QueryError, match=r"same number of options, got \[2, 3\]"):
            self.make().score(self.prompts(), [*self.queries, Query("It was ", ("bad", "great", "fine"))])

    def test_a_query_without_options_is_refused(self) -> None:
        with pytest.raises(QueryError, match="number of options"):
            self.make().score(self.prompts(), [Query("It was ", ())])

    def test_arguments_are_not_changed(self) -> None:
        prompts, queries = self.prompts(), list(self.queries)
        before = list(prompts)
        self.make().score(prompts, queries)
        assert prompts == before
        assert queries == list(self.queries)


class TargetBackendContract(BackendContract):
    """A backend that tells the likelihood of whole targets as well: queries with one option.

    Stands in front of another contract where a backend keeps both:
    `class TestMine(TargetBackendContract, VectorBackendContract)`.
    """

    targets: Sequence[Query] = (
        Query("Question: What do bees make? Answer: ", ("honey",)),
        Query("Question: What do bees make, and what is it good for? Answer: ", ("Honey, which people eat.",)),
        Query("Say it again, Sam. ", ("It again, Sam.",)),
    )

    def likelihoods(self, *targets: Query, prompts: Sequence[Prompt] | None = None) -> np.ndarray:
        """Log-likelihoods, nats, shape (n_prompts, n_targets, 1)."""
        return self.make().score(self.prompts() if prompts is None else prompts, targets).log_probabilities

    def test_it_says_that_it_scores_targets(self) -> None:
        assert Capability.TARGETS in self.make().capabilities

    def test_likelihoods_of_targets_have_a_place_for_every_prompt_and_query(self) -> None:
        scores = self.make().score(self.prompts(), self.targets)
        assert scores.log_probabilities.shape == (len(self.prompts()), len(self.targets), 1)
        assert scores.log_probabilities.dtype == np.float64
        assert [usage.requests for usage in scores.usages] == [len(self.targets)] * len(self.prompts())

    def test_a_target_is_a_text_among_all_others_and_never_more_than_certain(self) -> None:
        found = self.likelihoods(*self.targets)
        assert np.isfinite(found).all()
        assert (found < 0).all()

    def test_a_target_that_goes_on_is_never_more_likely_than_its_beginning(self) -> None:
        """The sum over its tokens, not their mean."""
        before, words = "Question: What do bees make? Answer: ", ("honey", " and wax", " and more bees and more bees")
        growing = [Query(before, ("".join(words[:count]),)) for count in (1, 2, 3)]
        found = self.likelihoods(*growing)[..., 0]
        assert (np.diff(found, axis=1) <= self.tolerance).all()

    def test_the_same_targets_have_the_same_likelihoods_bit_for_bit(self) -> None:
        assert self.likelihoods(*self.targets).tobytes() == self.likelihoods(*self.targets).tobytes()

    def test_the_likelihood_of_a_target_does_not_depend_on_its_company(self) -> None:
        together = self.likelihoods(*self.targets)
        alone = [self.likelihoods(target)[:, 0] for target in self.targets]
        assert np.allclose(together, np.stack(alone, axis=1), atol=self.tolerance)

    def test_the_likelihood_of_a_target_does_not_depend_on_the_other_prompts(self) -> None:
        together = self.likelihoods(*self.targets)
        alone = [self.likelihoods(*self.targets, prompts=[prompt])[0] for prompt in self.prompts()]
        assert np.allclose(together, alone, atol=self.tolerance)

    def test_targets_and_queries_with_several_options_are_refused_in_one_call(self) -> None:
        with pytest.raises(QueryError, match=r"same number of options, got \[1, 2\]"):
            self.make().score(self.prompts(), [*self.targets, *self.queries])


class VectorBackendContract(BackendContract):
    """A backend that takes soft and deep prompts as well; they stand on the tokens of `text`."""

    text = "Classify the review."

    def make(self) -> VectorBackend:
        raise NotImplementedError

    def prompts(self) -> list[Prompt]:
        last = self.make().shape.n_layers - 1
        moved = [self.decomposed(9)] if Capability.DECOMPOSED in self.make().capabilities else []
        return [*super().prompts(), self.soft(1), self.deep(2, 0), self.deep(3, last), self.deep(4, 0, last), *moved]

    def soft(self, seed: int, *, scale: float = 0.1) -> SoftPrompt:
        """A soft prompt of normal numbers on the tokens of `text`."""
        return SoftPrompt(self.make().encode(self.text), self.deep(seed, 0, scale=scale).vectors[0])

    def deep(self, seed: int, *layers: int, scale: float = 0.1) -> DeepPrompt:
        """A deep prompt of normal numbers on the tokens of `text`."""
        rng, tokens = np.random.default_rng(seed), self.make().encode(self.text)
        shape = (len(tokens), self.make().shape.hidden_size)
        return DeepPrompt(tokens, {layer: np.float32(scale * rng.normal(size=shape)) for layer in layers})

    def decomposed(self, seed: int, *, scale: float = 0.1) -> DecomposedPrompt:
        """The soft prompt of the same seed, with normal numbers for three positions of a row."""
        soft = self.soft(seed)
        rows = scale * np.random.default_rng(seed + 1).normal(size=(3, self.make().shape.hidden_size))
        return DecomposedPrompt(soft.token_ids, np.concatenate([soft.vectors, np.float32(rows)]))

    def score(self, *prompts: Prompt) -> np.ndarray:
        return self.make().score(prompts, self.queries).log_probabilities

    def test_it_is_a_vector_backend_that_takes_every_kind_of_prompt(self) -> None:
        backend = self.make()
        assert isinstance(backend, VectorBackend)
        assert {Capability.TEXT, Capability.SOFT, Capability.DEEP} <= backend.capabilities

    def test_vectors_of_zeros_are_the_text_prompt_of_the_same_tokens(self) -> None:
        everywhere = range(self.make().shape.n_layers)
        text, soft, deep = self.score(
            TextPrompt(self.text), self.soft(1, scale=0.0), self.deep(1, *everywhere, scale=0.0)
        )
        assert np.allclose(soft, text, atol=self.tolerance)
        assert np.allclose(deep, text, atol=self.tolerance)

    def test_a_soft_prompt_is_a_deep_prompt_of_the_input_layer(self) -> None:
        soft, deep = self.score(self.soft(5), self.deep(5, 0))
        assert np.allclose(soft, deep, atol=self.tolerance)

    def test_vectors_for_rows_change_the_scores_and_zeros_do_not(self) -> None:
        if Capability.DECOMPOSED not in self.make().capabilities:
            pytest.skip("this backend takes no decomposed prompts")
        soft, zeros, moved = self.score(self.soft(5), self.decomposed(5, scale=0.0), self.decomposed(5, scale=1.0))
        assert np.allclose(zeros, soft, atol=self.tolerance)
        assert not np.allclose(moved, soft, atol=self.tolerance)

    def test_vectors_in_any_layer_change_the_scores(self) -> None:
        layers = range(self.make().shape.n_layers)
        zeros, *changed = self.score(self.deep(1, 0, scale=0.0), *(self.deep(6, layer, scale=1.0) for layer in layers))
        for layer in layers:
            assert not np.allclose(changed[layer], zeros, atol=self.tolerance), f"layer {layer}"

    def test_prompts_that_share_arrays_score_as_prompts_with_copies(self) -> None:
        last = self.make().shape.n_layers - 1
        first, other = self.deep(7, 0, last), self.deep(8, last)
        shared = DeepPrompt(first.token_ids, {0: first.vectors[0], last: other.vectors[last]})
        copied = DeepPrompt(first.token_ids, {0: first.vectors[0].copy(), last: other.vectors[last].copy()})
        assert np.allclose(self.score(first, shared), self.score(first, copied), atol=self.tolerance)

    def test_a_prompt_of_another_hidden_size_is_refused(self) -> None:
        tokens, size = self.make().encode(self.text), self.make().shape.hidden_size + 1
        with pytest.raises(UnsupportedPromptError, match=f"size {size}"):
            self.score(SoftPrompt(tokens, np.zeros((len(tokens), size), np.float32)))

    def test_a_prompt_for_a_layer_that_the_model_has_not_is_refused(self) -> None:
        n_layers = self.make().shape.n_layers
        with pytest.raises(UnsupportedPromptError, match=f"layer {n_layers}"):
            self.score(self.deep(1, n_layers))

    def test_text_comes_back_from_its_tokens(self) -> None:
        backend = self.make()
        assert backend.decode(backend.encode(self.text)) == self.text
        assert backend.encode("") == ()

    def test_tokens_are_numbers_of_the_vocabulary(self) -> None:
        backend = self.make()
        assert all(0 <= token < backend.shape.vocabulary_size for token in backend.encode(self.text))

    def test_every_layer_has_a_positive_hidden_standard_deviation(self) -> None:
        backend = self.make()
        stds = backend.hidden_stds(backend.encode(self.text), self.queries)
        assert stds.shape == (backend.shape.n_layers,)
        assert np.isfinite(stds).all()
        assert (stds > 0).all()


class StatesBackendContract(VectorBackendContract):
    """A backend whose hidden states can be read."""

    def make(self) -> StatesBackend:
        raise NotImplementedError

    def states(self, *layers: int) -> dict[int, np.ndarray]:
        backend = self.make()
        return backend.hidden_states(backend.encode(self.text), self.queries, layers)

    def test_it_is_a_states_backend(self) -> None:
        assert isinstance(self.make(), StatesBackend)

    def test_states_are_those_of_the_layers_asked_for(self) -> None:
        shape = self.make().shape
        found = self.states(0, shape.n_layers - 1)
        assert set(found) == {0, shape.n_layers - 1}
        for states in found.values():
            assert states.dtype == np.float32
            assert states.shape == (len(states), shape.hidden_size)
            assert 1 < len(states) <= MOST_STATES
            assert np.isfinite(states).all()

    def test_the_states_of_a_layer_do_not_depend_on_which_others_are_asked_for(self) -> None:
        last = self.make().shape.n_layers - 1
        assert self.states(last)[last].tobytes() == self.states(0, last)[last].tobytes()

    def test_states_of_a_layer_that_the_model_has_not_are_refused(self) -> None:
        n_layers = self.make().shape.n_layers
        with pytest.raises(UnsupportedPromptError, match=f"layer {n_layers}"):
            self.states(n_layers)


class PrefixBackendContract(VectorBackendContract):
    """A backend that takes prefix prompts as well.

    `prefix_is_text` says that a prefix scores as the text prompt of its tokens, as it does on a decoder.
    """

    prefix_is_text = True

    def make(self) -> PrefixBackend:
        raise NotImplementedError

    def prompts(self) -> list[Prompt]:
        last = self.make().shape.n_layers - 1
        return [*super().prompts(), self.prefix(), self.prefix(0), self.prefix(last), self.prefix(0, last)]

    def prefix(self, *layers: int, scale: float = 0.5) -> PrefixPrompt:
        """The prefix of the tokens of `text`, moved by normal numbers in some layers."""
        start = self.make().prefix_of(self.make().encode(self.text))
        moves = np.random.default_rng(len(layers)).normal(size=(2, *start.keys_values[0].shape[1:]))
        moved = {layer: start.keys_values[layer] + np.float32(scale * moves) for layer in layers}
        return PrefixPrompt(start.token_ids, {**start.keys_values, **moved})

    def test_it_is_a_prefix_backend_that_takes_prefix_prompts(self) -> None:
        backend = self.make()
        assert isinstance(backend, PrefixBackend)
        assert Capability.PREFIX in backend.capabilities

    def test_a_prefix_has_keys_and_values_of_the_models_width_for_every_layer(self) -> None:
        shape, prefix = self.make().shape, self.prefix()
        assert shape.key_value_width > 0
        assert list(prefix.keys_values) == list(range(shape.n_layers))
        for keys_values in prefix.keys_values.values():
            assert keys_values.shape == (2, prefix.n_positions, shape.key_value_width)
            assert np.isfinite(keys_values).all()

    def test_a_prefix_names_its_tokens_and_has_a_position_for_each_at_least(self) -> None:
        tokens = self.make().encode(self.text)
        prefix = self.make().prefix_of(tokens)
        assert prefix.token_ids == tokens
        assert prefix.n_positions >= len(tokens)

    def test_the_prefix_of_the_same_tokens_is_the_same_bit_for_bit(self) -> None:
        first, second = self.prefix(), self.prefix()
        for layer, keys_values in first.keys_values.items():
            assert keys_values.tobytes() == second.keys_values[layer].tobytes(), f"layer {layer}"

    def test_the_prefix_of_a_texts_tokens_scores_as_the_text(self) -> None:
        if not self.prefix_is_text:
            pytest.skip("this backend's prefixes are no texts")
        backend = self.make()
        texts = [text for text in self.texts if backend.encode(text)]
        prefixes = [backend.prefix_of(backend.encode(text)) for text in texts]
        scores = self.score(*map(TextPrompt, texts), *prefixes)
        assert np.allclose(scores[: len(texts)], scores[len(texts) :], atol=self.tolerance)

    def test_keys_and_values_of_any_layer_change_the_scores(self) -> None:
        layers = range(self.make().shape.n_layers)
        start, *changed = self.score(self.prefix(), *(self.prefix(layer, scale=2.0) for layer in layers))
        for layer in layers:
            assert not np.allclose(changed[layer], start, atol=self.tolerance), f"layer {layer}"

    @pytest.mark.parametrize("part", [0, 1], ids=["keys", "values"])
    def test_keys_alone_and_values_alone_change_the_scores(self, part: int) -> None:
        start, moved = self.prefix(), self.prefix(0, scale=2.0)
        mixed = start.keys_values[0].copy()
        mixed[part] = moved.keys_values[0][part]
        scores = self.score(start, PrefixPrompt(start.token_ids, {**start.keys_values, 0: mixed}))
        assert not np.allclose(scores[1], scores[0], atol=self.tolerance)

    def test_prefixes_that_share_arrays_score_as_prefixes_with_copies(self) -> None:
        last = self.make().shape.n_layers - 1
        first, other = self.prefix(0, last), self.prefix(last)
        shared = PrefixPrompt(first.token_ids, {**first.keys_values, last: other.keys_values[last]})
        copied = PrefixPrompt(first.token_ids, {k: array.copy() for k, array in shared.keys_values.items()})
        assert np.allclose(self.score(first, shared), self.score(first, copied), atol=self.tolerance)

    def test_a_longer_prefix_costs_more_prompt_tokens(self) -> None:
        texts = [self.text, " ".join([self.text] * 3)]
        prefixes = [self.make().prefix_of(self.make().encode(text)) for text in texts]
        short, long = (usage.prompt_tokens for usage in self.make().score(prefixes, self.queries).usages)
        assert 0 < short < long

    def test_a_prefix_that_lacks_a_layer_is_refused(self) -> None:
        prefix, last = self.prefix(), self.make().shape.n_layers - 1
        rest = {layer: array for layer, array in prefix.keys_values.items() if layer != last}
        with pytest.raises(UnsupportedPromptError, match=f"layers 0 to {last}, got .* without layer {last}"):
            self.score(PrefixPrompt(prefix.token_ids, rest))

    def test_a_prefix_for_a_layer_that_the_model_has_not_is_refused(self) -> None:
        prefix, n_layers = self.prefix(), self.make().shape.n_layers
        with pytest.raises(UnsupportedPromptError, match=f"got a prefix prompt for layer {n_layers}"):
            self.score(PrefixPrompt(prefix.token_ids, {**prefix.keys_values, n_layers: prefix.keys_values[0]}))

    def test_a_prefix_of_another_width_is_refused(self) -> None:
        prefix, width = self.prefix(), self.make().shape.key_value_width
        wider = {layer: np.zeros((2, prefix.n_positions, width + 1), np.float32) for layer in prefix.keys_values}
        with pytest.raises(UnsupportedPromptError, match=f"width {width} .*, got .* of width {width + 1}"):
            self.score(PrefixPrompt(prefix.token_ids, wider))


class GeneratingContract:
    """A backend that writes; stands beside another contract, whose `make` and `prompts` it uses."""

    to_go_on: Sequence[Query] = (
        Query("The film was great fun. In other words:", ()),
        Query("A bad day, and a long one at that, from its first hour to its last. In other words:", ()),
        Query("Say it again, Sam.", ()),
    )
    writing = Writing(max_tokens=8)

    make: Callable[..., Any]
    prompts: Callable[..., list[Prompt]]

    def texts_of(self, prompts: Sequence[Prompt], queries: Sequence[Query], **changes: Any) -> list[list[str]]:
        """What is written behind each prompt and query; every pair must have a text."""
        generations = self.make().generate(prompts, queries, replace(self.writing, **changes))
        assert generations.failures == ()
        return [[written.text for written in line] for line in generations.written]

    def test_it_says_that_it_writes(self) -> None:
        assert isinstance(self.make(), GeneratingBackend)
        assert Capability.GENERATE in self.make().capabilities

    def test_there_is_a_text_for_every_prompt_and_query(self) -> None:
        generations = self.make().generate(self.prompts(), self.to_go_on, self.writing)
        assert [len(line) for line in generations.written] == [len(self.to_go_on)] * len(self.prompts())
        assert all(isinstance(written, Written) for line in generations.written for written in line)
        assert any(written.text for line in generations.written for written in line if written)
        assert len(generations.usages) == len(self.prompts())

    def test_no_prompts_and_no_queries_have_no_texts(self) -> None:
        assert self.make().generate([], self.to_go_on).written == ()
        assert self.make().generate(self.prompts()[:2], []).written == ((), ())

    def test_the_same_call_writes_the_same_texts(self) -> None:
        for temperature in (0.0, 1.0):
            first, second = (
                self.texts_of(self.prompts(), self.to_go_on, temperature=temperature, seed=3) for _ in range(2)
            )
            assert first == second

    def test_the_text_of_a_pair_does_not_depend_on_its_company(self) -> None:
        for temperature in (0.0, 1.0):
            changes = {"temperature": temperature, "seed": 3}
            together = self.texts_of(self.prompts(), self.to_go_on, **changes)
            for number, prompt in enumerate(self.prompts()):
                assert self.texts_of([prompt], self.to_go_on, **changes) == [together[number]]
            for number, query in enumerate(self.to_go_on):
                of_query = [line[0] for line in self.texts_of(self.prompts(), [query], **changes)]
                assert of_query == [line[number] for line in together]

    def test_other_seeds_write_other_texts_above_a_temperature_of_0_only(self) -> None:
        drawn, greedy = (
            [self.texts_of(self.prompts(), self.to_go_on, temperature=temperature, seed=seed) for seed in range(4)]
            for temperature in (1.0, 0.0)
        )
        assert any(texts != drawn[0] for texts in drawn[1:])
        assert all(texts == greedy[0] for texts in greedy[1:])

    def test_options_are_not_needed_and_their_number_may_differ(self) -> None:
        queries = [Query("It was", ()), Query("It was", ("bad", "great")), Query("It was", ("fine",))]
        assert len(self.texts_of(self.prompts(), queries)[0]) == 3

    def test_usage_counts_a_request_and_the_tokens_of_every_query(self) -> None:
        generations = self.make().generate(self.prompts(), self.to_go_on, self.writing)
        for usage in generations.usages:
            assert usage.requests == len(self.to_go_on)
            assert usage.prompt_tokens > 0
            assert 0 < usage.completion_tokens <= len(self.to_go_on) * self.writing.max_tokens
            assert min(vars(usage).values()) >= 0

    def test_no_more_than_the_greatest_number_of_tokens_is_written_and_such_a_text_is_cut(self) -> None:
        generations = self.make().generate(self.prompts(), self.to_go_on, Writing(max_tokens=2))
        assert all(usage.completion_tokens <= 2 * len(self.to_go_on) for usage in generations.usages)
        assert any(written.cut for line in generations.written for written in line if written)

    def test_a_text_ends_in_front_of_the_first_stop_text_and_is_not_cut(self) -> None:
        [[whole]] = self.texts_of(self.prompts()[:1], self.to_go_on[:1])
        stop = whole[len(whole) // 2 :]
        assert stop
        [[written]] = (
            self.make()
            .generate(self.prompts()[:1], self.to_go_on[:1], replace(self.writing, stop=("#never#", stop)))
            .written
        )
        assert written == Written(whole[: whole.index(stop)].strip(), cut=False)

    def test_a_prompt_of_an_unknown_kind_is_refused_by_name_before_anything_is_written(self) -> None:
        with pytest.raises(UnsupportedPromptError, match="StrangePrompt"):
            self.make().generate([TextPrompt("Say it."), StrangePrompt()], self.to_go_on)
