"""Ways into a model's own forward pass, and that they leave nothing behind."""

from copy import deepcopy
from operator import attrgetter
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from torch import nn

from blackbox.backends import BackendSettingError, TextPrompt
from blackbox.backends.local.hooks import before_layers, find_layers, head_reads, in_front_of_keys, takes_prefixes
from tests.backends.local.candidates import deep, prefix
from tests.backends.local.conftest import Load
from tests.backends.local.models import KINDS, WITH_FAMILY, WITHOUT_FAMILY
from tests.backends.local.rows import LABELS

IDS = torch.tensor([[40, 45, 52, 50, 41]])


@pytest.mark.parametrize("kind", sorted(KINDS))
def test_the_layers_are_those_that_the_model_reads_text_with(loaded: Load, kind: str) -> None:
    one = loaded(kind)
    assert find_layers(one.model) is attrgetter(one.kind.layers)(one.model)
    assert len(find_layers(one.model)) == 4


def test_a_model_without_such_a_list_is_refused() -> None:
    model = nn.Linear(2, 2)
    model.config = SimpleNamespace(num_hidden_layers=3)
    with pytest.raises(BackendSettingError, match="'Linear' has no list of 3 layers"):
        find_layers(model)


@pytest.mark.parametrize("kind", sorted(KINDS))
@pytest.mark.parametrize("shortcuts", [True, False])
def test_a_backend_leaves_the_model_as_it_was(load: Load, loaded: Load, kind: str, shortcuts: bool) -> None:
    model = loaded(kind).model
    weights = {name: value.clone() for name, value in model.state_dict().items()}
    attention = model.config._attn_implementation
    backend = load(kind, shortcuts=shortcuts)
    prefixes = [prefix(backend, 1)] if backend.shape.key_value_width else []
    backend.score([TextPrompt("it was"), deep(1), *prefixes], LABELS)
    backend.hidden_stds((40, 45), LABELS)
    assert model.config._attn_implementation == attention
    assert not any(module._forward_pre_hooks or module._forward_hooks for module in model.modules())
    assert all(torch.equal(value, weights[name]) for name, value in model.state_dict().items())


def test_hooks_are_taken_back_after_an_error(loaded: Load) -> None:
    model = loaded("llama").model
    attention = model.config._attn_implementation

    def fail(*_: object) -> None:
        raise ZeroDivisionError

    for opened in (before_layers(find_layers(model), fail), in_front_of_keys(model, find_layers(model), fail)):
        with pytest.raises(ZeroDivisionError), opened:
            model(IDS)
    assert model.config._attn_implementation == attention
    assert not any(module._forward_pre_hooks for module in model.modules())


@pytest.mark.parametrize("kind", sorted(WITH_FAMILY))
@torch.inference_mode()
def test_keys_and_values_that_are_given_back_as_they_came_change_nothing(loaded: Load, kind: str) -> None:
    model = loaded(kind).model
    settings = {"decoder_input_ids": IDS[:, :2]} if model.config.is_encoder_decoder else {}
    seen: list[int] = []

    def look(layer: int, keys: torch.Tensor, values: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        seen.append(layer)
        return keys, values

    expected = model(IDS, **settings).logits
    with in_front_of_keys(model, find_layers(model), look):
        found = model(IDS, **settings).logits
    assert seen == [0, 1, 2, 3]  # of an encoder-decoder, the encoder's only
    assert torch.allclose(found, expected, atol=1e-4)


@pytest.mark.parametrize("kind", sorted(KINDS))
def test_the_families_here_take_prefixes_and_models_with_an_attention_of_their_own_do_not(
    loaded: Load, kind: str
) -> None:
    model = loaded(kind).model
    assert takes_prefixes(model, find_layers(model)) == (kind not in WITHOUT_FAMILY)


@torch.inference_mode()
def test_the_head_answers_for_the_positions_that_it_is_given(loaded: Load) -> None:
    model = loaded("llama").model
    ids = torch.cat([IDS, IDS.flip(1)])
    positions = torch.tensor([[4, 0], [2, 2]])
    everywhere = model(ids).logits
    with head_reads(model.get_output_embeddings(), positions):
        found = model(ids).logits
    assert torch.allclose(found, torch.stack([everywhere[0, [4, 0]], everywhere[1, [2, 2]]]), atol=1e-5)


@pytest.mark.parametrize("kind", ["llama", "gemma2", "bert", "t5", "bart"])
def test_a_prefix_is_what_the_layers_make_of_its_tokens(load: Load, loaded: Load, kind: str) -> None:
    """Their keys before a decoder turns them are its projection of the normed states; the values need no turning."""
    one, backend = loaded(kind), load(kind)
    found = backend.prefix_of((40, 45)).keys_values
    paths = one.kind.keys_values or ("self_attn.k_proj", "self_attn.v_proj")
    begin = {"llama": [1], "gemma2": [1], "bert": [2], "t5": [], "bart": [0]}[kind]
    values: list[np.ndarray] = []
    model = deepcopy(one.model)
    for layer in attrgetter(one.kind.layers)(model):
        attrgetter(paths[1])(layer).register_forward_hook(lambda _m, _a, output: values.append(output[0].numpy()))
    settings = {"decoder_input_ids": IDS[:, :1]} if model.config.is_encoder_decoder else {}
    with torch.inference_mode():
        model(torch.tensor([[*begin, 40, 45]]), **settings)
    first = len(begin) if one.kind.keys_values else 0
    for layer, expected in enumerate(values):
        assert np.allclose(found[layer][1], expected[first:], atol=1e-5)
