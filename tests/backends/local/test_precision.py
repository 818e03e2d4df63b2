"""Models in 16 bits: as near to 32 bits as the model's own code comes, and what is too large for them has failed."""

import numpy as np
import pytest
import torch

from blackbox.backends import DeepPrompt, TextPrompt
from blackbox.backends.local import LocalBackend
from blackbox.backends.local.fast_forward import FastForward
from tests.backends.local.candidates import TOKENS, deep, deep_sweep, of_every_kind, scores_of
from tests.backends.local.conftest import Load
from tests.backends.local.rows import LABELS, WORDS


def in_precision(loaded: Load, kind: str, dtype: torch.dtype, **settings: object) -> LocalBackend:
    one = loaded(kind)
    model = type(one.model)(one.model.config).to(dtype)
    model.load_state_dict(one.model.state_dict())
    return LocalBackend(model, one.tokenizer, name=kind, model_hash=kind, **settings)


@pytest.mark.parametrize("kind", ["llama", "gemma2", "bert", "t5"])
@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16], ids=str)
def test_a_family_in_16_bits_is_as_near_to_32_bits_as_the_model_run_whole(
    load: Load, loaded: Load, kind: str, dtype: torch.dtype
) -> None:
    exact, fast, whole = (
        load(kind),
        in_precision(loaded, kind, dtype),
        in_precision(loaded, kind, dtype, shortcuts=False),
    )
    assert isinstance(fast._forward, FastForward)
    prompts = of_every_kind(exact)
    expected, found, plain = (one.score(prompts, WORDS).log_probabilities for one in (exact, fast, whole))
    errors = [float(np.sqrt(np.mean((scores - expected) ** 2))) for scores in (found, plain)]
    assert 0 < errors[0] < 2 * errors[1]


def test_in_16_bits_too_the_cache_changes_no_bit(loaded: Load) -> None:
    settings = ({}, {"cache_bytes": 0}, {"cache_bytes": 1000})
    found = [
        scores_of(in_precision(loaded, "llama", torch.bfloat16, batch_tokens=60, **one), deep_sweep(), LABELS)
        for one in settings
    ]
    assert all(scores.tobytes() == found[0].tobytes() for scores in found)


@pytest.mark.parametrize("kind", ["llama", "bert", "bart"])
@pytest.mark.parametrize("shortcuts", [True, False])
def test_a_prompt_that_overflows_the_precision_has_failed_and_is_no_answer(
    loaded: Load, kind: str, shortcuts: bool
) -> None:
    huge = DeepPrompt(TOKENS, {1: np.full((3, 32), 1e38, dtype=np.float32)})
    backend = in_precision(loaded, kind, torch.float16, shortcuts=shortcuts)
    scores = backend.score([TextPrompt("it"), huge, deep(1)], LABELS)
    assert np.isfinite(scores.log_probabilities[[0, 2]]).all()
    assert np.isnan(scores.log_probabilities[1]).all()
    assert [(failure.prompt, failure.query) for failure in scores.failures] == [(1, 0), (1, 1), (1, 2)]
    assert "too large for its precision" in scores.failures[0].reason
