"""Which forward pass serves a model: the family's where it answers as the model itself does, otherwise the model's."""

import logging
from collections.abc import Iterator
from copy import deepcopy

import numpy as np
import pytest
from transformers import AutoModelForCausalLM, LlamaConfig

from blackbox.backends import TextPrompt
from blackbox.backends.local import LocalBackend
from blackbox.backends.local.families.table import FAMILIES, family_of
from blackbox.backends.local.fast_forward import FastForward
from blackbox.backends.local.whole_forward import WholeForward
from tests.backends.local.candidates import deep
from tests.backends.local.conftest import Load, Loaded
from tests.backends.local.models import RELATIVES, WITH_FAMILY, WITHOUT_FAMILY
from tests.backends.local.rows import LABELS


def llama_with(loaded: Load, **settings: object) -> Iterator[LocalBackend]:
    """The small Llama with other settings: run layer by layer, and run whole."""
    one: Loaded = loaded("llama")
    model = AutoModelForCausalLM.from_config(LlamaConfig(**{**one.kind.config.to_dict(), **settings}))
    model.load_state_dict(one.model.state_dict())
    for shortcuts in (True, False):
        yield LocalBackend(model, one.tokenizer, name="it", model_hash="it", shortcuts=shortcuts)


def assert_equal(fast: LocalBackend, whole: LocalBackend) -> None:
    assert isinstance(fast._forward, FastForward)
    found, expected = (one.score([deep(1), TextPrompt("")], LABELS).log_probabilities for one in (fast, whole))
    assert np.allclose(found, expected, atol=1e-4)


@pytest.mark.parametrize("kind", sorted(WITHOUT_FAMILY))
def test_a_model_without_a_family_is_run_whole(load: Load, kind: str) -> None:
    assert isinstance(load(kind)._forward, WholeForward)


def test_without_shortcuts_every_model_is_run_whole(load: Load) -> None:
    assert isinstance(load("llama", shortcuts=False)._forward, WholeForward)


def test_every_family_has_a_small_model_here() -> None:
    small = {kind.config.model_type for kind in (*WITH_FAMILY.values(), *RELATIVES.values())}
    assert set(FAMILIES) == small


@pytest.mark.parametrize("kind", sorted(RELATIVES))
def test_a_relative_of_a_model_scores_as_with_its_own_code(load: Load, kind: str) -> None:
    assert_equal(load(kind), load(kind, shortcuts=False))


def test_a_model_that_answers_otherwise_than_its_family_is_run_whole_and_named(
    loaded: Load, caplog: pytest.LogCaptureFixture
) -> None:
    one: Loaded = loaded("llama")
    model = deepcopy(one.model)
    model.model.layers[1].forward = lambda hidden, **_: 2 * hidden  # a layer of another make
    with caplog.at_level(logging.WARNING):
        backend = LocalBackend(model, one.tokenizer, name="it", model_hash="it")
    assert isinstance(backend._forward, WholeForward)
    assert "'llama' is not what its family says (logits differ by" in caplog.text


def test_a_model_whose_parts_are_not_where_its_family_looks_is_run_whole_and_named(
    loaded: Load, caplog: pytest.LogCaptureFixture
) -> None:
    """As when a version of transformers moves them."""
    one: Loaded = loaded("gpt2")
    model = deepcopy(one.model)
    del model.transformer.h[0].attn.num_heads  # its own code does not need it
    with caplog.at_level(logging.WARNING):
        backend = LocalBackend(model, one.tokenizer, name="it", model_hash="it")
    assert isinstance(backend._forward, WholeForward)
    assert (
        "'gpt2' is not what its family says ('GPT2Attention' object has no attribute 'num_heads'); it is run whole"
        in caplog.text
    )


def test_a_trial_leaves_nothing_in_the_cache(load: Load) -> None:
    assert load()._cache.bytes == 0


@pytest.mark.parametrize("rope_type", ["dynamic", "longrope"])
def test_rotations_that_change_with_the_length_of_a_call_have_no_family(loaded: Load, rope_type: str) -> None:
    model = deepcopy(loaded("llama").model)
    assert family_of(model) is not None
    model.config.rope_parameters["rope_type"] = rope_type
    assert family_of(model) is None


def test_a_rotation_that_changes_in_some_layers_has_no_family(loaded: Load) -> None:
    model = deepcopy(loaded("gemma3").model)
    assert family_of(model) is not None
    model.config.rope_parameters["full_attention"]["rope_type"] = "dynamic"
    assert family_of(model) is None


@pytest.mark.parametrize("rope_type", ["linear", "llama3", "yarn"])
def test_rotations_stretched_by_a_fixed_rule_score_as_with_the_model_run_whole(loaded: Load, rope_type: str) -> None:
    parameters = {"rope_type": rope_type, "rope_theta": 10000.0, "factor": 4.0}
    if rope_type == "llama3":
        parameters |= {"low_freq_factor": 1.0, "high_freq_factor": 4.0, "original_max_position_embeddings": 16}
    assert_equal(*llama_with(loaded, rope_parameters=parameters))


def test_a_window_in_the_configuration_of_a_model_without_windows_changes_nothing(loaded: Load) -> None:
    """Llama's own code does not read it; models that were converted from Mistral's may carry it."""
    assert_equal(*llama_with(loaded, sliding_window=8))
