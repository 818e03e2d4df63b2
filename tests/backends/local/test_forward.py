"""The shortcuts against the model run whole, one prompt at a time."""

from collections.abc import Callable

import numpy as np
import pytest
import torch

from blackbox.backends import TextPrompt
from blackbox.backends.local import LocalBackend
from tests.backends.local.conftest import CONFIGS, LONG_WORDS, QUERIES
from tests.backends.local.test_layer_cache import sweep

Load = Callable[..., LocalBackend]


@pytest.mark.parametrize("kind", sorted(CONFIGS))
@pytest.mark.parametrize("queries", [QUERIES, LONG_WORDS], ids=["one token", "several tokens"])
@pytest.mark.parametrize("batch_tokens", [10, 1000])
def test_losses_equal_those_of_the_model_run_whole(
    load: Load, kind: str, queries: list[object], batch_tokens: int
) -> None:
    prompts = [TextPrompt("it was"), TextPrompt(""), *sweep()]
    whole = load(kind, batch_tokens=batch_tokens, shortcuts=False).score(prompts, queries).log_probabilities
    quick = load(kind, batch_tokens=batch_tokens).score(prompts, queries).log_probabilities
    assert np.allclose(whole, quick, atol=1e-4)


@pytest.mark.parametrize("kind", sorted(CONFIGS))
def test_every_architecture_here_is_split_behind_the_prompt(load: Load, kind: str) -> None:
    (whole,) = positions_read(load(kind, shortcuts=False))
    assert positions_read(load(kind)) == [3, whole - 3]  # the prompt's three tokens once, and the rows without them


def positions_read(backend: LocalBackend) -> list[int]:
    read: list[int] = []
    handle = backend._forward.layers[0].register_forward_pre_hook(
        lambda _, args, kwargs: read.append((args[0] if args else kwargs["hidden_states"]).shape[1]), with_kwargs=True
    )
    backend.score([sweep()[0]], QUERIES)
    handle.remove()
    return read


def test_the_head_answers_for_the_label_words_only(load: Load) -> None:
    backend = load()
    seen: list[torch.Size] = []
    handle = backend._forward.head.register_forward_hook(lambda _module, _args, logits: seen.append(logits.shape))
    backend.score([sweep()[0]], QUERIES)
    handle.remove()
    assert seen == [(1, 1, 1), (3, 1, 2)]


def test_a_model_that_cannot_be_split_is_run_whole(load: Load) -> None:
    backend = load()
    forward = backend._forward.layers[1].self_attn.forward

    def without_past(*args: object, **kwargs: object) -> object:
        return forward(*args, **{**kwargs, "past_key_values": None})

    backend._forward.layers[1].self_attn.__dict__["forward"] = without_past
    assert not backend._forward._splits_exactly()


def test_the_prompt_is_read_once_for_all_batches_of_rows(load: Load) -> None:
    assert len(positions_read(load(batch_tokens=1))) == 1 + len(QUERIES)
