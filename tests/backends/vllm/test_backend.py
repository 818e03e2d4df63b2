"""Soft prompts through vLLM's protocol score as in this process; the server is a stand-in, see `standin`."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
import pytest
import torch

from blackbox import tune
from blackbox.backends import (
    BackendSettingError,
    Capability,
    EndpointError,
    LabelWordError,
    MissingModelError,
    Prompt,
    Query,
    QueryError,
    RefusedError,
    SoftPrompt,
    TextPrompt,
    UnsupportedPromptError,
    VectorBackend,
)
from blackbox.backends.api import Endpoint, Ledger, Limits, Patience, Transport
from blackbox.backends.api.waiting import Backoff
from blackbox.backends.local.weights import find_model
from blackbox.backends.vllm import VllmBackend, load_vllm
from blackbox.backends.vllm.embeddings import read_embeddings
from blackbox.errors import SettingError
from tests.backends.contract import TargetBackendContract
from tests.backends.local.candidates import TOKENS, deep, vectors
from tests.backends.local.conftest import Load, Loaded, Save
from tests.backends.local.rows import LABELS, LETTERS, TARGETS, WORDS
from tests.backends.vllm.standin import StandIn, serving
from tests.blackbox.small import QUICK, make_task

Open = Callable[..., Any]


@pytest.fixture
def connected(loaded: Callable[[str], Loaded], saved_model: Save) -> Open:
    """(kind, settings of the stand-in) -> a backend and its server, while open."""

    @contextmanager
    def opened(kind: str = "llama", *, load_with: Any = None, **settings: Any) -> Iterator[tuple[VllmBackend, StandIn]]:
        one = loaded(kind)
        stand_in = StandIn(one.model, one.tokenizer, **settings)
        with serving(stand_in) as url:
            transport = Transport(
                Endpoint(url, {}), ledger=Ledger(Limits()), patience=Patience(backoff=Backoff(0.001, 0.002))
            )
            options = {"files": str(saved_model(kind)), **(load_with or {})}
            backend = load_vllm(options.pop("name", "some-model"), transport, **options)
            yield backend, stand_in
            backend.close()

    return opened


class TestContract(TargetBackendContract):
    queries = LABELS
    targets = TARGETS
    texts = ("it was great", "a quiet film", "")

    @pytest.fixture(autouse=True)
    def _connected(self, connected: Open) -> Iterator[None]:
        with connected() as (self._backend, _):
            yield

    def make(self) -> VllmBackend:
        return self._backend

    def prompts(self) -> list[Prompt]:
        return [*super().prompts(), SoftPrompt(TOKENS, vectors(1)), SoftPrompt(TOKENS[:2], vectors(2, n_tokens=2))]


@pytest.mark.parametrize("kind", ["llama", "gpt2", "opt", "neox", "mistral"])
@pytest.mark.parametrize("rows", [LABELS, WORDS, LETTERS, TARGETS], ids=["labels", "words", "letters", "targets"])
def test_scores_are_those_of_the_model_in_this_process(load: Load, connected: Open, kind: str, rows: list) -> None:
    prompts = [TextPrompt("it was"), SoftPrompt(TOKENS, vectors(1)), SoftPrompt(TOKENS, vectors(2)), TextPrompt("")]
    with connected(kind) as (backend, _):
        found = backend.score(prompts, rows)
    expected = load(kind).score(prompts, rows)
    assert found.failures == ()
    assert np.allclose(found.log_probabilities, expected.log_probabilities, atol=1e-5)


def test_what_a_soft_space_asks_is_as_in_this_process(load: Load, connected: Open) -> None:
    local = load()
    with connected() as (backend, _):
        assert isinstance(backend, VectorBackend)
        assert backend.encode("it was great") == local.encode("it was great")
        assert backend.decode(TOKENS) == local.decode(TOKENS)
        assert backend.shape.hidden_size == local.shape.hidden_size
        assert backend.shape.vocabulary_size == local.shape.vocabulary_size
        assert backend.hidden_stds(TOKENS, LABELS) == pytest.approx(local.hidden_stds(TOKENS, LABELS)[:1], rel=1e-6)
        [states] = backend.hidden_states(TOKENS, LABELS, [0]).values()
        assert np.array_equal(states, local.hidden_states(TOKENS, LABELS, [0])[0])
        with pytest.raises(UnsupportedPromptError, match="layers 0 to 0, got layer 1"):
            backend.hidden_states(TOKENS, LABELS, [1])


@pytest.mark.parametrize("dtype", ["bfloat16", "float16"])
def test_embeddings_are_sent_in_the_type_of_the_settings(connected: Open, dtype: str) -> None:
    with connected(load_with={"dtype": dtype}) as (backend, stand_in):
        backend.score([SoftPrompt(TOKENS, vectors(1))], LABELS)
        assert stand_in.dtypes == {getattr(torch, dtype)}


def test_other_prompts_than_texts_and_soft_ones_are_refused(connected: Open) -> None:
    with connected() as (backend, stand_in):
        asked = len(stand_in.asked)
        assert Capability.DEEP not in backend.capabilities
        with pytest.raises(UnsupportedPromptError, match="DeepPrompt; such prompts need 'fake' or 'local' or 'remote'"):
            backend.score([deep(1)], LABELS)
        with pytest.raises(UnsupportedPromptError, match="size 31"):
            backend.score([SoftPrompt(TOKENS, np.zeros((3, 31), np.float32))], LABELS)
        with pytest.raises(QueryError, match="row 1 of this call"):
            backend.score([TextPrompt("it")], [Query("great " * 100, ("great", "bad"))])
        assert len(stand_in.asked) == asked


def test_label_words_of_several_tokens_can_be_refused(connected: Open) -> None:
    with connected(load_with={"single_token_labels": True}) as (backend, _):
        with pytest.raises(LabelWordError, match="great fun"):
            backend.score([TextPrompt("it")], WORDS)


def test_a_server_without_embeddings_says_so(connected: Open) -> None:
    with pytest.raises(RefusedError, match="You must set `--enable-prompt-embeds`"):
        with connected(enabled=False):
            pass


def test_a_server_that_does_not_tell_given_tokens_is_too_old(connected: Open) -> None:
    with pytest.raises(EndpointError, match="logprob_token_ids.*; it needs a newer vLLM"):
        with connected(tells=False):
            pass


def test_a_server_with_another_model_is_refused(connected: Open, saved_model: Save) -> None:
    with pytest.raises(EndpointError, match=r"answers otherwise to the embeddings at hand than to their tokens"):
        with connected(load_with={"files": str(saved_model("llama", seed=2))}):
            pass
    with pytest.raises(RefusedError, match="The model `other` does not exist"):
        with connected(load_with={"name": "other"}):
            pass


def test_a_model_that_does_not_read_left_to_right_is_refused(connected: Open, saved_model: Save) -> None:
    with pytest.raises(BackendSettingError, match="left to right, got 'bert'"):
        with connected(load_with={"files": str(saved_model("bert"))}):
            pass


def test_rows_that_the_server_fails_at_are_missing(connected: Open) -> None:
    with connected() as (backend, stand_in):
        backend.score([TextPrompt("it")], LABELS)
        stand_in.failing = 6
        scores = backend.score([TextPrompt("it")], LABELS[:1])
        assert [(one.prompt, one.query) for one in scores.failures] == [(0, 0)]
        assert "no answer after 6 attempts" in scores.failures[0].reason
        assert np.isnan(scores.log_probabilities).all()
        assert backend.score([TextPrompt("it")], LABELS[:1]).failures == ()


@pytest.mark.parametrize("kind", ["llama", "gpt2", "opt", "neox", "bloom"])
def test_the_table_of_embeddings_is_read_from_the_files(
    saved_model: Save, loaded: Callable[[str], Loaded], kind: str
) -> None:
    table = read_embeddings(find_model(str(saved_model(kind)), None))
    assert np.array_equal(table, loaded(kind).model.get_input_embeddings().weight.detach().numpy())


def test_weights_of_another_format_are_refused(saved_model: Save, tmp_path: object) -> None:
    (tmp_path / "config.json").write_text("{}")  # type: ignore[operator]
    (tmp_path / "model.gguf").write_bytes(b"GGUF")  # type: ignore[operator]
    with pytest.raises(MissingModelError, match="read from safetensors"):
        read_embeddings(find_model(str(tmp_path), None))


@pytest.mark.usefixtures("no_proxy")
def test_a_run_of_soft_prompts_is_the_one_of_the_model_in_this_process(
    load: Load, connected: Open, saved_model: Save
) -> None:
    ours = {**QUICK, "space": "soft", "optimizer": "cma-es", "prompt": "it was great", "evaluations": 25}
    del ours["backend"]
    expected = tune(make_task(), backend=load(), **ours)
    with connected() as (_, stand_in):
        with serving(stand_in) as url:
            where = {"base_url": url, "model": "some-model", "model_files": str(saved_model("llama"))}
            found = tune(make_task(), backend="vllm", **ours, **where)
    assert [one.loss for one in found.history] == pytest.approx([one.loss for one in expected.history], abs=1e-4)


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"base_url": None, "model": "m"}, "needs `base_url`"),
        ({"base_url": "http://localhost:1/v1"}, "needs `model`"),
        ({"base_url": "http://localhost:1/v1", "model": "m", "max_usd": 1.0}, "leave max_usd out"),
        ({"base_url": "http://localhost:1/v1", "model": "m", "key_variable": "NO_SUCH"}, "NO_SUCH holds no key"),
    ],
)
def test_settings_that_cannot_work_are_refused_first(settings: dict[str, Any], said: str) -> None:
    with pytest.raises(SettingError, match=said):
        tune(make_task(), backend="vllm", space="soft", **settings)
