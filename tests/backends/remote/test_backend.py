"""A remote backend keeps what every backend keeps, and answers as its model does in this process, bit for bit."""

import pickle
from collections.abc import Callable, Iterator

import numpy as np
import pytest

from blackbox.backends import (
    BackendSettingError,
    Capability,
    FakeBackend,
    KeyRefusedError,
    LabelWordError,
    Prompt,
    Query,
    QueryError,
    RemoteBackend,
    TextPrompt,
    UnsupportedPromptError,
    Writing,
)
from blackbox.backends.remote.description import Limits
from blackbox.spaces import DeepSpace
from tests.backends.contract import GeneratingContract, PrefixBackendContract, TargetBackendContract
from tests.backends.local.candidates import TOKENS, deep, deep_sweep, of_every_kind, prefix_sweep
from tests.backends.local.conftest import Load
from tests.backends.local.rows import LABELS, TARGETS, WORDS, asked_in_every_way
from tests.backends.remote.serving import serving


class _Served:
    """A contract for a served backend."""

    @pytest.fixture(autouse=True)
    def _connected(self, url: str) -> Iterator[None]:
        self._backend = RemoteBackend(url)
        yield
        self._backend.close()

    def make(self) -> RemoteBackend:
        return self._backend


class TestFake(_Served, GeneratingContract, TargetBackendContract, PrefixBackendContract):
    tolerance = 1e-12

    @pytest.fixture
    def url(self, fake_url: str) -> str:
        return fake_url


class TestLlama(_Served, GeneratingContract, TargetBackendContract, PrefixBackendContract):
    queries = LABELS
    targets = to_go_on = TARGETS
    texts = ("it was great", "a quiet film", "")
    text = "it was great"

    @pytest.fixture
    def url(self, llama_url: str) -> str:
        return llama_url


@pytest.fixture
def remote(llama_url: str) -> Iterator[RemoteBackend]:
    backend = RemoteBackend(llama_url)
    yield backend
    backend.close()


def test_it_is_the_model_that_is_served(remote: RemoteBackend, load: Load) -> None:
    local = load("llama")
    assert (remote.name, remote.model_hash) == (local.name, local.model_hash)
    assert remote.capabilities == local.capabilities
    assert remote.shape == local.shape
    assert remote.description.family == "llama"
    assert remote.description.dtype == "float32"


@pytest.mark.parametrize("kind", ["llama", "roberta", "t5", "falcon"])
def test_every_kind_of_prompt_scores_as_in_this_process_bit_for_bit(load: Load, kind: str) -> None:
    local = load(kind)
    with serving(load(kind)) as url:
        remote = RemoteBackend(url)
        prompts = of_every_kind(local)
        for queries in asked_in_every_way(local).values():
            found, expected = remote.score(prompts, queries), local.score(prompts, queries)
            assert found.log_probabilities.tobytes() == expected.log_probabilities.tobytes()
            assert [one.prompt_tokens for one in found.usages] == [one.prompt_tokens for one in expected.usages]
        remote.close()


def test_a_blockwise_search_is_the_same_bits_as_in_this_process(remote: RemoteBackend, load: Load) -> None:
    local = load("llama")
    for prompts in [*deep_sweep(), *prefix_sweep(local)]:
        found, expected = (one.score(prompts, LABELS).log_probabilities for one in (remote, local))
        assert found.tobytes() == expected.tobytes()


def space_sweep() -> list[list[Prompt]]:
    """A blockwise search in a space, from zeros in all layers; two slices for each."""
    space = DeepSpace(TOKENS, dict.fromkeys(range(4), 0.1), 32, dimension=6, seed=1)
    rng, incumbent, slices = np.random.default_rng(1), np.zeros((4, 6)), []
    for layer in (0, 3, 2):  # with zeros below, which all look alike
        candidates = np.repeat(incumbent[None], 4, axis=0)
        candidates[:, layer] = rng.normal(size=(4, 6))
        incumbent = candidates[0]
        prompts = space.decode(candidates.reshape(4, -1))
        slices += [prompts[:2], prompts[2:]]
    return slices


@pytest.mark.parametrize("sweep", [deep_sweep, space_sweep])
def test_layers_that_earlier_calls_have_brought_are_not_run_again(
    load: Load, sweep: Callable[[], list[list[Prompt]]]
) -> None:
    """As many layers run as in this process, where prompts that agree hold the same objects."""
    served, local = load("llama"), load("llama")
    runs = {"served": _layers_run(served), "local": _layers_run(local)}
    with serving(served) as url:
        remote = RemoteBackend(url)
        for prompts in sweep():
            remote.score(prompts, LABELS)
            local.score(prompts, LABELS)
        remote.close()
    assert runs["served"] == runs["local"]
    assert min(runs["served"]) < 4 * 1  # some call began above the first layer


def _layers_run(backend: object) -> list[int]:
    """The number of layers that each forward pass of rows runs, filled in as they do."""
    forward = backend._forward  # type: ignore[attr-defined]
    plan, runs = forward.cache.plan, []

    def counted(*arguments: object, **options: object) -> object:
        found = plan(*arguments, **options)
        runs.append(4 - (found.state.layer if found.state else 0))
        return found

    forward.cache.plan = counted
    return runs


def test_texts_are_written_as_in_this_process(remote: RemoteBackend, load: Load) -> None:
    local = load("llama")
    for writing in (Writing(max_tokens=6), Writing(max_tokens=6, temperature=0.8, seed=3, stop=("great",))):
        found, expected = (one.generate(of_every_kind(local), TARGETS, writing) for one in (remote, local))
        assert found.written == expected.written


def test_what_spaces_ask_is_as_in_this_process(remote: RemoteBackend, load: Load) -> None:
    local = load("llama")
    assert remote.encode("it was great") == local.encode("it was great")
    assert remote.decode(TOKENS) == local.decode(TOKENS)
    assert remote.hidden_stds(TOKENS, LABELS).tobytes() == local.hidden_stds(TOKENS, LABELS).tobytes()
    states, of_local = (one.hidden_states(TOKENS, LABELS, [0, 3]) for one in (remote, local))
    assert {layer: array.tobytes() for layer, array in states.items()} == {
        layer: array.tobytes() for layer, array in of_local.items()
    }
    found, expected = (one.prefix_of(TOKENS).keys_values for one in (remote, local))
    assert all(found[layer].tobytes() == expected[layer].tobytes() for layer in range(4))


def test_what_the_model_refuses_is_the_same_error_with_the_same_words(remote: RemoteBackend, load: Load) -> None:
    too_long = [LABELS[0], Query("great " * 100, ("great", "bad"))]
    assert _words(QueryError, load("llama"), [TextPrompt("it")], too_long) == _words(
        QueryError, remote, [TextPrompt("it")], too_long
    )
    strict = load("llama", single_token_labels=True)
    with serving(strict, single_token_labels=True) as url:
        other = RemoteBackend(url)
        expected = _words(LabelWordError, strict, [TextPrompt("it")], WORDS)
        assert _words(LabelWordError, other, [TextPrompt("it")], WORDS) == expected
        other.close()


def _words(kind: type[Exception], backend: object, prompts: list[Prompt], queries: list[Query]) -> str:
    with pytest.raises(kind) as error:
        backend.score(prompts, queries)  # type: ignore[attr-defined]
    return str(error.value)


def test_a_masked_model_does_not_write(load: Load) -> None:
    with serving(load("bert")) as url:
        remote = RemoteBackend(url)
        assert Capability.GENERATE not in remote.capabilities
        with pytest.raises(UnsupportedPromptError, match="no text that the model writes"):
            remote.generate([TextPrompt("it")], TARGETS)
        remote.close()


def test_a_call_over_a_limit_is_refused_before_it_is_sent() -> None:
    with serving(FakeBackend(), limits=Limits(prompts=2, rows=3, body_bytes=2000)) as url:
        remote = RemoteBackend(url)
        one, row = TextPrompt("a"), Query("b", ("c", "d"))
        with pytest.raises(BackendSettingError, match="may have 2 prompts at .*, got 3"):
            remote.score([one] * 3, [row])
        with pytest.raises(BackendSettingError, match="may have 3 rows at .*, got 4"):
            remote.score([one], [row] * 4)
        with pytest.raises(BackendSettingError, match="may have 2000 bytes"):
            remote.score([TextPrompt("a" * 3000)], [row])
        remote.close()


def test_a_token_is_read_from_the_environment_and_never_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SOME_TOKEN", "sesame-4711")
    with serving(FakeBackend(), token="sesame-4711") as url:
        remote = RemoteBackend(url, key_variable="SOME_TOKEN")
        assert remote.score([TextPrompt("a")], [Query("b", ("c", "d"))]).failures == ()
        assert b"sesame" not in pickle.dumps(remote)
        assert "sesame" not in repr(vars(remote))
        remote.close()
        with pytest.raises(KeyRefusedError, match=r"refuses the key with 401") as refused:
            RemoteBackend(url)
        assert "sesame" not in str(refused.value)
        monkeypatch.setenv("SOME_TOKEN", "other-0815")
        with pytest.raises(KeyRefusedError) as refused:
            RemoteBackend(url, key_variable="SOME_TOKEN")
        assert "other" not in str(refused.value)
    with pytest.raises(BackendSettingError, match="NO_SUCH_VARIABLE holds no token"):
        RemoteBackend(url, key_variable="NO_SUCH_VARIABLE")


def test_it_can_be_sent_to_a_worker(remote: RemoteBackend) -> None:
    again = pickle.loads(pickle.dumps(remote))
    found, expected = (one.score([deep(1, 2), TextPrompt("it")], WORDS).log_probabilities for one in (again, remote))
    assert np.array_equal(found, expected)
    again.close()
