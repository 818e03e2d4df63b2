"""The local backend against the model's own forward pass, row by row, without padding, hooks or shortcuts."""

from collections.abc import Callable

import numpy as np
import pytest
import torch

from blackbox.backends import (
    BackendSettingError,
    DeepPrompt,
    LabelWordError,
    Query,
    QueryError,
    SoftPrompt,
    TextPrompt,
    UnsupportedPromptError,
)
from blackbox.backends.local import LocalBackend
from tests.backends.contract import VectorBackendContract
from tests.backends.local.conftest import CONFIGS, LONG_WORDS, QUERIES

Load = Callable[..., LocalBackend]
TOKENS = (5, 9, 12)


def vectors(seed: int, size: int = 32) -> np.ndarray:
    return np.random.default_rng(seed).normal(size=(len(TOKENS), size)).astype(np.float32)


def reference(backend: LocalBackend, layers: dict[int, np.ndarray], queries: list[Query]) -> np.ndarray:
    """One row and one option at a time: the prompt added behind the layer below, the likelihoods of all its tokens."""
    model, tokenize = backend._forward.model, backend.encode
    stack = backend._forward.layers
    handles = []
    for layer, array in layers.items():
        added = torch.tensor(array)

        def add(module: object, args: tuple, output: object, added: torch.Tensor = added) -> object:
            hidden = output[0] if isinstance(output, tuple) else output
            hidden[:, : len(TOKENS)] += added
            return output

        if layer:
            handles.append(stack[layer - 1].register_forward_hook(add))
        else:  # what enters the first layer
            handles.append(
                stack[0].register_forward_pre_hook(
                    lambda module, args, added=added: (added_to(args[0], added), *args[1:])
                )
            )
    rows = []
    for query in queries:
        likelihoods = []
        for option in query.options:
            context = tokenize(query.before)
            target = tokenize(query.before + option)[len(context) :]
            ids = torch.tensor([[*TOKENS, *context, *target]])
            with torch.inference_mode():
                log_p = model(ids).logits[0].log_softmax(-1)
            first = len(TOKENS) + len(context) - 1
            likelihoods.append(sum(float(log_p[first + i, token]) for i, token in enumerate(target)))
        rows.append(likelihoods)
    for handle in handles:
        handle.remove()
    return torch.tensor(rows, dtype=torch.float64).log_softmax(-1).numpy()


def added_to(hidden: torch.Tensor, added: torch.Tensor) -> torch.Tensor:
    hidden = hidden.clone()
    hidden[:, : len(added)] += added
    return hidden


@pytest.mark.parametrize("kind", sorted(CONFIGS))
@pytest.mark.parametrize("queries", [QUERIES, LONG_WORDS], ids=["one token", "several tokens"])
class TestScores:
    def test_a_deep_prompt_scores_as_the_model_itself_does_with_the_vectors_added(
        self, load: Load, kind: str, queries: list[Query]
    ) -> None:
        backend = load(kind)
        layers = {0: vectors(1), 2: vectors(2), 3: vectors(3)}
        scores = backend.score([DeepPrompt(TOKENS, layers)], queries)
        assert np.allclose(scores.log_probabilities[0], reference(backend, layers, queries), atol=1e-5)

    def test_a_soft_prompt_is_a_deep_prompt_of_the_first_layer(
        self, load: Load, kind: str, queries: list[Query]
    ) -> None:
        scores = load(kind).score([SoftPrompt(TOKENS, vectors(1)), DeepPrompt(TOKENS, {0: vectors(1)})], queries)
        assert np.array_equal(scores.log_probabilities[0], scores.log_probabilities[1])

    def test_batches_and_their_padding_change_nothing(self, load: Load, kind: str, queries: list[Query]) -> None:
        prompt = DeepPrompt(TOKENS, {1: vectors(4)})
        one_by_one = load(kind, batch_tokens=1).score([prompt], queries).log_probabilities
        together = load(kind, batch_tokens=10_000).score([prompt], queries).log_probabilities
        assert np.allclose(one_by_one, together, atol=1e-5)


class TestContract(VectorBackendContract):
    queries = QUERIES
    texts = ("it was great", "a quiet film", "")
    text = "it was great"

    @pytest.fixture(autouse=True)
    def _backend(self, load: Load) -> None:
        self._loaded = load()

    def make(self) -> LocalBackend:
        return self._loaded


def test_the_start_text_of_a_prompt_is_the_same_as_its_tokens(load: Load) -> None:
    backend = load()
    text = "it was great"
    deep = DeepPrompt(backend.encode(text), {1: np.zeros((3, 32), dtype=np.float32)})
    scores = backend.score([TextPrompt(text), deep], QUERIES).log_probabilities
    assert np.array_equal(scores[0], scores[1])


def test_hidden_stds_are_those_of_the_states_between_the_layers(load: Load) -> None:
    backend = load()
    with torch.inference_mode():
        states = [
            backend._forward.model(torch.tensor([[*TOKENS, *backend.encode(query.before)]]), output_hidden_states=True)
            for query in QUERIES
        ]
    expected = []
    for layer in range(1, 4):
        values = np.concatenate([state.hidden_states[layer].numpy().ravel() for state in states]).astype(np.float64)
        for _ in range(5):
            values = values.clip(values.mean() - 3 * values.std(), values.mean() + 3 * values.std())
        expected.append(values.std())
    found = backend.hidden_stds(TOKENS, QUERIES)
    assert np.allclose(found[1:], expected, rtol=1e-3)
    assert found[0] == pytest.approx(float(backend._forward.model.get_input_embeddings().weight.std()), rel=1e-5)


def test_a_row_longer_than_the_model_reads_is_named(load: Load) -> None:
    with pytest.raises(QueryError, match=r"row 2 of this call .* is 10\d tokens long .* the model reads 64"):
        load().score([TextPrompt("it")], [QUERIES[0], Query("great " * 100, ("great", "bad"))])


def test_a_label_word_of_several_tokens_is_refused_where_one_is_needed(load: Load) -> None:
    with pytest.raises(LabelWordError, match="label word 'great fun' is 2 tokens of this model"):
        load(single_token_labels=True).score([TextPrompt("it")], LONG_WORDS)


def test_a_row_without_text_is_refused(load: Load) -> None:
    with pytest.raises(QueryError, match="row 1 of this call has no text"):
        load().score([TextPrompt("it")], [Query(" ", ("great", "bad"))])


@pytest.mark.parametrize(("layer", "size"), [(4, 32), (-1, 32), (0, 31)])
def test_a_prompt_for_another_models_shape_is_refused(load: Load, layer: int, size: int) -> None:
    with pytest.raises(UnsupportedPromptError, match="layers 0 to 3 of size 32"):
        load().score([DeepPrompt(TOKENS, {layer: vectors(1, size)})], QUERIES)


def test_a_batch_size_below_one_is_refused(load: Load) -> None:
    with pytest.raises(BackendSettingError, match="batch_tokens must be at least 1, got 0"):
        load(batch_tokens=0)


def test_hooks_leave_the_model_as_it_was(load: Load) -> None:
    backend = load()
    before = backend.score([TextPrompt("it")], QUERIES).log_probabilities
    backend.score([DeepPrompt(TOKENS, {0: vectors(1)})], QUERIES)
    assert np.array_equal(before, backend.score([TextPrompt("it")], QUERIES).log_probabilities)
    assert not any(layer._forward_pre_hooks for layer in backend._forward.layers)


def test_a_prompt_that_overflows_the_precision_has_failed_and_is_no_answer(load: Load) -> None:
    huge = DeepPrompt(TOKENS, {1: np.full((3, 32), 1e38, dtype=np.float32)})
    scores = load(dtype="float16").score([TextPrompt("it"), huge], QUERIES)
    assert np.isfinite(scores.log_probabilities[0]).all()
    assert np.isnan(scores.log_probabilities[1]).all()
    assert [(failure.prompt, failure.query) for failure in scores.failures] == [(1, 0), (1, 1), (1, 2)]
    assert "too large for its precision" in scores.failures[0].reason
