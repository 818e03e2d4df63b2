"""The local backend keeps what every backend keeps, whatever way its model reads."""

import copy

import numpy as np
import pytest
import torch

from blackbox.backends import (
    BackendSettingError,
    Capability,
    DeepPrompt,
    LabelWordError,
    Query,
    QueryError,
    SoftPrompt,
    TextPrompt,
    UnsupportedPromptError,
)
from blackbox.backends.local import LocalBackend
from blackbox.backends.states import evenly
from tests.backends.contract import (
    GeneratingContract,
    PrefixBackendContract,
    StatesBackendContract,
    TargetBackendContract,
)
from tests.backends.local.candidates import TOKENS, deep, of_every_kind, prefix, vectors
from tests.backends.local.conftest import Load
from tests.backends.local.models import KINDS, WITHOUT_FAMILY
from tests.backends.local.reference import expected_scores
from tests.backends.local.rows import LABELS, TARGETS, WORDS, asked_in_every_way


class _Small:
    """A contract for one kind of small models."""

    kind: str
    queries = LABELS
    targets = to_go_on = TARGETS
    texts = ("it was great", "a quiet film", "")
    text = "it was great"

    @pytest.fixture(autouse=True)
    def _backend(self, load: Load) -> None:
        self._made = load(self.kind)

    def make(self) -> LocalBackend:
        return self._made


class TestLeftToRight(_Small, GeneratingContract, TargetBackendContract, PrefixBackendContract, StatesBackendContract):
    kind = "llama"


class TestWithMasks(_Small, PrefixBackendContract, StatesBackendContract):
    kind = "roberta"
    prefix_is_text = False  # an encoder's prefix does not see the row


class TestEncoderDecoder(
    _Small, GeneratingContract, TargetBackendContract, PrefixBackendContract, StatesBackendContract
):
    kind = "t5 gated"
    prefix_is_text = False


class TestRunWhole(_Small, GeneratingContract, TargetBackendContract, StatesBackendContract):
    kind = "falcon"


@pytest.mark.parametrize("kind", sorted(WITHOUT_FAMILY))
@pytest.mark.parametrize("rows", ["labels", "words", "targets"])
def test_a_model_without_a_family_scores_as_its_own_forward_pass_does(
    load: Load, loaded: Load, kind: str, rows: str
) -> None:
    backend = load(kind, batch_tokens=60)
    prompts, queries = of_every_kind(backend), asked_in_every_way(backend)[rows]
    expected = expected_scores(loaded(kind), prompts, queries)
    assert np.allclose(backend.score(prompts, queries).log_probabilities, expected, atol=1e-4)


@pytest.mark.parametrize("kind", sorted(KINDS))
def test_what_a_model_can_be_asked_for_follows_from_how_it_reads(load: Load, kind: str) -> None:
    capabilities = load(kind).capabilities
    masked, encoder_decoder = ("bert", "roberta", "camembert", "xlm-roberta"), ("t5", "t5 gated", "mt5", "bart")
    assert (Capability.INFILL in capabilities) == (kind in (*masked, *encoder_decoder))
    assert (Capability.TARGETS in capabilities) == (kind not in masked)
    assert (Capability.GENERATE in capabilities) == (kind not in masked)
    assert (Capability.PREFIX in capabilities) == (kind not in WITHOUT_FAMILY)


def test_a_whole_target_is_refused_where_masks_are_filled(load: Load) -> None:
    with pytest.raises(QueryError, match="likelihood"):
        load("bert").score([TextPrompt("it")], TARGETS)


def test_no_rows_have_no_scores(load: Load) -> None:
    assert load().score([deep(1), TextPrompt("it")], []).log_probabilities.shape == (2, 0, 0)


@pytest.mark.parametrize("kind", ["llama", "bert", "bart"])
def test_equal_rows_and_equal_prompts_have_equal_scores(load: Load, kind: str) -> None:
    rows = [LABELS[0], LABELS[1], LABELS[0]]
    found = load(kind).score([deep(1), deep(2), deep(1)], rows).log_probabilities
    assert np.array_equal(found[:, 0], found[:, 2])
    assert np.allclose(found[0], found[2], atol=1e-5)


def test_the_start_text_of_a_prompt_is_the_same_as_its_tokens(load: Load) -> None:
    backend = load()
    text = "it was great"
    zeros = DeepPrompt(backend.encode(text), {1: np.zeros((3, 32), dtype=np.float32)})
    scores = backend.score([TextPrompt(text), zeros], LABELS).log_probabilities
    np.testing.assert_allclose(scores[0], scores[1], atol=1e-6)


@pytest.mark.parametrize("kind", ["llama", "bert", "t5"])
def test_hidden_stds_are_those_of_the_states_between_the_layers(load: Load, kind: str) -> None:
    backend = load(kind, batch_tokens=30)
    model, tokenizer = backend.model, backend._tokenizer
    begin, end = {"llama": ([1], []), "bert": ([2], [4, 3]), "t5": ([], [3, 1])}[kind]  # with a mask or a blank
    states = []
    for query in LABELS:
        row = [*begin, *TOKENS, *tokenizer(query.before, add_special_tokens=False).input_ids, *end]
        reader = model.get_encoder() if kind == "t5" else model
        with torch.inference_mode():
            states.append(reader(torch.tensor([row]), output_hidden_states=True).hidden_states)
    expected = []
    for layer in range(1, 4):
        values = np.concatenate([state[layer].numpy().ravel() for state in states]).astype(np.float64)
        for _ in range(5):
            values = values.clip(values.mean() - 3 * values.std(), values.mean() + 3 * values.std())
        expected.append(values.std())
    found = backend.hidden_stds(TOKENS, LABELS)
    assert np.allclose(found[1:], expected, rtol=1e-3)
    assert found[0] == pytest.approx(float(model.get_input_embeddings().weight.std()), rel=1e-5)


@pytest.mark.parametrize("kind", ["llama", "bert", "t5"])
def test_hidden_states_are_those_between_the_layers_and_the_prompts_own_count_once(load: Load, kind: str) -> None:
    backend = load(kind, batch_tokens=30)
    model, tokenizer = backend.model, backend._tokenizer
    begin, end = {"llama": ([1], []), "bert": ([2], [4, 3]), "t5": ([], [3, 1])}[kind]  # with a mask or a blank
    rows = sorted((tokenizer(query.before, add_special_tokens=False).input_ids for query in LABELS), key=len)
    reader = model.get_encoder() if kind == "t5" else model
    expected = []
    for number, row in enumerate(rows):
        ids = torch.tensor([[*begin, *TOKENS, *row, *end]])
        with torch.inference_mode():
            hidden = reader(ids, output_hidden_states=True).hidden_states[2][0].numpy()
        expected.append(hidden[len(begin) + len(TOKENS) if number else 0 :])
    found = backend.hidden_states(TOKENS, LABELS, [2, 0])
    assert np.allclose(found[2], np.concatenate(expected), atol=1e-5)
    assert np.array_equal(found[0], evenly(model.get_input_embeddings().weight.detach().numpy()))


def test_states_of_a_model_in_bfloat16_are_float32_numbers(load: Load, loaded: Load) -> None:
    model = copy.deepcopy(loaded("llama").model).to(torch.bfloat16)
    half = LocalBackend(model, load()._tokenizer, name="half", model_hash="half")
    for layer, states in half.hidden_states(TOKENS, LABELS, [0, 2]).items():
        assert states.dtype == np.float32
        exact = load().hidden_states(TOKENS, LABELS, [layer])[layer]
        assert np.corrcoef(states.ravel(), exact.ravel())[0, 1] > 0.99


def test_a_row_longer_than_the_model_reads_is_named(load: Load) -> None:
    with pytest.raises(QueryError, match=r"row 2 of this call .* is 10\d tokens long .* the model reads 64"):
        load().score([TextPrompt("it")], [LABELS[0], Query("great " * 100, ("great", "bad"))])


@pytest.mark.parametrize(("kind", "longest"), [("llama", 60), ("bert", 61)])
def test_a_prefix_takes_positions_where_the_model_reads_left_to_right(load: Load, kind: str, longest: int) -> None:
    """Of 64 positions the small Llama gives 1 + 3 to the prefix; BERT none, and 3 to special tokens and the mask."""
    fits, not_quite = (Query("great " * n_words, ("great", "bad")) for n_words in (longest, longest + 1))
    for shortcuts in (True, False):
        backend = load(kind, shortcuts=shortcuts)
        assert np.isfinite(backend.score([prefix(backend, 1)], [fits]).log_probabilities).all()
        with pytest.raises(QueryError, match="is 65 tokens long"):
            backend.score([prefix(backend, 1)], [not_quite])


def test_a_target_longer_than_the_decoder_reads_is_refused(load: Load) -> None:
    with pytest.raises(QueryError, match=r"row 1 of this call .* 71 tokens .* the model reads 64"):
        load("bart").score([TextPrompt("it")], [Query("it was ", ("great " * 70,))])


def test_a_label_word_of_several_tokens_is_refused_where_one_is_needed(load: Load) -> None:
    with pytest.raises(LabelWordError, match="label word 'great fun' is 2 tokens of this model"):
        load(single_token_labels=True).score([TextPrompt("it")], WORDS)


@pytest.mark.parametrize("kind", ["llama", "bert", "t5"])
def test_a_row_without_text_is_refused(load: Load, kind: str) -> None:
    with pytest.raises(QueryError, match="row 1 of this call has no text"):
        load(kind).score([TextPrompt("it")], [Query(" ", ("great", "bad"))])


@pytest.mark.parametrize(("layer", "size"), [(4, 32), (-1, 32), (0, 31)])
def test_a_prompt_for_another_models_shape_is_refused(load: Load, layer: int, size: int) -> None:
    wrong = np.zeros((len(TOKENS), size), dtype=np.float32)
    with pytest.raises(UnsupportedPromptError, match="layers 0 to 3 of size 32"):
        load().score([DeepPrompt(TOKENS, {layer: wrong})], LABELS)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"batch_tokens": 0}, "batch_tokens must be at least 1, got 0"),
        ({"cache_on": "disk"}, "cache_on must be 'device' or 'host', got 'disk'"),
    ],
)
def test_a_setting_out_of_its_range_is_refused(load: Load, settings: dict[str, object], message: str) -> None:
    with pytest.raises(BackendSettingError, match=message):
        load(**settings)


def test_a_soft_prompt_is_a_deep_prompt_of_the_first_layer(load: Load) -> None:
    soft, added = SoftPrompt(TOKENS, vectors(1)), DeepPrompt(TOKENS, {0: vectors(1)})
    found = load().score([soft, added], LABELS).log_probabilities
    np.testing.assert_allclose(found[0], found[1], atol=1e-6)
