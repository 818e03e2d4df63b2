import pickle

import numpy as np
import pytest
import torch

from blackbox.backends import Query, SoftPrompt, TextPrompt
from blackbox.backends.local import LocalBackend, load_backend
from blackbox.backends.local.sharing import put_together, taken_apart
from tests.backends.local.conftest import Save
from tests.backends.local.models import KINDS

QUERIES = [Query("a quiet film . it was", (" great", " bad")), Query("it was long and", (" great", " bad"))]


def through_pickle(backend: LocalBackend) -> LocalBackend:
    """As Ray does it: arrays stay where they are, and cannot be written to."""
    buffers: list[pickle.PickleBuffer] = []
    written = pickle.dumps(backend, protocol=5, buffer_callback=buffers.append)
    read: LocalBackend = pickle.loads(written, buffers=[bytes(buffer.raw()) for buffer in buffers])
    return read


@pytest.mark.parametrize("kind", KINDS)
def test_a_model_that_was_pickled_scores_the_same_bit_for_bit(kind: str, saved_model: Save) -> None:
    backend = load_backend(str(saved_model(kind)), threads=1)
    again = through_pickle(backend)
    vectors = np.random.default_rng(1).normal(size=(3, backend.shape.hidden_size)).astype(np.float32)
    for prompt in (TextPrompt("the worst evening"), SoftPrompt(backend.encode("a b c"), vectors)):
        assert np.array_equal(
            again.score([prompt], QUERIES).log_probabilities, backend.score([prompt], QUERIES).log_probabilities
        )
    assert (again.name, again.model_hash, again.batch_tokens) == (
        backend.name,
        backend.model_hash,
        backend.batch_tokens,
    )


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16, torch.float16])
def test_weights_are_neither_copied_nor_rounded(dtype: torch.dtype, saved_model: Save) -> None:
    names = {value: name.removeprefix("torch.") for value, name in ((dtype, str(dtype)),)}
    model = load_backend(str(saved_model("llama")), dtype=names[dtype]).model
    skeleton, arrays = taken_apart(model)
    again = put_together(skeleton, arrays)
    memory = {array.__array_interface__["data"][0] for array in arrays}
    for (name, one), (_, other) in zip(model.named_parameters(), again.named_parameters(), strict=True):
        assert torch.equal(one, other), name
        assert other.dtype == dtype
        assert other.data_ptr() == one.data_ptr()
        assert other.data_ptr() in memory
    assert len(skeleton) < 100_000


def test_tied_weights_stay_tied(saved_model: Save) -> None:
    model = load_backend(str(saved_model("gpt2"))).model
    assert model.lm_head.weight is model.transformer.wte.weight
    again = put_together(*taken_apart(model))
    assert again.lm_head.weight is again.transformer.wte.weight
